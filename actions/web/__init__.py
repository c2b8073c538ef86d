"""Searching the web and reading its pages, for the answers of users."""
