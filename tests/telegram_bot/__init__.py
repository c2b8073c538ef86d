"""Telegram as a channel: what it makes of answers and updates, and what it does over a socket."""
