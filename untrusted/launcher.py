"""Becomes a program that has no rights but the given ones.

Run by its path, with the standard library alone, as it also runs where the product is not:

    python -I -S launcher.py PLAN PROGRAM [ARGUMENT …]

PLAN is JSON: {"limits": {"NOFILE": 4096}, "uid": 64000 or null, "filter": "/etc/calls.bpf"}. A plan
with a "jail" goes into a root of its own as well: {"root": "/jail", "folder": "/cells/1/state",
"readable": ["/opt"], "writable": ["/cells/1/state"]}, all but the root as seen from inside of it.
With `--look FILE` as the first word of the program it runs `look(words)` of that file instead,
behind the same walls, and prints what that returns, as JSON.
"""

import ctypes
import importlib.util
import json
import os
import platform
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

PR_SET_PDEATHSIG = 1
PR_CAPBSET_READ, PR_CAPBSET_DROP = 23, 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
# The `seccomp` call, which can bring all threads of a process under the filter at once.
SECCOMP = {"x86_64": 317, "aarch64": 277}
SET_MODE_FILTER, FOR_ALL_THREADS = 1, 1
CAPABILITIES_VERSION = 0x20080522
INSTRUCTION_BYTES = 8
LOOK = "--look"
LANDLOCK = "landlock.py"
# Where memory runs out, the kernel ends a jailed cell before the worker.
OOM_SCORE = 500
# What Python itself may add to its environment at its start.
ADDED = "LC_CTYPE"

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install(program: bytes) -> None:
    """Let this process, all its threads and its children, make only calls that `program` allows.

    There is no way back, and no new privileges can be had any more. Raises OSError where the kernel
    or a container does not allow it.
    """
    refuse_new_privileges()
    held = _Program(len(program) // INSTRUCTION_BYTES, program)
    call = ctypes.c_long(SECCOMP[platform.machine()])
    left = _libc.syscall(call, SET_MODE_FILTER, FOR_ALL_THREADS, ctypes.byref(held))
    if left != 0:
        # More than zero is a thread that could not be brought under it.
        raise OSError(ctypes.get_errno(), f"the filter of system calls was refused ({left})")


def refuse_new_privileges() -> None:
    """Let no program that is run from now on give this process more rights than it has."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def become(uid: int) -> None:
    """Take `uid` as the only user and group, and give up every capability. Needs to be root."""
    os.setgroups([])
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    capability = 0
    while _libc.prctl(PR_CAPBSET_READ, ctypes.c_ulong(capability), 0, 0, 0) >= 0:
        _prctl(PR_CAPBSET_DROP, capability)
        capability += 1
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def drop_capabilities() -> None:
    """Give up what is held, what is allowed and what would be handed on."""
    head = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if _libc.capset(head, nothing) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities could not be dropped")


def enter(root: str) -> None:
    """Let `root` be all that there is of the file system. Needs to be root, as the user.

    No descriptor of a folder outside may be open, or it leads out again.
    """
    # What asks for the score to be raised may be read-only in a container.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
    os.chroot(root)
    os.chdir("/")


def close_files(landlock: ModuleType, jail: dict[str, Any]) -> None:
    """Go to the jail's folder, leave only its files in reach, and end with the parent."""
    os.umask(0o077)
    os.chdir(jail["folder"])
    # Not before: the kernel forgets it when the user changes.
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    refuse_new_privileges()
    landlock.restrict(jail["readable"], jail["writable"])


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    # Where less is allowed already, more cannot be had.
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _prctl(option: int, *words: int) -> None:
    given = [*words, 0, 0, 0, 0][:4]
    if _libc.prctl(option, *(ctypes.c_ulong(word) for word in given)) < 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} was refused")


def _load(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location("looking", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(plan: dict[str, Any], program: list[str]) -> None:
    """Go behind the walls of `plan`, in an order that works, and become `program`."""
    # Read while it can be: behind the walls these files may be out of reach.
    calls = Path(plan["filter"]).read_bytes()
    looking = _load(program[1]) if program[0] == LOOK else None
    jail: dict[str, Any] | None = plan.get("jail")
    landlock = _load(str(Path(__file__).with_name(LANDLOCK))) if jail else None
    if jail:
        enter(jail["root"])
    for name, most in plan["limits"].items():
        _limit(getattr(resource, f"RLIMIT_{name}"), most)
    if plan["uid"] is not None:
        become(plan["uid"])
    drop_capabilities()
    if jail and landlock:
        close_files(landlock, jail)
    install(calls)
    if looking is not None:
        sys.stdout.write(json.dumps(looking.look(program[2:])))
        sys.stdout.flush()
        return
    own = {name: value for name, value in os.environ.items() if name != ADDED}  # noqa: TID251
    os.execve(program[0], program, own)  # noqa: S606  # the whole point


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
