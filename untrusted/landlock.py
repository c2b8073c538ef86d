"""Closes the file system to a process by Landlock, where the kernel has it.

The launcher loads it by its path, so it knows the standard library alone. It only ever takes rights
away: where the kernel lacks it, or some of it, the other walls stand by themselves.
"""

import ctypes
import os
import platform
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

# The same numbers on both machines.
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
MACHINES = ("x86_64", "aarch64")
ASK_VERSION = 1
RULE_PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
# How many rights to files each version of Landlock knows.
RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
RIGHTS_OF_LATER = 16
# From the fourth version on it closes TCP, from the sixth on other domains' abstract sockets and
# signals to processes outside.
NETWORK_SINCE, BIND_AND_CONNECT_TCP = 4, 3
SCOPES_SINCE, ABSTRACT_SOCKETS_AND_SIGNALS = 6, 3
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return which version of Landlock the kernel has; 0 for none, or none that may be used."""
    if platform.machine() not in MACHINES:
        return 0
    return max(0, _libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def restrict(readable: Iterable[str], writable: Iterable[str]) -> int:
    """Leave this process and its children nothing but these folders and files.

    What is readable may be run too, what is writable may not. TCP, abstract sockets of others and
    signals to others are closed as far as the kernel's version can. New privileges must have been
    refused before. Returns the version in use; 0 where there is none, and then nothing has changed.
    Raises OSError where a path is missing or the kernel refuses.
    """
    known = version()
    if known == 0:
        return 0
    every = (1 << RIGHTS_OF_VERSION.get(known, RIGHTS_OF_LATER)) - 1
    ruleset = _ruleset(known, every)
    try:
        for path in readable:
            _allow(ruleset, path, (EXECUTE | READ_FILE | READ_DIR) & every)
        for path in writable:
            _allow(ruleset, path, every & ~EXECUTE)
        _checked(_libc.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint(0)))
    finally:
        os.close(ruleset)
    return known


def _ruleset(known: int, every: int) -> int:
    words = [every]
    if known >= NETWORK_SINCE:
        words.append(BIND_AND_CONNECT_TCP)
    if known >= SCOPES_SINCE:
        words.append(ABSTRACT_SOCKETS_AND_SIGNALS)
    asked = struct.pack(f"={len(words)}Q", *words)
    size = ctypes.c_size_t(len(asked))
    return _checked(_libc.syscall(CREATE_RULESET, asked, size, ctypes.c_uint(0)))


def _allow(ruleset: int, path: str, rights: int) -> None:
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(Path(path).stat().st_mode):
            rights &= OF_A_FILE
        rule = struct.pack("=Qi", rights, found)
        _checked(_libc.syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, rule, ctypes.c_uint(0)))
    finally:
        os.close(found)


def _checked(returned: int) -> int:
    if returned < 0:
        raise OSError(ctypes.get_errno(), "Landlock refused")
    return returned
