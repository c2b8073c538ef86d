"""Keeps children running in a thread of its own, and stops them in order."""

import threading

from embedded.console import Console
from embedded.data_folder import DataFolder
from embedded.errors import in_one_sentence
from embedded.process import Process, Program
from embedded.processes import end_recorded, write_records

TICK_SECONDS = 0.05


class Supervisor:
    """Starts programs, restarts those that end, and ends them all.

    One thread does every start, for as long as the supervisor lives: the system ties a child to the
    thread that started it, not to the process.
    """

    def __init__(self, folder: DataFolder, console: Console) -> None:
        self.console = console
        self.haste = threading.Event()
        self._folder = folder
        self._children: list[Process] = []
        self._lock = threading.Lock()
        self._order: tuple[str, ...] = ()
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def open(self) -> None:
        """End what a killed supervisor left on this folder; from then on, keep."""
        for name in end_recorded(self._folder.processes):
            self.console.say(f"ended {name}, left over from a run that was killed")
        self._thread.start()

    def start(self, program: Program) -> Process:
        """Have a program run from now on; returns at once."""
        child = Process(program, self.console)
        with self._lock:
            self._children.append(child)
        return child

    def child(self, name: str) -> Process:
        """Return the child of that name; KeyError when there is none."""
        return {child.name: child for child in self._all()}[name]

    def close(self, order: tuple[str, ...] = ()) -> None:
        """Stop all, one by one: first those in `order` (worker-2 is a worker), then others."""
        self._order = order
        self._is_stopping.set()
        # In slices, so that a signal's handler runs meanwhile (a second Ctrl-C hurries).
        while self._thread.is_alive():
            self._thread.join(0.1)
        self._folder.processes.unlink(missing_ok=True)

    def _run(self) -> None:
        while not self._is_stopping.wait(TICK_SECONDS):
            changed = [child for child in self._all() if child.tick()]
            if changed:
                self._record()
        # In this thread: the children would take its end for an accident.
        latest_first = self._all()[::-1]
        for child in sorted(latest_first, key=self._place):
            if child.pid is not None:
                self.console.say(f"stopping {child.name}")
            child.stop(self.haste)

    def _all(self) -> list[Process]:
        with self._lock:
            return list(self._children)

    def _record(self) -> None:
        running = [child.record for child in self._all() if child.record is not None]
        try:
            write_records(self._folder.processes, running)
        except OSError as trouble:
            self.console.say(in_one_sentence(trouble))

    def _place(self, child: Process) -> int:
        kind = child.name.partition("-")[0]
        return self._order.index(kind) if kind in self._order else len(self._order)
