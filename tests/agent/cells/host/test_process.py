"""Starting a cell's processes where the system gives a worker little."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from settings import PROJECT_DIR

# Starts a cell, and asks for its full share of the processor.
RAISE = """
import asyncio, os, sys
from pathlib import Path
from agent.cells.host.process import CellProcess, can_raise_priority
from agent.cells.host.sandbox import CellPaths, Mode, Sandbox

async def main():
    place = CellPaths(Path(sys.argv[1], "cell"), 64991)
    place.create(Mode.UID)
    command = Sandbox(Mode.UID).command(place, None, ["/bin/sleep", "600"])
    process = await CellProcess.start(
        command, folder=place.state, environment={}, descriptors=(), mode=Mode.UID, uid=place.uid
    )
    while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\\n":
        await asyncio.sleep(0.01)
    before = os.getpriority(os.PRIO_PROCESS, process.pid)
    process.raise_priority()
    print(can_raise_priority(), before, os.getpriority(os.PRIO_PROCESS, process.pid))
    await process.end(0)

asyncio.run(main())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can change uids")
@pytest.mark.parametrize(
    ("capabilities", "told"), [("+sys_nice", "True 10 0"), ("-sys_nice", "False 0 0")]
)
def test_a_boot_yields_only_where_it_can_be_hurried(
    passable_folder: Path, capabilities: str, told: str
) -> None:
    """Most containers let no priority be raised again: there it starts with its full share."""
    if capabilities[0] == "+" and not _has_nice():
        pytest.skip("this container cannot raise priorities")
    dropped = ["setpriv", f"--bounding-set={capabilities}"] if capabilities[0] == "-" else []
    done = subprocess.run(
        [*dropped, sys.executable, "-c", RAISE, str(passable_folder)],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == told, done.stderr


def _has_nice() -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> 23 & 1)
