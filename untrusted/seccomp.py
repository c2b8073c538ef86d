"""Builds filters of system calls: programs that the kernel asks about every call of a process.

A filter is an allow-list. What is not on it does not exist for the process (ENOSYS), as on a kernel
that is too old for it, so that libraries fall back to what is allowed. Of some calls only certain
arguments are allowed. A call by another architecture's numbers ends the process.
"""

import errno
import platform
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from untrusted.calls import CELL_CALLS, HELPER_CALLS, Machine, numbers
from untrusted.launcher import install

__all__ = ["CELLS", "HELPERS", "JAILED", "Rules", "install", "program"]

# What the kernel calls the machines.
AUDIT_ARCH: dict[Machine, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# On x86-64 these numbers are of x32, a second way to call everything.
X32 = 0x40000000
# Where the number, the architecture and the arguments are in what the kernel shows a filter; of an
# argument the lower half, which is all that the kernel itself looks at in those that matter here.
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, AND, RETURN = 0x20, 0x54, 0x06
IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT = 0x15, 0x35, 0x45
MOST_INSTRUCTIONS = 4096

# CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET.
NEW_NAMESPACES = 0x7E020000
CLONE_THREAD = 0x00010000
# O_WRONLY, O_RDWR, O_CREAT, O_TRUNC and what makes a file without a name.
OPEN_TO_WRITE = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000
OPEN_SOCKETS = frozenset({"socket", "socketpair"})
SOCKET_TYPE_MASK = 0xF
AF_UNIX, AF_INET = 1, 2
SOCK_STREAM = 1
# The default one of the family, and TCP.
PROTOCOLS = (0, 6)
# They type into a terminal, as if somebody sat there.
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
# SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD and SO_PASSRIGHTS: each gives a unix socket without a name
# one that others can call.
SOL_SOCKET = 1
NAMING_OPTIONS = (16, 34, 76, 83)


@dataclass(frozen=True)
class Rules:
    """What a process may do: the calls by name, and what is asked about their arguments.

    `families` are those of the sockets that it may open, streams only; without any it opens none.
    `names_sockets` tells whether it may give them an address, which others could then call.
    `starts_processes` tells whether it may fork, or only start threads; `writes_files` whether it
    may open files to write to them.
    """

    calls: frozenset[str]
    families: tuple[int, ...] = ()
    starts_processes: bool = False
    writes_files: bool = False
    names_sockets: bool = True


# OpenClaw and its relay, which talk to each other over TCP on the cell's own loopback.
CELLS = Rules(CELL_CALLS, (AF_UNIX, AF_INET), starts_processes=True, writes_files=True)
# The same where there is no network: it listens on what it was handed and calls unix sockets.
JAILED = replace(CELLS, families=(AF_UNIX,), names_sockets=False)
# Python at work on bytes: it reads files, computes, and talks over what it was started with.
HELPERS = Rules(HELPER_CALLS)


class Instruction(NamedTuple):
    """One step: jumps are counted in steps, from the next one on."""

    code: int
    if_true: int
    if_false: int
    value: int


Steps = list[Instruction]


def program(rules: Rules, machine: str | None = None) -> bytes:
    """Return the filter for `machine`, this one by default, as the kernel and bubblewrap take it.

    Raises ValueError for a machine that is neither x86_64 nor aarch64.
    """
    name = machine or platform.machine()
    if name not in AUDIT_ARCH:
        raise ValueError(f"There is no filter of system calls for {name}.")
    steps = _steps(rules, name)
    if len(steps) > MOST_INSTRUCTIONS:
        raise ValueError("The filter is longer than the kernel takes.")
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def _steps(rules: Rules, machine: Machine) -> Steps:
    number = numbers(machine)
    steps = [
        _step(LOAD, ARCHITECTURE),
        Instruction(IF_EQUAL, 1, 0, AUDIT_ARCH[machine]),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER),
    ]
    if machine == "x86_64":
        steps += [Instruction(IF_AT_LEAST, 0, 1, X32), _refused(errno.ENOSYS)]
    looked_at = _looked_at(rules)
    for call, answer in looked_at.items():
        if call in number:
            # All other calls go on behind it.
            steps += [Instruction(IF_EQUAL, 0, len(answer), number[call]), *answer]
    plain = rules.calls - looked_at.keys() - OPEN_SOCKETS
    for first, last in _ranges(number[call] for call in plain if call in number):
        steps += _if_between(first, last)
    return [*steps, _refused(errno.ENOSYS)]


