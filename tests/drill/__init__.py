"""Drills: the real stack under load, broken on purpose, then audited. See docs/drill.md."""
