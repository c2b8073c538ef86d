"""One program that is kept running: how it starts, is found ready, restarts and stops."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from embedded.account import Account
from embedded.console import Console
from embedded.errors import CannotStart, in_one_sentence
from embedded.processes import Recorded, start_time

PDEATHSIG_LAUNCHER = Path(__file__).with_name("pdeathsig_launcher.py")
FIRST_DELAY_SECONDS = 1.0
MAX_DELAY_SECONDS = 30.0
# Whoever ran this long has recovered: the next crash counts as a first one.
STEADY_SECONDS = 60.0
REPEATED_CRASHES = 4
HURRIED_SECONDS = 1.0
PUMP_SECONDS = 0.5
WORDS_SHOWN = 6


@dataclass(frozen=True)
class Program:
    """What to run, and how to tell that it works and how to end it."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    is_ready: Callable[[], bool] = field(default=lambda: True)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    # Its lines go to its file only; the terminal hears when it ends.
    is_quiet: bool = False
    # Ending with 0 means that its work is done; it is not started again.
    is_task: bool = False
    inherits: tuple[int, ...] = ()


class Process:
    """A program and the process that runs it now. Only the supervisor's thread calls `tick`."""

    def __init__(self, program: Program, console: Console) -> None:
        self.program = program
        self.crashes = 0
        self.is_done = False
        self.record: Recorded | None = None
        self._console = console
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restart_at = 0.0
        self._is_stopped = False
        self._reader: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def pid(self) -> int | None:
        """The process that runs now, None between a crash and the restart."""
        return self._process.pid if self._process is not None else None

    def tick(self) -> bool:
        """Start, restart or bury the process as its time has come; True when that changed it."""
        if self._is_stopped or self.is_done:
            return False
        if self._process is None:
            return time.monotonic() >= self._restart_at and self._start()
        if self._process.poll() is None:
            return False
        self._bury(self._process)
        return True

    def kill(self) -> None:
        """Kill the process and its whole group at once, as an accident would."""
        if self._process is not None:
            _kill_group(self._process.pid, signal.SIGKILL)

    def stop(self, haste: threading.Event) -> None:
        """End the process: ask, wait, then kill. `haste` shortens the wait to a second."""
        self._is_stopped = True
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.program.stop_signal)
        began = time.monotonic()
        while process.poll() is None and not self._is_over(began, haste):
            time.sleep(0.02)
        if process.poll() is None and not haste.is_set():
            self._console.say(f"{self.name} did not stop in time and is killed")
        _kill_group(process.pid, signal.SIGKILL)
        process.wait()
        self._process, self.record = None, None

    def last_words(self) -> str:
        """Return its latest lines, for a sentence about why it ended."""
        return " / ".join(self._console.last_lines(self.name, WORDS_SHOWN)) or "it said nothing"

    def _start(self) -> bool:
        try:
            self._process = self._spawn(self.program)
        except OSError as trouble:
            self._note_crash(in_one_sentence(trouble))
            return True
        pid = self._process.pid
        self._started_at = time.monotonic()
        self.record = Recorded(self.name, pid, start_time(pid) or "", int(self.program.stop_signal))
        self._reader = threading.Thread(
            target=self._commit_loop, args=(self._process,), daemon=True
        )
        self._reader.start()
        return True

    @staticmethod
    def _spawn(program: Program) -> subprocess.Popen[bytes]:
        account = program.account
        ids = (account.uid, account.gid) if account else (-1, -1)
        numbers = (os.getpid(), int(program.stop_signal), *ids)
        launcher = [
            sys.executable,
            "-I",
            "-S",
            str(PDEATHSIG_LAUNCHER),
            *(str(number) for number in numbers),
        ]
        return subprocess.Popen(
            [*launcher, *program.command],
            cwd=program.directory,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A Ctrl-C at the terminal is for the supervisor, who then stops all in order.
            start_new_session=True,
            pass_fds=program.inherits,
        )

    def _commit_loop(self, process: subprocess.Popen[bytes]) -> None:
        """Pass its lines on until it closes its end."""
        if process.stdout is None:
            return
        for line in process.stdout:
            words = line.decode(errors="replace").rstrip()
            if words:
                self._console.line(self.name, words, is_shown=not self.program.is_quiet)
        process.stdout.close()

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        # What the dead one started must not work on beside its successor.
        _kill_group(process.pid, signal.SIGKILL)
        if self._reader is not None:
            # Its last words say why it ended.
            self._reader.join(PUMP_SECONDS)
        self._process, self.record = None, None
        if process.returncode == 0 and self.program.is_task:
            self.is_done = True
            return
        if time.monotonic() - self._started_at > STEADY_SECONDS:
            self.crashes = 0
        code = process.returncode
        self._note_crash(f"was ended by {_signal_name(-code)}" if code < 0 else f"ended ({code})")

    def _note_crash(self, how: str) -> None:
        self.crashes += 1
        delay = min(FIRST_DELAY_SECONDS * 2 ** (self.crashes - 1), MAX_DELAY_SECONDS)
        self._restart_at = time.monotonic() + delay
        self._console.say(f"{self.name} {how}; starting it again in {delay:.0f} s")
        if self.program.is_quiet:
            self._console.say(f"{self.name} last said: {self.last_words()}")
        if self.crashes >= REPEATED_CRASHES:
            self._console.say(
                f"{self.name} ended {self.crashes} times in a row; what it said is in "
                f"{self._console.file_of(self.name)}"
            )

    def _is_over(self, began: float, haste: threading.Event) -> bool:
        patience = self.program.stop_seconds
        if haste.is_set():
            patience = min(HURRIED_SECONDS, patience)
        return time.monotonic() - began > patience


def wait_ready(child: Process, seconds: float) -> None:
    """Wait until a program works. Raises CannotStart when it ends first or takes too long."""
    deadline = time.monotonic() + seconds
    while not child.program.is_ready():
        if child.crashes:
            raise CannotStart(f"{child.name} could not start: {child.last_words()}")
        if time.monotonic() > deadline:
            raise CannotStart(
                f"{child.name} was not ready within {seconds:.0f} s: {child.last_words()}"
            )
        time.sleep(0.05)


def wait_done(child: Process, seconds: float) -> None:
    """Wait until a task has done its work. Raises CannotStart when it fails or takes too long."""
    deadline = time.monotonic() + seconds
    while not child.is_done:
        if child.crashes:
            raise CannotStart(f"{child.name} failed: {child.last_words()}")
        if time.monotonic() > deadline:
            raise CannotStart(f"{child.name} took longer than {seconds:.0f} s.")
        time.sleep(0.02)


def _kill_group(pid: int, number: signal.Signals) -> None:
    # Each program leads a group of its own, so this reaches what it started too.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
