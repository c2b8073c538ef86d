"""Runs the whole product on this machine until it is told to stop (`make run`).

    PORT=8000 DATA_DIR=.data python -m embedded

The first Ctrl-C (or SIGTERM) stops everything in order; a second one hurries.
"""

import argparse
import signal
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

from embedded.console import standard_output
from embedded.engine import PROJECT_DIR
from embedded.environ import environ
from embedded.errors import CannotStart, in_one_sentence
from embedded.stack import Stack

DEFAULT_PORT = "8000"
DEFAULT_DATA_DIR = ".data"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedEarly(Exception):
    """A signal came while the stack was starting."""


class Ending:
    """What stop signals do: the first ends the run, each later one hurries its end.

    While the stack `is_starting`, the first raises StoppedEarly in the main thread.
    """

    def __init__(self, stack: Stack) -> None:
        self.asked = threading.Event()
        self.is_starting = True
        self._stack = stack
        # A handler runs in the middle of whatever its thread does. A lock that it waited for may be
        # held by that thread, an Event's too; putting into this kind of queue waits for none.
        self._signals: SimpleQueue[int] = SimpleQueue()
        threading.Thread(target=self._follow, name="signals", daemon=True).start()

    def ask(self, number: int, _frame: object) -> None:
        """Handle a signal."""
        self._signals.put(number)
        if self.is_starting:
            self.is_starting = False
            raise StoppedEarly

    def _follow(self) -> None:
        self._signals.get()
        self.asked.set()
        while self._signals.get():
            self._stack.console.say("stopping at once")
            self._stack.supervisor.haste.set()


def main() -> int:
    """Run until stopped and return the exit code: 0 after a stop that was asked for."""
    argparse.ArgumentParser(
        prog="embedded", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    given = environ()
    try:
        port = _port(given.get("PORT") or DEFAULT_PORT)
        _run(PROJECT_DIR / (given.get("DATA_DIR") or DEFAULT_DATA_DIR), port)
    except StoppedEarly:
        return 0
    except CannotStart as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise CannotStart(f"PORT must be a number up to 65535, not {text!r}.")
    return int(text)


def _run(data_dir: Path, port: int) -> None:
    stack = Stack(data_dir, port=port, stream=standard_output())
    ending = Ending(stack)
    for wanted in STOP_SIGNALS:
        signal.signal(wanted, ending.ask)
    with stack:
        ending.is_starting = False
        ending.asked.wait()
    stack.console.say("everything has stopped")


if __name__ == "__main__":
    sys.exit(main())
