"""The one table of what is attacked from inside of a cell, and what each mode is known to let pass.

`inside_probe` carries the attacks out; here the scene is set for them and their outcome is judged.
Each attack is named by what a cell that succeeds could do.
"""

import json
import os
import platform
import socket
import subprocess
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, cast

from agent.cells.host.cell_paths import CellPaths, Mode
from agent.cells.host.inside_probe import DONE, PUBLIC_FOLDERS
from agent.cells.host.sandbox import Sandbox
from untrusted.calls import REFUSED_CALLS, Machine, numbers

SECRET = b"what only its own cell may see"
WAIT = ("/bin/sleep", "600")
# Where a namespace numbers processes itself, a small number may be one of the cell's own.
FIRST_PIDS = 64
SYSTEM_FILES = ("/written", "/etc/written", "/usr/written", "/opt/written", "/lib/written")
# What a mode is known to let pass. Anything else that succeeds is a fault.
OVER_THE_NETWORK = (
    "connect to a database on this machine",
    "connect to the task's metadata",
    "connect to the machine's metadata",
    "connect to a private network",
)
# Open to a cell that has a network of its own, and to one without walls.
TCP = "socket tcp"
WITH_A_NETWORK_OF_ITS_OWN = frozenset(
    {TCP, "take a name that others could call", "have the kernel name a socket"}
)
OPEN: dict[Mode, frozenset[str]] = {
    Mode.ROOT: frozenset(),
    Mode.USER: frozenset(),
    # Without Landlock, which a kernel may lack; and processes have their numbers in common.
    Mode.JAIL: frozenset({"call a socket that has no path", "tell whether a process exists"}),
    Mode.UID: frozenset(
        {
            *OVER_THE_NETWORK,
            TCP,
            "take a name that others could call",
            "have the kernel name a socket",
            "call a socket that has no path",
            "tell whether a process exists",
            "read the worker's code",
            "read the worker's command line",
            *(f"leave a file in {folder}" for folder in PUBLIC_FOLDERS),
        }
    ),
}
# What no attack shows, and an operator should know.
ALWAYS = (
    "All cells of a machine share its kernel; the filter of system calls is what they see of it.",
)
KNOWN: dict[Mode, tuple[str, ...]] = {
    Mode.ROOT: ALWAYS,
    Mode.USER: (*ALWAYS, "All cells of a worker run under the worker's own user."),
    Mode.JAIL: (
        *ALWAYS,
        "Where no control group can be made, the worker bounds memory itself, every two seconds.",
        "Processor and disk have no bound but the container's.",
    ),
    Mode.UID: (*ALWAYS, "Cells of two people never run side by side, since little separates them."),
    Mode.PROCESS: ("Nothing separates a cell from the worker and from its keys.",),
}


@dataclass(frozen=True)
class Scene:
    """A worker and a cell of somebody else's, with all that the attacks are aimed at."""

    aims: dict[str, Any]

    def left_behind(self) -> list[str]:
        """List the public folders in which a cell has left a file, and remove it there."""
        found: list[str] = []
        for folder in PUBLIC_FOLDERS:
            left = Path(folder, self.aims["token"])
            if left.exists():
                found.append(folder)
                with suppress(OSError):
                    left.unlink()
        return found


@contextmanager
def scene(sandbox: Sandbox, attacker: CellPaths, neighbour: CellPaths) -> Generator[Scene]:
    """Set it up, around two cells' folders that exist, for as long as the attacks last."""
    with ExitStack() as ending:
        file = neighbour.state / "MEMORY.md"
        file.write_bytes(SECRET)
        file.chmod(0o600)
        neighbour.give(file, sandbox.mode)
        gateway, meter = neighbour.listeners / "gateway", neighbour.sockets / "meter"
        for path in (gateway, meter):
            ending.enter_context(_listening(path))
        neighbour.give(meter, sandbox.mode)
        abstract = token_hex(8)
        nameless = ending.enter_context(socket.socket(socket.AF_UNIX))
        nameless.bind(f"\0{abstract}")
        nameless.listen()
        port = ending.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        worker = ending.enter_context(_process())
        seen = sandbox.jail.inside if sandbox.jail is not None else str
        yield Scene(
            {
                **_calls(),
                "file": seen(file),
                "cells": seen(neighbour.folder.parent),
                "listeners": seen(attacker.listeners),
                "gateway": seen(gateway),
                "meter": seen(meter),
                "abstract": abstract,
                "port": port,
                "pid": worker if worker > FIRST_PIDS or not sandbox.mode.has_namespaces else None,
                "code": str(Path(__file__)),
                "token": token_hex(8),
                "writes": SYSTEM_FILES if sandbox.mode is not Mode.PROCESS else (),
            }
        )


def carry_out(sandbox: Sandbox, attacker: CellPaths, aims: dict[str, Any], seconds: int) -> Any:
    """Return what `inside_probe` says of a cell at `attacker`. Raises OSError when it is silent."""
    done = subprocess.run(
        sandbox.look(attacker, aims),
        cwd=attacker.state,
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode != 0:
        raise OSError(done.stderr.strip() or f"it ended with {done.returncode}")
    return json.loads(done.stdout)


def successes(tried: dict[str, str]) -> list[str]:
    """List what a cell could do, of all that it tried."""
    return [name for name, got in tried.items() if _succeeded(name, got)]


def faults(mode: Mode, tried: dict[str, str]) -> list[str]:
    """List what a cell could do that walls of this mode keep it from."""
    return [f"{name}: {tried[name]}" for name in successes(tried) if not _may(mode)(name)]


def gaps(mode: Mode, tried: dict[str, str]) -> list[str]:
    """Say in sentences what walls of this mode are known to let pass, as far as it did."""
    known = OPEN.get(mode, frozenset(tried))
    passed = [name for name in successes(tried) if name in known]
    return [*KNOWN[mode], *(f"A cell can {_in_words(name)}." for name in passed)]


def _may(mode: Mode) -> Callable[[str], bool]:
    if mode is Mode.PROCESS:
        # It has the worker's rights, but for what the filter takes away.
        return lambda name: name == TCP or not _is_the_filters(name)
    if mode.has_namespaces:
        return lambda name: name in WITH_A_NETWORK_OF_ITS_OWN | _of_its_own()
    return OPEN[mode].__contains__


def _is_the_filters(name: str) -> bool:
    return name in REFUSED_CALLS or name.startswith(("socket ", "clone "))


def _of_its_own() -> frozenset[str]:
    """Return what is done to the cell's own copy of a folder: whether it is is seen outside."""
    return frozenset(f"leave a file in {folder}" for folder in PUBLIC_FOLDERS)


def _succeeded(name: str, got: str) -> bool:
    return got != "ENOSYS" if name in REFUSED_CALLS else got == DONE


def _in_words(name: str) -> str:
    is_kind = name.startswith("socket ")
    return f"open a socket ({name.removeprefix('socket ')})" if is_kind else name


def _calls() -> dict[str, Any]:
    number = numbers(cast(Machine, platform.machine()))
    return {
        "calls": {name: number[name] for name in REFUSED_CALLS if name in number},
        "clone": number["clone"],
    }


@contextmanager
def _listening(path: Path) -> Generator[None]:
    """Listen on a path that may be too long for a socket."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(f"/proc/self/fd/{folder}/{path.name}")
            listening.listen()
            yield
    finally:
        os.close(folder)


@contextmanager
def _process() -> Generator[int]:
    """Run a process of the worker's own, to be attacked in its place."""
    with subprocess.Popen(WAIT, env={}, stdin=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.kill()
