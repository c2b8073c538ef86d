"""Filters of system calls: as programs, for both machines, and on a real process of this one."""

import json
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from settings import PROJECT_DIR
from tests.untrusted.bpf import ALLOWED, KILLED, decide
from untrusted.calls import CELL_CALLS, HELPER_CALLS, REFUSED_CALLS, Machine, numbers
from untrusted.seccomp import CELLS, HELPERS, JAILED, Rules, program

MACHINES: tuple[Machine, ...] = ("x86_64", "aarch64")
ARGUMENTS_COUNT = {"clone", "ioctl", "socket", "socketpair", "open", "openat", "prlimit64"}
THREAD, SIGCHLD = 0x003D0F00, 17
NEW = {"ns": 17, "cgroup": 25, "uts": 26, "ipc": 27, "user": 28, "pid": 29, "net": 30}
READ, WRITE, CREATE, TRUNCATE, NAMELESS, CLOSE_ON_EXEC = 0, 1, 0o100, 0o1000, 0o20000000, 0o2000000
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_the_kernels(machine: Machine) -> None:
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not here")
    defined = re.findall(r"^#define __NR(?:3264)?_(\w+) (\d+)$", HEADERS[machine].read_text(), re.M)
    theirs = {name: int(number) for name, number in defined}
    ours = numbers(machine)

    assert {name: ours[name] for name in ours.keys() & theirs} == {
        name: theirs[name] for name in ours.keys() & theirs
    }
    assert len(ours.keys() & theirs) > 280


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("rules", [CELLS, HELPERS])
def test_what_is_on_the_list_is_allowed_and_nothing_else(machine: Machine, rules: Rules) -> None:
    filter_ = program(rules, machine)
    known = numbers(machine)

    for name in known.keys() - ARGUMENTS_COUNT:
        wanted = ALLOWED if name in rules.calls else "ENOSYS"
        assert decide(filter_, machine, name) == wanted, name
    beyond = {*range(max(known.values()) + 200)} - set(known.values())
    assert {decide(filter_, machine, number) for number in beyond} == {"ENOSYS"}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("rules", [CELLS, HELPERS])
def test_another_architectures_calls_end_the_process(machine: Machine, rules: Rules) -> None:
    filter_ = program(rules, machine)
    other = {"x86_64": (0x40000003, 0xC00000B7), "aarch64": (0x40000028, 0xC000003E)}

    for arch in other[machine]:
        assert decide(filter_, machine, "read", arch=arch) == KILLED
    for number in (0x40000000, 0x40000000 + numbers("x86_64")["read"], 0xFFFFFFFF):
        assert decide(filter_, machine, number) == "ENOSYS"


def test_no_list_has_what_opened_doors_before() -> None:
    assert not (CELL_CALLS | HELPER_CALLS) & set(REFUSED_CALLS)
    assert HELPER_CALLS < CELL_CALLS
    assert set(REFUSED_CALLS) <= numbers("x86_64").keys()


@pytest.mark.parametrize("machine", MACHINES)
def test_a_cell_opens_streams_of_its_own_machine_only(machine: Machine) -> None:
    filter_ = program(CELLS, machine)
    flags = 0o2004000
    families = {
        family: decide(filter_, machine, "socket", family, 1 | flags) for family in range(50)
    }

    assert {family for family, got in families.items() if got == ALLOWED} == {1, 2}
    assert {got for got in families.values() if got != ALLOWED} == {"EAFNOSUPPORT"}
    kinds = {kind: decide(filter_, machine, "socket", 2, kind | flags) for kind in range(11)}
    assert {kind for kind, got in kinds.items() if got == ALLOWED} == {1}
    protocols = {word: decide(filter_, machine, "socket", 2, 1, word) for word in range(300)}
    assert {word for word, got in protocols.items() if got == ALLOWED} == {0, 6}
    pairs = {family: decide(filter_, machine, "socketpair", family, 1) for family in range(50)}
    assert {family for family, got in pairs.items() if got == ALLOWED} == {1}
    only_unix = program(Rules(CELL_CALLS, (1,)), machine)
    assert decide(only_unix, machine, "socket", 1, 1) == ALLOWED
    assert decide(only_unix, machine, "socket", 2, 1) == "EAFNOSUPPORT"
    for call in ("socket", "socketpair"):
        assert decide(program(Rules(CELL_CALLS), machine), machine, call, 1, 1) == "ENOSYS"


