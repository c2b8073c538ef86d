"""Which processes of ours are still there, also those of a supervisor that was killed.

A process id alone may have gone to somebody else meanwhile; with its start time it is certain.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

END_SECONDS = 5.0


@dataclass(frozen=True)
class Recorded:
    """A process that was started, and the signal that asks it to stop."""

    name: str
    pid: int
    started: str
    stop_signal: int


def start_time(pid: int) -> str | None:
    """Return when a process was started, in the system's own words, or None when it is gone."""
    if sys.platform != "linux":
        return _ask_ps("lstart=", pid) or None
    fields = _linux_stat(pid)
    if fields is None or fields[0] == "Z":
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{fields[19]}"


def command_of(pid: int) -> str:
    """Return the command line of a process, "" when it is gone or not to be seen."""
    if sys.platform != "linux":
        return _ask_ps("command=", pid)
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def end_process(pid: int, stop_signal: int) -> None:
    """Ask a process to stop and wait; kill it when it takes longer than 5 seconds."""
    record = Recorded("", pid, start_time(pid) or "", stop_signal)
    _end([record])


def write_records(path: Path, records: Iterable[Recorded]) -> None:
    """Remember the processes that run now, in one step."""
    aside = path.with_suffix(".next")
    aside.write_text(json.dumps([asdict(record) for record in records]))
    aside.replace(path)


def end_recorded(path: Path) -> list[str]:
    """End what an earlier supervisor left running and return the names; then forget it."""
    left = [record for record in _read(path) if _members(record)]
    _end(left)
    path.unlink(missing_ok=True)
    return [record.name for record in left]


def _end(records: list[Recorded]) -> None:
    for record in records:
        _signal(record, record.stop_signal)
    _wait_until_gone(records)
    for record in records:
        _signal(record, signal.SIGKILL)
    _wait_until_gone(records)


def _wait_until_gone(records: list[Recorded]) -> None:
    deadline = time.monotonic() + END_SECONDS
    while any(_members(record) for record in records) and time.monotonic() < deadline:
        time.sleep(0.05)


def _ask_ps(field: str, pid: int) -> str:
    asked = subprocess.run(
        ["ps", "-o", field, "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip()


def _read(path: Path) -> list[Recorded]:
    try:
        return [Recorded(**entry) for entry in json.loads(path.read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        return []


def _signal(record: Recorded, number: int) -> None:
    for pid in _members(record):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _members(record: Recorded) -> list[int]:
    """Return the process and what is left of its group (each program leads one of its own)."""
    now = start_time(record.pid)
    if now is not None and now != record.started:
        return []
    if sys.platform != "linux":
        return [record.pid] if now else []
    return [pid for pid in _linux_pids() if _is_in_group(pid, record.pid)]


def _linux_pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _is_in_group(pid: int, group: int) -> bool:
    fields = _linux_stat(pid)
    return fields is not None and fields[0] != "Z" and int(fields[2]) == group


def _linux_stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the third on (the second may hold anything)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
