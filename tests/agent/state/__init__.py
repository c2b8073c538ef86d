"""Saved files, from the pages up to a live cell."""
