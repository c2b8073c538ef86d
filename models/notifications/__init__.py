"""Notifications: whom they reach by which ways, when, and what waits to go out."""
