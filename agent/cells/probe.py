"""Tries out, once at a worker's start, what really separates cells on this machine."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import structlog

from agent.cells.sandbox import Mode, Place, Sandbox, bwrap_candidates
from settings import Settings

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
WEAKER = "Cells of two people never run side by side here, and a cell can reach the local network."


class NoSandbox(Exception):
    """This machine allows no separation of the kind that the settings ask for."""


def best_sandbox(settings: Settings) -> Sandbox:
    """Return the strongest sandbox that works here and say in the log which; else NoSandbox."""
    is_root = os.geteuid() == 0
    if settings.sandbox != "uid":
        for bwrap in bwrap_candidates(settings.bwrap_path):
            sandbox = Sandbox(Mode.ROOT if is_root else Mode.USER, bwrap)
            if _works(sandbox, settings):
                log.info("sandbox.chosen", mode=sandbox.mode.value, bwrap=str(bwrap))
                return sandbox
    if settings.sandbox == "bwrap":
        raise NoSandbox("SANDBOX is bwrap, but no bubblewrap works on this machine.")
    sandbox = Sandbox(Mode.UID if is_root else Mode.PROCESS)
    if sandbox.mode is Mode.PROCESS and settings.sandbox == "uid":
        raise NoSandbox("SANDBOX is uid, but only root can start cells under other uids.")
    if not _works(sandbox, settings):
        raise NoSandbox("Not even a process under a uid of its own could be started.")
    log.warning("sandbox.weak", mode=sandbox.mode.value, meaning=WEAKER)
    return sandbox


def _works(sandbox: Sandbox, settings: Settings) -> bool:
    """Start a cell's walls around `cat`, and believe only what it sees from inside."""
    folder = Path(tempfile.mkdtemp(prefix="shellmate-probe-"))
    try:
        # Others must be able to pass through when the uid is all that separates.
        folder.chmod(0o711)
        uid = settings.cell_uid_base if os.geteuid() == 0 else os.getuid()
        place = Place(folder / "cell", uid)
        place.create(sandbox.mode)
        seen = _run(sandbox, place)
    except (OSError, subprocess.SubprocessError) as error:
        log.info("sandbox.refused", mode=sandbox.mode.value, error=str(error))
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    faults = _faults(sandbox.mode, seen, uid)
    if faults:
        log.info(
            "sandbox.refused", mode=sandbox.mode.value, bwrap=str(sandbox.bwrap), faults=faults
        )
    return not faults


def _run(sandbox: Sandbox, place: Place) -> str:
    program = ["/bin/cat", "/proc/self/status", "/proc/net/dev"]
    done = subprocess.run(
        sandbox.command(place, None, program),
        cwd=place.state,
        env={},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROBE_SECONDS,
        check=False,
    )
    return done.stdout if done.returncode == 0 else f"failed: {done.stderr.strip()}"


def _faults(mode: Mode, seen: str, uid: int) -> list[str]:
    if seen.startswith("failed:"):
        return [seen]
    lines = [line.split() for line in seen.splitlines() if ":" in line]
    values = {words[0].rstrip(":"): words[1:] for words in lines}
    faults = [f"{name} is not empty" for name in EMPTY[mode] if int(values[name][0], 16)]
    if values["NoNewPrivs"] != ["1"]:
        faults.append("new privileges can be had")
    if mode.has_own_uid and values["Uid"] != [str(uid)] * 4:
        faults.append("the uid is not the cell's")
    # After /proc/net/dev's two lines of headings, one line an interface.
    others = {words[0] for words in lines if len(words) == 17} - {"lo:"}
    if mode.has_namespaces and others:
        faults.append("there is a network besides lo")
    return faults
