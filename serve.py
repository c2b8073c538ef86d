"""Starts a process of the product, with the same flags wherever it runs.

    python -m serve web [HOST:PORT] | worker | clock | messaging | migrate
    python -m serve account show ada@example.org        (as `make account`, see there)
    python -m serve audit

The embedded stack, compose.yaml and production all start it by these words. A process replaces this
one, so that signals reach it.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

PYTHON = (sys.executable, "-m")
# In a container, whose own network it is.
EVERYWHERE = "0.0.0.0:8000"
# Each is a greenlet; most are event streams, which wait.
CONNECTIONS = 12_000
WORKER_THREADS = 8
# Longer than a load balancer's own (60 s on AWS), or it would call on a connection that just ends.
KEEP_ALIVE_SECONDS = 75
OPEN_REQUESTS_SECONDS = 20
# In memory: gunicorn's heartbeat would wait for a busy disk.
HEARTBEATS_DIR = "/dev/shm"  # noqa: S108  # a name of its own in it


def web(
    bind: str = EVERYWHERE,
    *,
    open_requests_seconds: int = OPEN_REQUESTS_SECONDS,
    keep_alive_seconds: int = KEEP_ALIVE_SECONDS,
) -> tuple[str, ...]:
    """Return the command of the website; once told to stop, it lets requests end for so long."""
    heartbeats = ("--worker-tmp-dir", HEARTBEATS_DIR) if Path(HEARTBEATS_DIR).is_dir() else ()
    return (
        *(*PYTHON, "gunicorn", "--worker-class", "gevent", "--workers", "1"),
        *("--worker-connections", str(CONNECTIONS), "--bind", bind),
        *("--keep-alive", str(keep_alive_seconds)),
        *("--graceful-timeout", str(open_requests_seconds)),
        # Its place in the home folder would be shared by every instance.
        *("--no-control-socket", *heartbeats, "wsgi:app"),
    )


def worker() -> tuple[str, ...]:
    """Return the command of a worker: one process that has cells."""
    threads = ("--processes", "1", "--threads", str(WORKER_THREADS))
    return (*PYTHON, "dramatiq", "tasks.worker.main", *threads)


def clock() -> tuple[str, ...]:
    """Return the command of the clock."""
    return (*PYTHON, "tasks.scheduler")


def messaging() -> tuple[str, ...]:
    """Return the command of the process for users' messengers."""
    return (*PYTHON, "tasks.messaging")


def migrate() -> tuple[str, ...]:
    """Return the command that brings the database to the newest shape."""
    return (*PYTHON, "alembic", "upgrade", "head")


PROCESSES: dict[str, Callable[..., tuple[str, ...]]] = {
    "web": web,
    "worker": worker,
    "clock": clock,
    "messaging": messaging,
    "migrate": migrate,
}
# What somebody runs by hand where there are images and no `make`; they end by themselves.
BY_HAND = {"account": "tasks.cli.accounts", "audit": "tasks.audits"}


def main() -> int:
    """Become the process that the first argument names."""
    name, *given = sys.argv[1:] or [""]
    command: tuple[str, ...] | None = None
    if name in BY_HAND:
        command = (*PYTHON, BY_HAND[name], *given)
    elif name in PROCESSES and len(given) <= (name == "web"):
        command = PROCESSES[name](*given)
    if command:
        os.execv(command[0], command)  # noqa: S606  # the whole point
    sys.stderr.write(f"Name one of: {', '.join((*PROCESSES, *BY_HAND))}.\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
