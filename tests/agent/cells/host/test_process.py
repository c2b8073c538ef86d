"""Starting a cell's processes where the system gives a worker little."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cells.host.cell_paths import Mode
from agent.cells.host.process import CellProcess, kill_all_of
from settings import PROJECT_DIR
from tests.house import wait_for

UID = 64_993
# Starts a cell, and asks for its full share of the processor.
RAISE = """
import asyncio, os, sys
from pathlib import Path
from agent.cells.host.process import CellProcess, can_raise_priority
from agent.cells.host.cell_paths import CellPaths, Mode
from agent.cells.host.sandbox import Sandbox

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


# A first process that leaves another behind, which holds the output open, and dies at once.
LEFT = "/bin/sleep 600 & kill -KILL $$"
# Processes that go on in a child and leave, so that none is ever there for long.
STORM = """
import os, resource, sys, time
# Should nobody end it, it ends by itself, and takes no machine along.
end = time.monotonic() + 60
resource.setrlimit(resource.RLIMIT_NPROC, (200, 200))
os.setresgid(*[int(sys.argv[1])] * 3); os.setresuid(*[int(sys.argv[1])] * 3)
for _ in range(30):
    try:
        if os.fork() == 0: break
    except OSError: break  # the first ones have multiplied enough
while time.monotonic() < end:
    try:
        if os.fork(): os._exit(0)
    except OSError: pass
"""
ONLY_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can change uids")


@ONLY_ROOT
@pytest.mark.parametrize("mode", [Mode.JAIL, Mode.UID])
def test_a_cell_is_gone_when_its_first_process_is(passable_folder: Path, mode: Mode) -> None:
    """Whatever it has left behind, which no namespace ends here."""

    async def live_and_die() -> None:
        process = await CellProcess.start(
            ["setpriv", "--reuid", str(UID), "--clear-groups", "/bin/sh", "-c", LEFT],
            folder=passable_folder,
            environment={"PATH": "/usr/bin:/bin"},
            descriptors=(),
            mode=mode,
            uid=UID,
        )
        await asyncio.wait_for(process.gone.wait(), 30)
        await process.end(0)

    asyncio.run(live_and_die())

    assert _alive(UID) == 0


@ONLY_ROOT
def test_processes_that_multiply_are_killed_all_of_them() -> None:
    storm = subprocess.Popen([sys.executable, "-c", STORM, str(UID)])
    wait_for(lambda: _alive(UID) >= 10, "processes to multiply", seconds=50)

    kill_all_of(UID)

    storm.wait(10)
    # Killed they are; each is gone when a processor has been free to end it.
    wait_for(lambda: _alive(UID) == 0, "them to end", seconds=5)
    assert subprocess.run(["/bin/true"], user=UID, check=False).returncode == 0


def _alive(uid: int) -> int:
    """Count the processes of a uid that are more than an entry in the kernel's table."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            count += folder.stat().st_uid == uid and state not in "ZX"
        except OSError:
            continue
    return count


def _has_nice() -> bool:
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> 23 & 1)
