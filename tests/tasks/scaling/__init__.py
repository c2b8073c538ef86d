"""Tests of how many workers there are."""
