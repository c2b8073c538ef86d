"""Small real processes in place of the product's, and ways to wait for what they do."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from embedded.process import Program

WAIT_SECONDS = 20.0


def program(name: str, code: str, directory: Path, **more: object) -> Program:
    """A Python one-liner under supervision."""
    return Program(
        name=name,
        command=(sys.executable, "-u", "-c", code),
        environment={"PATH": "/usr/bin:/bin"},
        directory=directory,
        **more,  # pyright: ignore[reportArgumentType]
    )


def wait_until(holds: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Wait for a condition, and fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still not so after {seconds:.0f} s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process is there and not merely unburied."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_naming(text: str) -> list[int]:
    """Every process whose command line has this text, or that keeps a file there open."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            folder = str((entry / "cwd").readlink())
        except OSError:
            continue
        if text in command or folder.startswith(text):
            found.append(int(entry.name))
    return found