@pytest.mark.parametrize("machine", MACHINES)
def test_a_jailed_cell_has_no_network_and_names_no_socket(machine: Machine) -> None:
    filter_ = program(JAILED, machine)

    families = {family: decide(filter_, machine, "socket", family, 1) for family in range(50)}
    assert {family for family, got in families.items() if got == ALLOWED} == {1}
    assert decide(filter_, machine, "socket", 1, 2) == "EPROTONOSUPPORT"
    assert decide(filter_, machine, "bind", 3, 0, 16) == "EACCES"
    options = {option: decide(filter_, machine, "setsockopt", 3, 1, option) for option in range(99)}
    assert {option for option, got in options.items() if got == "EPERM"} == {16, 34, 76, 83}
    # Of other levels, as of TCP, the numbers mean something else.
    assert decide(filter_, machine, "setsockopt", 3, 6, 16) == ALLOWED
    for call in CELL_CALLS & numbers(machine).keys() - ARGUMENTS_COUNT - {"bind", "setsockopt"}:
        assert decide(filter_, machine, call) == ALLOWED, call


@pytest.mark.parametrize("machine", MACHINES)
def test_nobody_makes_namespaces_and_helpers_only_threads(machine: Machine) -> None:
    cells, helpers = program(CELLS, machine), program(HELPERS, machine)

    for bit in NEW.values():
        for flags in (1 << bit | SIGCHLD, 1 << bit | THREAD):
            assert decide(cells, machine, "clone", flags) == "EPERM"
            assert decide(helpers, machine, "clone", flags) == "EPERM"
    assert decide(cells, machine, "clone", SIGCHLD) == ALLOWED
    assert decide(helpers, machine, "clone", SIGCHLD) == "EPERM"
    for filter_ in (cells, helpers):
        assert decide(filter_, machine, "clone", THREAD) == ALLOWED
        assert decide(filter_, machine, "clone3", THREAD) == "ENOSYS"
        assert decide(filter_, machine, "ioctl", 0, 0x5401) == ALLOWED
        # The upper half of a request is nothing to the kernel.
        for request in (0x5412, 0x541C, 0x1_0000_5412):
            assert decide(filter_, machine, "ioctl", 0, request) == "EPERM"


@pytest.mark.parametrize("machine", MACHINES)
def test_a_helper_opens_files_to_read_them_only(machine: Machine) -> None:
    cells, helpers = program(CELLS, machine), program(HELPERS, machine)

    for flags in (WRITE, 2, 3, CREATE, TRUNCATE, NAMELESS, WRITE | CREATE, CREATE | CLOSE_ON_EXEC):
        assert decide(helpers, machine, "openat", 0, 0, flags) == "EACCES"
        assert decide(cells, machine, "openat", 0, 0, flags) == ALLOWED
    assert decide(helpers, machine, "openat", 0, 0, READ | CLOSE_ON_EXEC) == ALLOWED
    if machine == "x86_64":
        assert decide(helpers, machine, "open", 0, WRITE | CREATE) == "EACCES"
        assert decide(helpers, machine, "open", 0, READ) == ALLOWED
    assert decide(helpers, machine, "prlimit64", 0, 7, 0x1000) == ALLOWED
    assert decide(helpers, machine, "prlimit64", 1, 7, 0) == "EPERM"


def test_a_machine_without_a_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="no filter of system calls for riscv64"):
        program(CELLS, "riscv64")


