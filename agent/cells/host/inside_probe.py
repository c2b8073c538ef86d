"""Looks around from inside of a cell's walls, and tries what must not work there.

The launcher runs it behind the walls, with the standard library alone; `probe` judges what it
says.
"""

import ctypes
import errno
import hashlib
import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

DONE = "done"
CLONE_NEWUSER = 0x10000000
# What sockets a cell may not open, and could do much with: (family, type, protocol).
SOCKETS = {
    "udp": (socket.AF_INET, socket.SOCK_DGRAM, 0),
    "sctp": (socket.AF_INET, socket.SOCK_STREAM, 132),
    "raw": (socket.AF_INET, socket.SOCK_RAW, 1),
    "inet6": (socket.AF_INET6, socket.SOCK_STREAM, 0),
    "netlink": (16, socket.SOCK_RAW, 0),
    "packet": (17, socket.SOCK_RAW, 0),
    "alg": (38, socket.SOCK_SEQPACKET, 0),
    "vsock": (40, socket.SOCK_STREAM, 0),
    "unix datagrams": (socket.AF_UNIX, socket.SOCK_DGRAM, 0),
}
NAMESPACES = ("pid", "mnt", "ipc", "uts", "net", "user")

_libc = ctypes.CDLL(None, use_errno=True)


def look(words: list[str]) -> dict[str, Any]:
    """Tell what is seen, and of everything tried DONE or why it was refused.

    The one word is JSON: the numbers of system calls by name ("calls"), folders that must be closed
    ("folders") and files that must not be writable ("writes").
    """
    aims = json.loads(words[0])
    tried = {name: _try(_call(number)) for name, number in aims["calls"].items()}
    tried |= {f"socket {name}": _try(_open(*kind)) for name, kind in SOCKETS.items()}
    tried |= {f"list {path}": _try(_listing(path)) for path in aims["folders"]}
    tried |= {f"write {path}": _try(_writing(path)) for path in aims["writes"]}
    tried["clone into a user namespace"] = _try(lambda: _new_user_namespace(aims["clone"]))
    return {
        "uids": os.getresuid(),
        "gids": os.getresgid(),
        "groups": os.getgroups(),
        "status": dict(_status()),
        "namespaces": {name: _namespace(name) for name in NAMESPACES},
        "interfaces": _interfaces(),
        "environments": _environments(),
        "tried": tried,
    }


def _try(work: Callable[[], object]) -> str:
    try:
        work()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return DONE


def _call(number: int) -> Callable[[], None]:
    """Make the call with what none takes: where it exists, it says something else than ENOSYS."""

    def _made() -> None:
        if _libc.syscall(ctypes.c_long(number), ctypes.c_long(-1), 0, 0, 0, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    return _made


def _open(family: int, kind: int, protocol: int) -> Callable[[], None]:
    return lambda: socket.socket(family, kind, protocol).close()


def _listing(path: str) -> Callable[[], object]:
    return lambda: list(Path(path).iterdir())


def _writing(path: str) -> Callable[[], object]:
    return lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _new_user_namespace(clone: int) -> None:
    flags = ctypes.c_ulong(CLONE_NEWUSER | signal.SIGCHLD)
    child = _libc.syscall(ctypes.c_long(clone), flags, None, None, None, None)
    if child < 0:
        raise OSError(ctypes.get_errno(), "refused")
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _status() -> list[tuple[str, str]]:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _namespace(name: str) -> str:
    return str(Path("/proc/self/ns", name).readlink())


def _interfaces() -> list[str]:
    # Below two lines of headings. No other encoding: behind the walls Python can import no more.
    lines = Path("/proc/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    return [line.partition(":")[0].strip() for line in lines]


def _environments() -> list[str]:
    """Fingerprint the environment of every process whose environment can be read."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.append(hashlib.sha256((process / "environ").read_bytes()).hexdigest())
        except OSError:
            continue
    return found
