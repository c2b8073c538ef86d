"""Credits, limits, usage and what an answer cost."""
