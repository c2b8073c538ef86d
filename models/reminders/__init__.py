"""Reminders: what a user wants to be told of, when it is due, and that it fires exactly once."""
