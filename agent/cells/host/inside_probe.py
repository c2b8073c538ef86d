"""Looks around from inside of a cell's walls, and attacks what must be out of reach there.

The launcher runs it behind the walls, with the standard library alone; `attacks` judges what it
says. In a jail there is no /proc: what can be asked of the kernel itself is asked so.
"""

import ctypes
import errno
import hashlib
import json
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

DONE = "done"
CLONE_NEWUSER = 0x10000000
PR_GET_SECCOMP, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS = 21, 23, 39
PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET = 47, 1
CAPABILITIES_VERSION = 0x20080522
LOOPBACK_SECONDS = 2
# What sockets a cell may not open, and could do much with: (family, type, protocol).
SOCKETS = {
    "tcp": (socket.AF_INET, socket.SOCK_STREAM, 0),
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
# Where AWS and others hand out keys to whatever can ask, and a database in a private network.
ADDRESSES = {
    "the task's metadata": ("169.254.170.2", 80),
    "the machine's metadata": ("169.254.169.254", 80),
    "a private network": ("10.0.0.1", 5432),
}
IPV6_METADATA = ("fd00:ec2::254", 80)
PUBLIC_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  # this is about them

Aims = dict[str, Any]
Work = Callable[[], object]

_libc = ctypes.CDLL(None, use_errno=True)


def look(words: list[str]) -> dict[str, Any]:
    """Tell what is seen, and of everything tried DONE or why it was refused.

    The one word is JSON, as `attacks.Scene` makes it: who and what is to be attacked.
    """
    aims = json.loads(words[0])
    tried = {name: _try(_call(number)) for name, number in aims["calls"].items()}
    tried |= {f"socket {name}": _try(_open(*kind)) for name, kind in SOCKETS.items()}
    tried |= {f"write {path}": _try(_writing(path)) for path in aims["writes"]}
    tried["clone into a user namespace"] = _try(lambda: _new_user_namespace(aims["clone"]))
    attacks = {**_on_files(aims), **_on_sockets(aims), **_on_networks(aims), **_on_processes(aims)}
    tried |= {name: _try(work) for name, work in attacks.items()}
    return {
        "uids": os.getresuid(),
        "gids": os.getresgid(),
        "groups": os.getgroups(),
        "status": _status(),
        "namespaces": {name: _namespace(name) for name in NAMESPACES},
        "interfaces": _interfaces(),
        "environments": _environments(),
        "tried": tried,
    }


def _try(work: Work) -> str:
    try:
        work()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return DONE


def _on_files(aims: Aims) -> dict[str, Work]:
    theirs, link = aims["file"], "link"
    attacks: dict[str, Work] = {
        "read another cell's file": lambda: Path(theirs).read_bytes(),
        "follow a link to another cell's file": lambda: _through_link(theirs, link),
        "give another cell's file a second name": lambda: os.link(theirs, "second"),
        "list another cell's folder": lambda: _list(Path(theirs).parent),
        "list the cells": lambda: _list(Path(aims["cells"])),
        "list its own listeners": lambda: _list(Path(aims["listeners"])),
        "read the worker's code": lambda: Path(aims["code"]).read_bytes(),
        "read the system's passwords": lambda: Path("/etc/shadow").read_bytes(),
    }
    for folder in PUBLIC_FOLDERS:
        name = f"leave a file in {folder}"
        attacks[name] = _writing(f"{folder}/{aims['token']}")
    return attacks


def _on_sockets(aims: Aims) -> dict[str, Work]:
    return {
        "call another cell's gateway": lambda: _unix(aims["gateway"]),
        "call another cell's meter": lambda: _unix(aims["meter"]),
        "call a socket that has no path": lambda: _unix(f"\0{aims['abstract']}"),
        "take a name that others could call": lambda: _named(f"\0{aims['token']}"),
        "have the kernel name a socket": _named_by_option,
    }


def _on_networks(aims: Aims) -> dict[str, Work]:
    attacks: dict[str, Work] = {
        "connect to a database on this machine": lambda: _tcp("127.0.0.1", aims["port"]),
        "connect to this machine over IPv6": lambda: _sent(socket.AF_INET6, ("::1", aims["port"])),
        "connect to metadata over IPv6": lambda: _sent(socket.AF_INET6, IPV6_METADATA),
    }
    for name, address in ADDRESSES.items():
        attacks[f"connect to {name}"] = lambda address=address: _sent(socket.AF_INET, address)
    return attacks


def _on_processes(aims: Aims) -> dict[str, Work]:
    pid = aims["pid"]
    if pid is None:
        return {}
    return {
        "signal the worker": lambda: os.kill(pid, 0),
        "read the worker's command line": lambda: Path(f"/proc/{pid}/cmdline").read_bytes(),
        "read the worker's memory": lambda: Path(f"/proc/{pid}/mem").open("rb").close(),
        "see the worker's files": lambda: _list(Path(f"/proc/{pid}/root")),
        "take the worker's limits": lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE),
        "move the worker": lambda: os.sched_setaffinity(pid, os.sched_getaffinity(0)),
        "slow the worker": lambda: os.setpriority(os.PRIO_PROCESS, pid, 1),
        "tell whether a process exists": lambda: os.getpriority(os.PRIO_PROCESS, pid),
    }


