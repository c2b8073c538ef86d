"""Telegram as a channel: the only place that knows its library, its updates and its looks."""