# Puts the filter on, if it is told which, and tells what became of each try.
CHILD = """
import ctypes, errno, fcntl, json, mmap, os, signal, socket, subprocess, sys, threading
from untrusted import seccomp
from untrusted.calls import REFUSED_CALLS, numbers
libc = ctypes.CDLL(None, use_errno=True)
number = numbers(os.uname().machine)
mark = os.open(sys.argv[2], os.O_RDWR)
rules = {"cells": seccomp.CELLS, "helpers": seccomp.HELPERS}.get(sys.argv[1])
if rules: seccomp.install(seccomp.program(rules))
def attempt(work):
    try: work()
    except OSError as error: return errno.errorcode[error.errno]
    return "done"
def call(name, *words):
    def made():
        if libc.syscall(ctypes.c_long(number.get(name, name)), *words) < 0:
            raise OSError(ctypes.get_errno(), name)
    return made
def forked(start):
    def made():
        child = start()
        if child == 0: os._exit(0)
        os.waitpid(child, 0)
    return made
def thread():
    ran = []
    one = threading.Thread(target=lambda: ran.append(1)); one.start(); one.join()
    assert ran
def new_user():
    child = libc.syscall(ctypes.c_long(number["clone"]), ctypes.c_ulong(0x10000011), 0, 0, 0, 0)
    if child < 0: raise OSError(ctypes.get_errno(), "clone")
    return child
def opened(*kind): return lambda: socket.socket(*kind).close()
def run(): assert subprocess.run(["/bin/true"], check=False).returncode == 0
tries = {
    "read a file": lambda: os.close(os.open(sys.argv[2], os.O_RDONLY)),
    "list a folder": lambda: os.listdir(os.path.dirname(sys.argv[2])),
    "write to what it was given": lambda: os.write(mark, b"x"),
    "open a file to write": lambda: os.close(os.open(sys.argv[2], os.O_WRONLY)),
    "make a file": lambda: os.close(os.open(sys.argv[2] + ".new", os.O_WRONLY | os.O_CREAT)),
    "remove a file": lambda: os.unlink(sys.argv[2] + ".new"),
    "make a folder": lambda: os.mkdir(sys.argv[2] + ".folder"),
    "make a device": lambda: os.mknod(sys.argv[2] + ".device", 0o666 | 0o020000, os.makedev(1, 3)),
    "start a thread": thread,
    "fork": forked(os.fork),
    "fork into a user namespace": forked(new_user),
    "run a program": run,
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "tcp": opened(2, 1), "udp": opened(2, 2), "unix": opened(1, 1), "netlink": opened(16, 3),
    "pair": lambda: [one.close() for one in socket.socketpair()],
    "map memory": lambda: mmap.mmap(-1, 1 << 20).close(),
    "x32": call(0x40000000 + number["getpid"]),
    "unshare": call("unshare", 0), "personality": call("personality", 0xFFFFFFFF),
}
got = {name: attempt(work) for name, work in tries.items()}
got["refused"] = {
    name: attempt(call(name, 0, 0, 0, 0, 0, 0))
    for name in REFUSED_CALLS if rules and name in number
}
print(json.dumps(got), flush=True)
if sys.argv[3:] == ["old calls"]:
    # mov eax, 20; int 0x80; ret: asks for its own id as a program of 32 bits would.
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("b814000000cd80c3"))
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
EVERYWHERE = frozenset(
    {"read a file", "list a folder", "write to what it was given", "start a thread", "map memory"}
)
WRITING = frozenset({"open a file to write", "make a file", "remove a file", "make a folder"})
PROCESSES = frozenset({"fork", "run a program", "signal itself", "tcp", "unix", "pair"})
IN_A_CELL = EVERYWHERE | WRITING | PROCESSES


def _child(which: str, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    file = folder / "file"
    file.touch()
    command = [sys.executable, "-c", CHILD, which, str(file), *more]
    return subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)


def _tried(which: str, folder: Path) -> dict[str, Any]:
    done = _child(which, folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_without_a_filter_all_of_it_can_be_done(tmp_path: Path) -> None:
    got = _tried("nothing", tmp_path)

    missing = {name for name, answer in got.items() if answer not in ("done", {})}
    # What only root may, and what only some kernels have.
    assert missing <= {"make a device", "x32", "fork into a user namespace"}


def test_a_real_process_with_a_cells_filter(tmp_path: Path) -> None:
    got = _tried("cells", tmp_path)

    assert set(got.pop("refused").values()) == {"ENOSYS"}
    assert {name for name, answer in got.items() if answer == "done"} == IN_A_CELL
    refused = {name: got[name] for name in got.keys() - IN_A_CELL}
    assert refused == {
        "make a device": "ENOSYS",
        "fork into a user namespace": "EPERM",
        "udp": "EPROTONOSUPPORT",
        "netlink": "EAFNOSUPPORT",
        "x32": "ENOSYS",
        "unshare": "ENOSYS",
        "personality": "ENOSYS",
    }


def test_a_real_process_with_a_helpers_filter(tmp_path: Path) -> None:
    got = _tried("helpers", tmp_path)

    assert set(got.pop("refused").values()) == {"ENOSYS"}
    assert {name for name, answer in got.items() if answer == "done"} == EVERYWHERE
    assert got["open a file to write"] == got["make a file"] == "EACCES"
    assert got["fork"] == got["fork into a user namespace"] == "EPERM"
    for name in ("run a program", "signal itself", "tcp", "unix", "pair", "remove a file"):
        assert got[name] in {"ENOSYS", "EPERM"}, name


@pytest.mark.skipif(platform.machine() != "x86_64", reason="this machine has no older calls")
def test_calls_of_32_bits_end_the_process(tmp_path: Path) -> None:
    assert _child("nothing", tmp_path, "old calls").returncode == 0
    assert _child("cells", tmp_path, "old calls").returncode == -signal.SIGSYS
