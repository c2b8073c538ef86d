"""One helper process, seen from the product: started, given a job, killed."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from untrusted import framing
from untrusted.kinds import Kind, LaneLimits
from untrusted.walls import Wall

# Python's own start and the imports; on a busy machine this is long, and nobody waits for it.
START_SECONDS = 60
# How often a wait looks whether it should end.
LOOK_SECONDS = 0.05
END_SECONDS = 2.0
READY_BYTES = 0
COMPLAINT_BYTES = 2_000

Why = Literal["stopped", "too_slow", "died", "busy", "too_large", "error"]


class Failed(Exception):
    """A job brought no result. The helper that had it is gone; whoever asked does without."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else why)
        self.why: Why = why


class NotStarted(Exception):
    """No helper came up behind this wall."""


@dataclass(frozen=True)
class Result:
    """What a helper made of its input: it is as foreign as the input was."""

    note: dict[str, Any]
    body: bytes


class Patience:
    """How long to wait: until a moment, or until somebody says stop. Call it to find out."""

    def __init__(self, seconds: float, stop: threading.Event | None = None) -> None:
        self.ends = time.monotonic() + seconds
        self.stop = stop

    def __call__(self) -> None:
        """Raise Failed once the wait is over."""
        if self.stop is not None and self.stop.is_set():
            raise Failed("stopped")
        if time.monotonic() >= self.ends:
            raise Failed("too_slow")

    @property
    def left_seconds(self) -> float:
        return max(0.0, self.ends - time.monotonic())


class Helper:
    """A process that does one job at a time. Not for two threads at once, except `kill`."""

    def __init__(
        self, process: subprocess.Popen[bytes], channel: socket.socket, wall: Wall
    ) -> None:
        self.jobs = 0
        self.idle_since = time.monotonic()
        # What it said of its walls when it was ready.
        self.seen: Mapping[str, Any] = {}
        self._process = process
        self._channel = channel
        self._wall = wall

    @classmethod
    def start(cls, wall: Wall, lane: LaneLimits) -> "Helper":
        """Start one and wait until it is ready. Raises NotStarted.

        To be called from a thread that lives as long as the helper may: the kernel ends the helper
        with the thread that started it.
        """
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:
            raise NotStarted(str(error)) from error
        with theirs:
            try:
                process = subprocess.Popen(
                    wall.command(lane, theirs.fileno()),
                    # Nothing of ours is in it, secrets least of all.
                    env={},
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                raise NotStarted(str(error)) from error
        ours.settimeout(LOOK_SECONDS)
        helper = cls(process, ours, wall)
        helper._wait_until_ready()
        return helper

    @property
    def pid(self) -> int:
        """The process that we started; behind bubblewrap the helper itself is below it."""
        return self._process.pid

    def do(
        self, kind: Kind, note: Mapping[str, Any], body: bytes, patience: Callable[[], None]
    ) -> Result:
        """Do one job. Raises Failed: the helper is of no more use then, and is to be killed."""
        self.jobs += 1
        job = {**note, "kind": kind.name, "cpu_seconds": kind.cpu_seconds}
        try:
            framing.send(self._channel, job, body, patience)
            said, made = framing.receive(
                self._channel, most_bytes=kind.output_bytes, pause=patience
            )
        except framing.BadFrame as error:
            raise Failed("too_large", str(error)) from error
        except (EOFError, OSError) as error:
            raise Failed("died") from error
        if "error" in said:
            raise Failed("error", str(said["error"])[:80])
        return Result(said, made)

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once, whatever it is at; `bury` it afterwards."""
        with suppress(OSError):
            self._channel.close()
        if self._wall.bwrap is None:
            self._process.kill()
        elif self.is_alive():
            # The first process of its namespace, with which all in it ends. Bubblewrap then ends
            # by itself, and leaves no dead process to whoever is the system's first. Once it has
            # ended, its number may be another process's.
            kill_children(self.pid)

    def bury(self) -> None:
        """Wait until a killed helper is gone, which takes a moment."""
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _wait_until_ready(self) -> None:
        try:
            self.seen, _ = framing.receive(
                self._channel, most_bytes=READY_BYTES, pause=Patience(START_SECONDS)
            )
        except (EOFError, OSError, framing.BadFrame, Failed) as error:
            self.kill()
            complaint = self._complaint()
            self.bury()
            raise NotStarted(complaint or repr(error)) from error

    def _complaint(self) -> str:
        """Return what it last printed: before its first job that can be nobody's words."""
        output = self._process.stderr
        if output is None:
            return ""
        os.set_blocking(output.fileno(), False)
        return (output.read(64 * 1024) or b"")[-COMPLAINT_BYTES:].decode(errors="replace").strip()


def kill_children(pid: int) -> None:
    """Kill the direct children of a process, if there are any left."""
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)
