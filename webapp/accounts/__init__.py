"""Signing up, logging in, and a user's own settings."""