def _looked_at(rules: Rules) -> dict[str, Steps]:
    """Tell of which calls the arguments count, and how; each answer ends with a decision."""
    allowed = _step(RETURN, ALLOW)
    answers: dict[str, Steps] = {
        "clone": _clone(rules),
        "ioctl": [*_none_of(1, (TIOCSTI, TIOCLINUX), errno.EPERM), allowed],
    }
    if rules.families:
        kind = [_argument(1), _step(AND, SOCKET_TYPE_MASK)]
        answers["socket"] = [
            *_one_of([_argument(0)], rules.families, errno.EAFNOSUPPORT),
            *_one_of(kind, (SOCK_STREAM,), errno.EPROTONOSUPPORT),
            *_one_of([_argument(2)], PROTOCOLS, errno.EPROTONOSUPPORT),
            allowed,
        ]
        answers["socketpair"] = [*_one_of([_argument(0)], (AF_UNIX,), errno.EAFNOSUPPORT), allowed]
    if not rules.names_sockets:
        answers["bind"] = [_refused(errno.EACCES)]
        answers["setsockopt"] = [
            _argument(1),
            Instruction(IF_EQUAL, 1, 0, SOL_SOCKET),
            allowed,
            *_none_of(2, NAMING_OPTIONS, errno.EPERM),
            allowed,
        ]
    if not rules.writes_files:
        answers["open"] = [*_no_bit_of(1, OPEN_TO_WRITE, errno.EACCES), allowed]
        answers["openat"] = [*_no_bit_of(2, OPEN_TO_WRITE, errno.EACCES), allowed]
        # Its own limits, which have an upper end, and nobody else's.
        answers["prlimit64"] = [*_one_of([_argument(0)], (0,), errno.EPERM), allowed]
    return answers


def _clone(rules: Rules) -> Steps:
    steps = _no_bit_of(0, NEW_NAMESPACES, errno.EPERM)
    if not rules.starts_processes:
        steps += [Instruction(IF_ANY_BIT, 1, 0, CLONE_THREAD), _refused(errno.EPERM)]
    return [*steps, _step(RETURN, ALLOW)]


def _one_of(load: Steps, values: tuple[int, ...], error: int) -> Steps:
    """Go on only if what was loaded is one of `values`."""
    count = len(values)
    checks = [Instruction(IF_EQUAL, count - at, 0, value) for at, value in enumerate(values)]
    return [*load, *checks, _refused(error)]


def _none_of(argument: int, values: tuple[int, ...], error: int) -> Steps:
    steps = [_argument(argument)]
    for value in values:
        steps += [Instruction(IF_EQUAL, 0, 1, value), _refused(error)]
    return steps


def _no_bit_of(argument: int, bits: int, error: int) -> Steps:
    return [_argument(argument), Instruction(IF_ANY_BIT, 0, 1, bits), _refused(error)]


def _if_between(first: int, last: int) -> Steps:
    if first == last:
        return [Instruction(IF_EQUAL, 0, 1, first), _step(RETURN, ALLOW)]
    return [
        Instruction(IF_AT_LEAST, 0, 2, first),
        Instruction(IF_AT_LEAST, 1, 0, last + 1),
        _step(RETURN, ALLOW),
    ]


def _ranges(found: Iterable[int]) -> list[tuple[int, int]]:
    """Return the numbers as ranges of neighbours, first and last."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(found):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def _argument(index: int) -> Instruction:
    # Both machines keep the lower half of a number first.
    return _step(LOAD, ARGUMENTS + 8 * index)


def _refused(error: int) -> Instruction:
    return _step(RETURN, REFUSE | error)


def _step(code: int, value: int) -> Instruction:
    return Instruction(code, 0, 0, value)
