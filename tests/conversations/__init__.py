"""Long conversations with the pinned OpenClaw, by hand: `python -m tests.conversations`."""
