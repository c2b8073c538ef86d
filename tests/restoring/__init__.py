"""Losing everything, and going on from a backup."""
