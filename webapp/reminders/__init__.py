"""Reminders as a page, and as a calendar that other programs read."""
