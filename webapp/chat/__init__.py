"""The chat: conversations, the page, its live stream."""
