"""The operating system's side of a cell: starting its processes, hearing them, ending them."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections import deque
from contextlib import suppress
from pathlib import Path

import structlog

from agent.cells.host.cell_paths import Mode
from agent.cells.host.cgroups import Cgroup
from untrusted.helper import kill_children

log = structlog.get_logger()

LINES_KEPT = 200
LINE_BYTES = 256 * 1024
# A boot takes some twenty seconds of processor time that nobody waits for. With this a turn that
# wants the same processor gets nine tenths of it.
BOOT_NICENESS = 10
CAP_SYS_NICE = 23
CLEAR_UP_SECONDS = 2.0


class CellProcess:
    """The process group of one cell. `gone` is set as soon as it has ended, however it ended."""

    def __init__(
        self, process: asyncio.subprocess.Process, mode: Mode, uid: int, group: Cgroup | None
    ) -> None:
        self.gone = asyncio.Event()
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._is_private = False
        self._process = process
        self._mode = mode
        self._uid = uid
        self._group = group
        self._tasks = (
            asyncio.create_task(self._hear()),
            asyncio.create_task(self._see_it_end()),
        )

    @classmethod
    async def start(
        cls,
        command: list[str],
        *,
        folder: Path,
        environment: dict[str, str],
        descriptors: tuple[int, ...],
        mode: Mode,
        uid: int,
        group: Cgroup | None = None,
    ) -> "CellProcess":
        """Start `command` with nothing of ours but the given descriptors."""
        # Its whole path, because the cell's PATH leads nowhere.
        nice = shutil.which("nice") if mode.has_own_uid and can_raise_priority() else None
        patience = (nice, "-n", str(BOOT_NICENESS)) if nice else ()
        process = await asyncio.create_subprocess_exec(
            *(group.joining() if group else ()),
            *patience,
            *command,
            cwd=folder,
            env=environment,
            # Held open and never written to: when we die it ends, and with it the cell.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE_BYTES,
            pass_fds=descriptors,
            start_new_session=True,
        )
        return cls(process, mode, uid, group)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    @property
    def was_too_large(self) -> bool:
        """Whether the kernel ended something in it because it wanted too much memory."""
        return self._group is not None and self._group.was_too_small()

    def raise_priority(self) -> None:
        """Give the cell its full share of the processor; booting, it left that to those at work."""
        if self._mode.has_own_uid:
            # A moment after its start nothing has the uid yet, and when it has died nothing has.
            # Where priorities cannot be raised, it was started with a full share.
            with suppress(ProcessLookupError, PermissionError):
                os.setpriority(os.PRIO_USER, self._uid, 0)

    def mute_logs(self) -> None:
        """Let nothing more of what the cell prints be kept or logged: OpenClaw prints answers."""
        self._is_private = True
        self.lines.clear()

    async def end(self, grace_seconds: float) -> None:
        """Ask the cell to end; after the grace, or with none at once, kill all that is in it."""
        if grace_seconds > 0 and self._process.stdin is not None:
            self._process.stdin.close()
            await self._wait_until_gone(grace_seconds)
        if self._mode.has_namespaces and not self.gone.is_set():
            # With its first process a namespace ends, and bwrap, which waits for it, clears it up.
            # Killing bwrap itself would leave a dead process to whoever is the system's first.
            kill_children(self.pid)
            await self._wait_until_gone(CLEAR_UP_SECONDS)
        await self._kill_group()
        await asyncio.gather(*self._tasks)
        if self._group is not None:
            await asyncio.to_thread(self._group.remove)

    async def _wait_until_gone(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.gone.wait()

    async def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        if self._is_known_by_uid:
            # A process may have left the group, but nothing else has this uid.
            await asyncio.to_thread(kill_all_of, self._uid)

    @property
    def _is_known_by_uid(self) -> bool:
        """Whether no namespace ends with the cell's first process, and its uid is what is left."""
        return self._mode.has_own_uid and not self._mode.has_namespaces

    async def _hear(self) -> None:
        output = self._process.stdout
        while output is not None:
            try:
                line = await output.readline()
            except ValueError:
                # Longer than any line should be: it is dropped, and the next one is read.
                continue
            if not line:
                return
            if self._is_private:
                continue
            self.lines.append(line.decode(errors="replace").rstrip())
            log.debug("cell.said", pid=self.pid, line=self.lines[-1])

    async def _see_it_end(self) -> None:
        if self._is_known_by_uid:
            # asyncio takes it for alive as long as anything that it started has its output open.
            await _ended(self.pid)
            await asyncio.to_thread(kill_all_of, self._uid)
        await self._process.wait()
        self.gone.set()


async def _ended(pid: int) -> None:
    """Wait until a child of ours has ended, whatever it has left running."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(process, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)


def can_raise_priority() -> bool:
    """Tell whether a priority that was lowered can be raised again; most containers forbid it."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> CAP_SYS_NICE & 1)
    return False


def kill_all_of(uid: int) -> None:
    """Kill every process of a uid that nothing but one cell has, however fast they multiply.

    Needs to be root. The kernel signals all of them at once, and none can fork meanwhile.
    """
    subprocess.run(
        ["/bin/sh", "-c", "kill -KILL -1"],
        user=uid,
        group=uid,
        extra_groups=[],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