def _call(number: int) -> Work:
    """Make the call with what none takes: where it exists, it says something else than ENOSYS."""

    def _made() -> None:
        if _libc.syscall(ctypes.c_long(number), ctypes.c_long(-1), 0, 0, 0, 0, 0) < 0:
            raise OSError(ctypes.get_errno(), "refused")

    return _made


def _open(family: int, kind: int, protocol: int) -> Work:
    return lambda: socket.socket(family, kind, protocol).close()


def _writing(path: str) -> Work:
    return lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _list(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _through_link(target: str, link: str) -> None:
    with suppress(FileNotFoundError):
        Path(link).unlink()
    Path(link).symlink_to(target)
    Path(link).read_bytes()


def _unix(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as call:
        call.settimeout(LOOPBACK_SECONDS)
        call.connect(address)


def _named(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as named:
        named.bind(address)


def _named_by_option() -> None:
    with socket.socket(socket.AF_UNIX) as named:
        named.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def _tcp(host: str, port: int) -> None:
    # Not by a helper of Python's, which would import more, and here it cannot.
    with socket.socket() as call:
        call.settimeout(LOOPBACK_SECONDS)
        call.connect((host, port))


def _sent(family: int, address: tuple[str, int]) -> None:
    """Send off the first packet of a connection; whether anybody answers is another matter."""
    with socket.socket(family) as call:
        call.settimeout(0)
        with suppress(BlockingIOError):
            call.connect(address)


def _new_user_namespace(clone: int) -> None:
    flags = ctypes.c_ulong(CLONE_NEWUSER | signal.SIGCHLD)
    child = _libc.syscall(ctypes.c_long(clone), flags, None, None, None, None)
    if child < 0:
        raise OSError(ctypes.get_errno(), "refused")
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _status() -> dict[str, str]:
    """Tell the rights of this process, in the words of /proc/self/status."""
    head = struct.pack("=II", CAPABILITIES_VERSION, 0)
    data = ctypes.create_string_buffer(24)
    if _libc.capget(head, data) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    low, high = struct.unpack("=3I3I", data.raw)[:3], struct.unpack("=3I3I", data.raw)[3:]
    held = [one | other << 32 for one, other in zip(low, high, strict=True)]
    names = ("CapEff", "CapPrm", "CapInh")
    found = {name: f"{value:016x}" for name, value in zip(names, held, strict=True)}
    found["CapBnd"] = f"{_capabilities(PR_CAPBSET_READ):016x}"
    found["CapAmb"] = f"{_capabilities(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET):016x}"
    found["NoNewPrivs"] = str(_prctl(PR_GET_NO_NEW_PRIVS))
    found["Seccomp"] = str(_prctl(PR_GET_SECCOMP))
    return found


def _capabilities(*question: int) -> int:
    """Ask for each capability that the kernel has, and return those that are there as bits."""
    return sum(1 << capability for capability in range(64) if _prctl(*question, capability) == 1)


def _prctl(*words: int) -> int:
    given = [*words, 0, 0, 0, 0, 0][:5]
    return _libc.prctl(given[0], *(ctypes.c_ulong(word) for word in given[1:]))


def _namespace(name: str) -> str:
    try:
        return str(Path("/proc/self/ns", name).readlink())
    except OSError:
        return ""


def _interfaces() -> list[str]:
    # Below two lines of headings. No other encoding: behind the walls Python can import no more.
    try:
        lines = Path("/proc/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    except OSError:
        return []
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
