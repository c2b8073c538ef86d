"""The project's folder, and what this machine calls itself."""

from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent
OWN_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
