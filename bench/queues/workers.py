"""What every worker process of a queue does alike: say that it is ready, and when a job starts."""

import os
import sys
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Given:
    """What a worker process is started with: `MODULE DATABASE_URL REDIS_URL SLOTS MARKS`."""

    database_url: str
    redis_url: str
    # How many jobs it may have at once.
    slots: int
    # Whether to print when each job starts.
    has_marks: bool

    @classmethod
    def of_this_process(cls) -> "Given":
        database_url, redis_url, slots, marks = sys.argv[1:]
        return cls(database_url, redis_url, int(slots), marks == "marks")


def mark(given: Given, message_id: str) -> None:
    """Say that the job of this message has started."""
    if given.has_marks:
        # In one piece: threads do so at once.
        sys.stdout.write(f"{message_id} {time.monotonic()}\n")
        sys.stdout.flush()


def say_ready() -> None:
    print("ready", flush=True)


def until_told() -> None:
    """Return when the process that started us closes our input."""
    sys.stdin.read()


def end_when_told() -> None:
    """End this process when its starter closes our input: for loops that know no other end."""

    def _end() -> None:
        until_told()
        sys.stdout.flush()
        os._exit(0)

    threading.Thread(target=_end, daemon=True).start()
