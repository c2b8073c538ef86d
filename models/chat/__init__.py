"""Conversations, what was said in them, and the files that came along."""
