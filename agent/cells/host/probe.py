"""Tries out, once at a worker's start, what really separates cells on this machine."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, cast

import structlog

from agent.cells.host.inside_probe import DONE, NAMESPACES
from agent.cells.host.sandbox import CellPaths, Mode, Sandbox
from settings import Settings
from untrusted.calls import REFUSED_CALLS, Machine, numbers
from untrusted.walls import bubblewraps

log = structlog.get_logger()

PROBE_SECONDS = 20
HELD = ("CapEff", "CapPrm", "CapInh", "CapAmb")
# In a user namespace the bounding set counts for nothing outside of it.
EMPTY = {
    Mode.ROOT: (*HELD, "CapBnd"),
    Mode.USER: HELD,
    Mode.UID: (*HELD, "CapBnd"),
    Mode.PROCESS: (),
}
FILTERED = "2"
# A cell that runs under the worker's own user namespace has an own uid instead.
OWN = {
    Mode.ROOT: tuple(name for name in NAMESPACES if name != "user"),
    Mode.USER: NAMESPACES,
    Mode.UID: (),
    Mode.PROCESS: (),
}
WEAKER = "Cells of two people never run side by side here, and a cell can reach the local network."
NO_WALLS = (
    "Nothing here separates cells from the worker: bubblewrap does not work, and only root can "
    "start them under other uids. On a machine of your own, where nobody else has an account, "
    "SANDBOX=none runs them all the same; one could then read the keys of the providers."
)
WITHOUT_CELLS = "This worker answers nobody."


class NoSandbox(Exception):
    """This machine allows no separation of the kind that the settings ask for."""


def find_sandbox(settings: Settings) -> Sandbox | None:
    """Return what separates cells here; None, with the reason in the log, when nothing may.

    A worker without cells lives on: it also sends the mail.
    """
    try:
        return best_sandbox(settings)
    except NoSandbox as error:
        log.error("sandbox.none", setting=settings.sandbox, meaning=f"{error} {WITHOUT_CELLS}")
        return None


def best_sandbox(settings: Settings) -> Sandbox:
    """Return the strongest sandbox that works here and say in the log which.

    Raises NoSandbox when there is none of the kind that the settings ask for. Cells as mere
    processes of the worker's own user are never the best there is: SANDBOX has to say "none".
    """
    if settings.sandbox in {"auto", "bwrap"}:
        sandbox = _namespaces(settings)
        if sandbox is not None:
            return sandbox
    if settings.sandbox == "bwrap":
        raise NoSandbox("SANDBOX is bwrap, but no bubblewrap works on this machine.")
    if settings.sandbox == "none":
        return _weak(Mode.PROCESS, settings)
    if os.geteuid() != 0:
        is_uid = settings.sandbox == "uid"
        words = "SANDBOX is uid, but only root can start cells under other uids."
        raise NoSandbox(words if is_uid else NO_WALLS)
    return _weak(Mode.UID, settings)


def _namespaces(settings: Settings) -> Sandbox | None:
    mode = Mode.ROOT if os.geteuid() == 0 else Mode.USER
    for bwrap in bubblewraps(settings.bwrap_path):
        sandbox = Sandbox(mode, bwrap)
        if _works(sandbox, settings):
            log.info("sandbox.chosen", mode=mode.value, bwrap=str(bwrap))
            return sandbox
    return None


def _weak(mode: Mode, settings: Settings) -> Sandbox:
    sandbox = Sandbox(mode)
    if not _works(sandbox, settings):
        raise NoSandbox("Not even a process under a filter of system calls could be started.")
    log.warning("sandbox.weak", mode=mode.value, meaning=WEAKER)
    return sandbox


def _works(sandbox: Sandbox, settings: Settings) -> bool:
    """Look around from inside of a cell's walls, and believe only what is seen there."""
    mode = sandbox.mode
    folder = Path(tempfile.mkdtemp(prefix="shellmate-probe-"))
    try:
        # Others must be able to pass through when the uid is all that separates.
        folder.chmod(0o711)
        uid = settings.cell_uid_base if os.geteuid() == 0 else os.getuid()
        place = CellPaths(folder / "cell", uid)
        place.create(mode)
        seen = look(sandbox, place)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.info("sandbox.refused", mode=mode.value, bwrap=str(sandbox.bwrap), error=str(error))
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    faults = faults_in(mode, seen, uid)
    if faults:
        log.info("sandbox.refused", mode=mode.value, bwrap=str(sandbox.bwrap), faults=faults)
    return not faults


def look(sandbox: Sandbox, place: CellPaths) -> dict[str, Any]:
    """Return what is seen from inside of the cell at `place`, as `inside_probe` tells it.

    Raises OSError with what went wrong when it says nothing.
    """
    number = numbers(cast(Machine, platform.machine()))
    aims: dict[str, object] = {
        "calls": {name: number[name] for name in REFUSED_CALLS if name in number},
        "clone": number["clone"],
        "folders": [str(place.listeners)],
        "writes": ["/written", "/etc/written", "/usr/written"] if os.geteuid() == 0 else [],
    }
    done = subprocess.run(
        sandbox.look(place, aims),
        cwd=place.state,
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROBE_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise OSError(done.stderr.strip() or f"it ended with {done.returncode}")
    return json.loads(done.stdout)


def faults_in(mode: Mode, seen: dict[str, Any], uid: int) -> list[str]:
    """Say what is wrong with walls of this `mode` from inside of which this was `seen`."""
    status, tried = seen["status"], seen["tried"]
    faults = [f"{name} is not empty" for name in EMPTY[mode] if int(status[name], 16)]
    faults += [f"{name}: {got}" for name, got in tried.items() if _is_open(name, got, mode)]
    faults += [
        f"the {name} namespace is ours"
        for name in OWN[mode]
        if seen["namespaces"][name] == str(Path("/proc/self/ns", name).readlink())
    ]
    found = {
        "new privileges can be had": status["NoNewPrivs"] != "1",
        "system calls are not filtered": status.get("Seccomp") != FILTERED,
        "the uid is not the cell's": mode.has_own_uid
        and (seen["uids"] != [uid] * 3 or seen["gids"] != [uid] * 3 or seen["groups"] != []),
        "the worker's environment can be read": mode is not Mode.PROCESS
        and _environment() in seen["environments"],
        "there is a network besides lo": mode.has_namespaces and seen["interfaces"] != ["lo"],
    }
    return [*faults, *(fault for fault, is_so in found.items() if is_so)]


def _is_open(name: str, got: str, mode: Mode) -> bool:
    if name in REFUSED_CALLS:
        return got != "ENOSYS"
    # Without an own uid a cell has the worker's rights to files.
    is_about_files = name.startswith(("list ", "write "))
    return got == DONE and not (is_about_files and mode is Mode.PROCESS)


def _environment() -> str:
    return hashlib.sha256(Path("/proc/self/environ").read_bytes()).hexdigest()
