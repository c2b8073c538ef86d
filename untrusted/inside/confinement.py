"""The walls that a helper builds around itself, once it has loaded what it needs.

Where bubblewrap started it, it is in namespaces of its own already. Elsewhere it takes what the
system gives: namespaces, an empty root, an unprivileged uid. The limits are there in any case.
"""

import ctypes
import os
import resource
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
LAST_CAP = 63
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
M_ARENA_MAX = -8
CAPABILITY_VERSION_3 = 0x20080522
# Holds nothing but numbers of this process: as a root it leads nowhere.
NOWHERE = "/proc/self/fdinfo"
OPEN_FILES = 32
# The kernel, when memory runs out, takes a helper before anything else.
OOM_SCORE = "1000"

libc = ctypes.CDLL(None, use_errno=True)


def confine(order: Mapping[str, Any]) -> dict[str, Any]:
    """Lock this process in for good; return what it then sees of its walls, for the log."""
    # Refused where /proc is not ours to write to.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")
    os.nice(order["niceness"])
    has_own_root = order["has_namespaces"] or _leave_the_system()
    is_counted_alone = order["has_namespaces"] or order["uid"] != os.getuid()
    _limit(order["memory_bytes"], order["threads"], is_counted_alone=is_counted_alone)
    _drop_rights(order["uid"])
    return {
        "uid": os.getuid(),
        "no_new_privs": libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
        "networks": sorted(name for _, name in socket.if_nameindex()),
        "has_own_root": has_own_root,
    }


def _leave_the_system() -> bool:
    """Take namespaces and an empty root, as far as the system lets us."""
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET
    libc.unshare(flags if os.geteuid() == 0 else flags | CLONE_NEWUSER)
    try:
        os.chroot(NOWHERE)
    except OSError:
        return False
    os.chdir("/")
    return True


def _limit(memory_bytes: int, threads: int, *, is_counted_alone: bool) -> None:
    # A further heap for each thread would take most of the memory in advance.
    libc.mallopt(M_ARENA_MAX, 1)
    limits = {
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    # Where the uid is one of many things', those would be counted too. Root is not held by it.
    if is_counted_alone or not threads:
        limits[resource.RLIMIT_NPROC] = threads
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))


def _drop_rights(uid: int) -> None:
    """Give up every right that there is to give up; the order matters."""
    for capability in range(LAST_CAP + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if uid != os.getuid():
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    libc.capset((ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)())
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Not to be read by what else has this uid.
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    # After the change of uid, which would clear it.
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
