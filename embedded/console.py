"""Whole lines from many processes: on the terminal with the process's name before each, and in
one file a process.
"""

import sys
import threading
from collections import deque
from pathlib import Path
from typing import TextIO

FILE_MAX_BYTES = 10 * 1024 * 1024
NAME_WIDTH = 9
COLOURS = (36, 33, 35, 34, 32, 96, 93, 95)
LINES_REMEMBERED = 20


class Console:
    """Prints and files the lines of every process. Safe to use from many threads."""

    def __init__(self, logs_dir: Path, stream: TextIO | None = None) -> None:
        """Write files into `logs_dir`; print on `stream`, or nowhere when it is None."""
        self._logs_dir = logs_dir
        self._stream = stream
        self._lock = threading.Lock()
        self._is_filing = True
        self._last: dict[str, deque[str]] = {}

    def say(self, words: str) -> None:
        """Print the supervisor's own words, which are never held back."""
        self.line("run", words, is_shown=True)

    def line(self, name: str, line: str, *, is_shown: bool) -> None:
        """Put one line of a process in its file, and on the terminal if it is to be shown."""
        with self._lock:
            remembered = self._last.setdefault(name, deque(maxlen=LINES_REMEMBERED))
            remembered.append(line)
            self._file(name, line)
            if is_shown and self._stream is not None:
                self._print(name, line, self._stream)

    def last_lines(self, name: str, count: int) -> list[str]:
        """Return the latest lines of a process, oldest first."""
        with self._lock:
            return list(self._last.get(name, ()))[-count:]

    def file_of(self, name: str) -> Path:
        """Return where the lines of a process are kept."""
        return self._logs_dir / f"{name}.log"

    def _file(self, name: str, line: str) -> None:
        path = self.file_of(name)
        try:
            if path.exists() and path.stat().st_size > FILE_MAX_BYTES:
                path.replace(path.with_suffix(".log.1"))
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
            self._is_filing = True
        except OSError as trouble:
            # A full disk must not stop what is running; the terminal still has the line.
            if self._is_filing and self._stream is not None:
                self._print("run", f"the logs are not kept: {trouble.strerror}", self._stream)
            self._is_filing = False

    def _print(self, name: str, line: str, stream: TextIO) -> None:
        label = f"{name:<{NAME_WIDTH}}|"
        if stream.isatty():
            colour = COLOURS[sum(name.encode()) % len(COLOURS)]
            label = f"\x1b[{colour}m{label}\x1b[0m"
        try:
            print(label, line, file=stream, flush=True)
        except OSError:
            # The terminal is gone (a closed window, a broken pipe): only the files remain.
            self._stream = None


def standard_output() -> TextIO:
    """Return the terminal, told to replace what it cannot show instead of failing."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    return sys.stdout
