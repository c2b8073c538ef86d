"""The life of a helper: it loads what its lane needs, locks itself in, and does job after job."""

import gc
import math
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from untrusted import framing
from untrusted.inside.confinement import confine
from untrusted.seccomp import HELPERS, install, program

# Where each lane's work is: modules with a WORK.
WORK_OF = {
    "texts": "untrusted.inside.text_work",
    "files": "untrusted.inside.file_work",
    "pages": "untrusted.inside.page_work",
}

Work = Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]]


def serve(order: Mapping[str, Any]) -> None:
    """Do the jobs that come in over the inherited socket, until the other side closes it."""
    channel = socket.socket(fileno=order["channel"])
    # Under gevent the other side made it not to.
    channel.settimeout(None)
    # All that jobs import is imported here: afterwards there may be no files to import from, and
    # nobody waits for it.
    work: Mapping[str, Work] = import_module(WORK_OF[order["lane"]]).WORK
    gc.collect()
    gc.freeze()
    quiet = os.open(os.devnull, os.O_WRONLY)
    # It is put together before the walls stand, from files that cannot be reached behind them.
    calls = program(HELPERS)
    seen = confine(order)
    # Nobody reads what parsers print, and it may be of what they read.
    os.dup2(quiet, 2)
    os.close(quiet)
    # From here on it reads, computes, and talks over its socket.
    install(calls)
    framing.send(channel, seen, b"")
    while True:
        try:
            job, body = framing.receive(channel, most_bytes=order["input_bytes"])
        except EOFError:
            return
        if not _do(channel, work[job["kind"]], job, body):
            return
        if not gc.isenabled():
            gc.collect()


def _do(channel: socket.socket, work: Work, job: dict[str, Any], body: bytes) -> bool:
    """Do one job; tell whether this process may be trusted with another."""
    _limit_cpu(job["cpu_seconds"])
    try:
        note, made = work(job, body)
    # A parser raises whatever it likes on hostile input, and this is where it ends.
    except BaseException as error:  # noqa: BLE001
        framing.send(channel, {"error": type(error).__name__}, b"")
        return False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    framing.send(channel, note, made)
    return True


def _limit_cpu(seconds: float) -> None:
    """Let the kernel end this process once the job has had its time of the processor.

    The timer is exact; the limit, in whole seconds, stands behind it.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time() + seconds), hard))
