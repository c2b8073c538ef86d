"""Tries out, once at a worker's start, what really separates cells on this machine."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from agent.cells.host import attacks
from agent.cells.host.cell_paths import CellPaths, Mode
from agent.cells.host.inside_probe import NAMESPACES
from agent.cells.host.jail import jail_of
from agent.cells.host.sandbox import Sandbox
from settings import Settings
from untrusted.walls import bubblewraps

log = structlog.get_logger()

PROBE_SECONDS = 20
HELD = ("CapEff", "CapPrm", "CapInh", "CapAmb")
# In a user namespace the bounding set counts for nothing outside of it.
EMPTY = {
    Mode.ROOT: (*HELD, "CapBnd"),
    Mode.USER: HELD,
    Mode.JAIL: (*HELD, "CapBnd"),
    Mode.UID: (*HELD, "CapBnd"),
    Mode.PROCESS: (),
}
FILTERED = "2"
# A cell that runs under the worker's own user namespace has an own uid instead.
OWN = {
    Mode.ROOT: tuple(name for name in NAMESPACES if name != "user"),
    Mode.USER: NAMESPACES,
    Mode.JAIL: (),
    Mode.UID: (),
    Mode.PROCESS: (),
}
WEAKER = "Cells of two people never run side by side here, and a cell can reach the local network."
NO_WALLS = (
    "Nothing here separates cells from the worker: bubblewrap does not work, and only root can "
    "start them under other uids. On a machine of your own, where nobody else has an account, "
    "SANDBOX=none runs them all the same; one could then read the keys of the providers."
)
# Which settings allow a mode.
KINDS = {
    Mode.ROOT: {"auto", "bwrap"},
    Mode.USER: {"auto", "bwrap"},
    Mode.JAIL: {"auto", "jail"},
    Mode.UID: {"auto", "uid"},
    Mode.PROCESS: {"none"},
}
NEEDS_ROOT = {
    "auto": NO_WALLS,
    "jail": "SANDBOX is jail, but only root can go into another root under another uid.",
    "uid": "SANDBOX is uid, but only root can start cells under other uids.",
}
NOTHING_STARTS = "Not even a process under a filter of system calls could be started."
NOTHING_OF = {
    "auto": NOTHING_STARTS,
    "bwrap": "SANDBOX is bwrap, but no bubblewrap works on this machine.",
    "jail": "SANDBOX is jail, but a cell could do what a jail forbids, or none could be started.",
    "uid": NOTHING_STARTS,
    "none": NOTHING_STARTS,
}
PROBE = "probe-"
# Of the uids for cells the last two are the probe's.
PROBE_UIDS = 998
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
    wanted = settings.sandbox
    for sandbox in candidates(settings):
        if wanted in KINDS[sandbox.mode] and _works(sandbox, settings):
            _log_choice(sandbox)
            return sandbox
    if os.geteuid() != 0 and wanted in NEEDS_ROOT:
        raise NoSandbox(NEEDS_ROOT[wanted])
    raise NoSandbox(NOTHING_OF[wanted])


def candidates(settings: Settings) -> Generator[Sandbox]:
    """Yield all that could be tried on this machine, the strongest first."""
    is_root = os.geteuid() == 0
    for bwrap in bubblewraps(settings.bwrap_path):
        yield Sandbox(Mode.ROOT if is_root else Mode.USER, bwrap)
    if is_root:
        yield Sandbox(Mode.JAIL, jail=jail_of(settings))
        yield Sandbox(Mode.UID)
    yield Sandbox(Mode.PROCESS)


def _log_choice(sandbox: Sandbox) -> None:
    mode = sandbox.mode
    if mode.separates:
        log.info("sandbox.chosen", mode=mode.value, bwrap=str(sandbox.bwrap))
    else:
        log.warning("sandbox.weak", mode=mode.value, meaning=WEAKER)


def _works(sandbox: Sandbox, settings: Settings) -> bool:
    """Attack from inside of a cell's walls, and believe only what is seen there."""
    mode = sandbox.mode.value
    try:
        tried = try_out(sandbox, settings)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        log.info("sandbox.refused", mode=mode, bwrap=str(sandbox.bwrap), error=str(error))
        return False
    if tried.faults:
        log.info("sandbox.refused", mode=mode, bwrap=str(sandbox.bwrap), faults=tried.faults)
    return not tried.faults


@dataclass(frozen=True)
class Tried:
    """What came of attacking walls: what should not be so, and what is known to be."""

    faults: list[str]
    gaps: list[str]


def try_out(sandbox: Sandbox, settings: Settings) -> Tried:
    """Attack from inside of a cell that is made for this. Raises OSError where none can be."""
    with _two_cells(sandbox, settings) as (attacker, neighbour):
        seen = look(sandbox, attacker, neighbour)
        found = faults_in(sandbox.mode, seen, attacker.uid)
        return Tried(found, attacks.gaps(sandbox.mode, seen["tried"]))


@contextmanager
def _two_cells(sandbox: Sandbox, settings: Settings) -> Generator[tuple[CellPaths, CellPaths]]:
    parent = None
    if sandbox.jail is not None:
        settings.cells_dir.mkdir(parents=True, exist_ok=True, mode=0o711)
        sandbox.jail.furnish(None)
        parent = sandbox.jail.cells
    folder = Path(tempfile.mkdtemp(prefix=PROBE, dir=parent))
    try:
        # Others must be able to pass through when the uid is all that separates.
        folder.chmod(0o711)
        first = settings.cell_uid_base + PROBE_UIDS if os.geteuid() == 0 else os.getuid()
        places = [_cell(sandbox, folder, number, first) for number in (0, 1)]
        yield places[0], places[1]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cell(sandbox: Sandbox, folder: Path, number: int, first_uid: int) -> CellPaths:
    uid = first_uid + number if os.geteuid() == 0 else first_uid
    # In a jail its locks stand elsewhere, and the attacks need none.
    place = CellPaths(folder / f"cell{number}", uid)
    place.create(sandbox.mode)
    return place


def look(sandbox: Sandbox, attacker: CellPaths, neighbour: CellPaths) -> dict[str, Any]:
    """Return what is seen from inside of `attacker`'s cell, as `inside_probe` tells it.

    What it left where others could find it is removed. Raises OSError with what went wrong when it
    says nothing.
    """
    with attacks.scene(sandbox, attacker, neighbour) as scene:
        seen = attacks.carry_out(sandbox, attacker, scene.aims, PROBE_SECONDS)
        left = scene.left_behind()
    return {**seen, "left": left}


def faults_in(mode: Mode, seen: dict[str, Any], uid: int) -> list[str]:
    """Say what is wrong with walls of this `mode` from inside of which this was `seen`."""
    status = seen["status"]
    faults = [f"{name} is not empty" for name in EMPTY[mode] if int(status[name], 16)]
    faults += attacks.faults(mode, seen["tried"])
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
        "files are left where others find them": mode.separates and seen["left"] != [],
    }
    return [*faults, *(fault for fault, is_so in found.items() if is_so)]


def _environment() -> str:
    return hashlib.sha256(Path("/proc/self/environ").read_bytes()).hexdigest()
