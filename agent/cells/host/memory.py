"""How much memory there is, and how much of it each cell has."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Where a container's own control group is: of version 2, and of version 1.
CONTAINER = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory"))
# In a group: its limit, what it has used of it, and how much of that are files that were only read
# and can be dropped at any time. Again by version.
IN_GROUP = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def available_bytes() -> int:
    """Return what programs could still take, caches included, of the machine or the container."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    known = dict(line.split(":", 1) for line in lines)
    free = int(known["MemAvailable"].split()[0]) * 1024
    return min([free, *_left_in_container()])


def _left_in_container() -> list[int]:
    found = [left_in(folder) for folder in CONTAINER]
    return [left for left in found if left is not None]


def left_in(group: Path) -> int | None:
    """Return what programs in a control group could still take, caches included.

    None where it has no limit, or is none.
    """
    for limit, used, cache in IN_GROUP:
        try:
            left = int((group / limit).read_text()) - int((group / used).read_text())
            lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
            return left + int(dict(line.split() for line in lines)[cache])
        except (OSError, ValueError, KeyError):
            # It is of the other version, or says "max".
            continue
    return None


@dataclass(frozen=True)
class _Process:
    parent: int
    resident_bytes: int


def resident_bytes(roots: Collection[int]) -> dict[int, int]:
    """Return, for each of these processes, the memory of it and of all that descend from it.

    Pages that they share are counted for each of them. Who is gone has none.
    """
    processes = _processes()
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    return {root: _sum(root, processes, children) for root in roots}


def _sum(pid: int, processes: dict[int, _Process], children: dict[int, list[int]]) -> int:
    own = processes[pid].resident_bytes if pid in processes else 0
    return own + sum(_sum(child, processes, children) for child in children.get(pid, ()))


def _processes() -> dict[int, _Process]:
    found: dict[int, _Process] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            # Its name, in brackets, may hold anything. After it: state, parent, and as 22nd, pages.
            fields = stat.rpartition(")")[2].split()
            found[int(folder.name)] = _Process(int(fields[1]), int(fields[21]) * PAGE_BYTES)
    return found
