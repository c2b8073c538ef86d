"""Whether a worker believes walls that are not there. Each hole is made on purpose once."""

import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.cells.host import probe
from agent.cells.host.cell_paths import CALLS, CellPaths, Mode
from agent.cells.host.probe import NoSandbox, best_sandbox, faults_in, find_sandbox
from agent.cells.host.sandbox import Sandbox
from settings import PROJECT_DIR, Settings
from untrusted.seccomp import ALLOW, CELLS, RETURN, Rules, program
from untrusted.walls import bubblewraps

ONLY_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can change uids")
EVERYTHING = struct.pack("=HBBI", RETURN, 0, 0, ALLOW)
# Builds a network and mounts of its own, as a bubblewrap would that may do nothing else.
HALF = """#!/bin/sh
launcher= looking= etc=
while [ "$1" != "--" ]; do
  case "$3" in
    /opt/launcher.py) launcher="$2";; /opt/inside_probe.py) looking="$2";; /etc) etc="$2";;
  esac
  shift
done
shift
export launcher looking etc
exec unshare --net --mount sh -c '
  kept=/tmp/kept.$$
  mkdir $kept && mount -t tmpfs kept $kept && cp "$launcher" "$looking" "$etc"/* $kept
  for place in /opt /etc; do
    mount -t tmpfs own $place && cp $kept/* $place && chmod 755 $place
  done
  umount $kept && rmdir $kept
  exec "$@"
' sh "$@"
"""
# Gives up root for good, then asks for the best there is.
NOBODY = """
import os, sys
from pathlib import Path
from agent.cells.host.probe import NoSandbox, best_sandbox
from settings import get_settings
settings = get_settings().model_copy(
    update={"bwrap_path": Path("/bin/false"), "sandbox": sys.argv[1]}
)
if os.getuid() == 0:
    os.setgroups([]); os.setresgid(*[65534] * 3); os.setresuid(*[65534] * 3)
try:
    print(best_sandbox(settings).mode.value)
except NoSandbox as error:
    print(f"refused: {error}")
"""


@pytest.fixture
def place(passable_folder: Path) -> CellPaths:
    """A cell's folder that its uid can reach."""
    return CellPaths(passable_folder / "cell", 64_990 if os.getuid() == 0 else os.getuid())


@pytest.fixture
def namespaces(settings: Settings) -> Sandbox:
    sandbox = best_sandbox(settings)
    if not sandbox.mode.has_namespaces:
        pytest.skip("no namespaces on this machine")
    return sandbox


@pytest.fixture
def sound(namespaces: Sandbox, place: CellPaths) -> dict[str, Any]:
    """What is seen from inside of walls without a hole."""
    place.create(namespaces.mode)
    return look(namespaces, place)


def look(sandbox: Sandbox, place: CellPaths) -> dict[str, Any]:
    """Look from inside of a cell that has a neighbour."""
    uid = place.uid + 1 if os.getuid() == 0 else place.uid
    neighbour = CellPaths(place.folder.with_name("neighbour"), uid)
    neighbour.create(sandbox.mode)
    return probe.look(sandbox, place, neighbour)


def _faults(sandbox: Sandbox, place: CellPaths, calls: bytes | None = None) -> list[str]:
    place.create(sandbox.mode)
    if calls is not None:
        (place.etc / CALLS).write_bytes(calls)
    return faults_in(sandbox.mode, look(sandbox, place), place.uid)


def test_where_bubblewrap_works_its_walls_are_believed(settings: Settings) -> None:
    """Or all tests of walls would be skipped, as on a machine that has none."""
    own_user = [] if os.getuid() == 0 else ["--unshare-user"]
    walls = [*own_user, "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc"]
    tried = [
        subprocess.run([str(bwrap), *walls, "/bin/true"], capture_output=True, check=False)
        for bwrap in bubblewraps(settings.bwrap_path)
    ]
    if all(one.returncode != 0 for one in tried):
        pytest.skip("no namespaces on this machine")

    assert best_sandbox(settings).mode.has_namespaces


def test_sound_walls_have_no_fault(namespaces: Sandbox, place: CellPaths) -> None:
    assert _faults(namespaces, place) == []


def test_nothing_that_opened_doors_before_can_be_called(sound: dict[str, Any]) -> None:
    tried = sound["tried"]

    for name in ("io_uring_setup", "userfaultfd", "keyctl", "bpf", "perf_event_open", "unshare"):
        assert tried[name] == "ENOSYS"
    assert tried["clone into a user namespace"] == "EPERM"
    for name in ("netlink", "packet", "vsock", "alg", "inet6"):
        assert tried[f"socket {name}"] == "EAFNOSUPPORT"
    for name in ("udp", "sctp", "raw", "unix datagrams"):
        assert tried[f"socket {name}"] == "EPROTONOSUPPORT"


def test_walls_without_a_filter_are_not_believed(namespaces: Sandbox, place: CellPaths) -> None:
    faults = _faults(namespaces, place, EVERYTHING)

    refused = {fault.partition(":")[0] for fault in faults}
    assert {
        "unshare",
        "keyctl",
        "ptrace",
        "memfd_create",
        "socket netlink",
        "socket udp",
    } <= refused
    if namespaces.mode is Mode.ROOT:
        assert "clone into a user namespace" in refused


def test_one_call_too_many_is_noticed(namespaces: Sandbox, place: CellPaths) -> None:
    wider = Rules(CELLS.calls | {"memfd_create"}, CELLS.families, True, True)

    assert _faults(namespaces, place, program(wider)) == ["memfd_create: EFAULT"]


def test_a_filter_that_is_no_program_is_no_filter(namespaces: Sandbox, place: CellPaths) -> None:
    place.create(namespaces.mode)
    (place.etc / CALLS).write_bytes(b"")

    with pytest.raises(OSError, match="filter of system calls was refused"):
        look(namespaces, place)


@ONLY_ROOT
def test_half_a_bubblewrap_is_not_believed(tmp_path: Path, place: CellPaths) -> None:
    """Where a machine has no network but `lo` it looked like a whole one."""
    half = tmp_path / "bwrap"
    half.write_text(HALF)
    half.chmod(0o755)

    faults = _faults(Sandbox(Mode.ROOT, half), place)

    assert {f"the {name} namespace is ours" for name in ("pid", "ipc", "uts")} <= set(faults)
    assert "files are left where others find them" in faults


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"interfaces": ["lo", "eth0"]}, "there is a network besides lo"),
        ({"groups": [0]}, "the uid is not the cell's"),
        ({"uids": [0, 0, 0]}, "the uid is not the cell's"),
        ({"tried": {"list the cells": "done"}}, "list the cells: done"),
        ({"left": ["/tmp"]}, "files are left where others find them"),
        ({"tried": {"clone into a user namespace": "done"}}, "clone into a user namespace: done"),
    ],
)
def test_each_hole_has_a_name(
    sound: dict[str, Any], namespaces: Sandbox, place: CellPaths, change: dict[str, Any], fault: str
) -> None:
    if namespaces.mode is Mode.USER and "uid" in fault:
        pytest.skip("a user namespace has the worker's own uid")

    assert faults_in(namespaces.mode, {**sound, **change}, place.uid) == [fault]


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("Seccomp", "0", "system calls are not filtered"),
        ("NoNewPrivs", "0", "new privileges can be had"),
        ("CapEff", "0000000000200000", "CapEff is not empty"),
    ],
)
def test_each_right_that_is_left_is_noticed(
    sound: dict[str, Any], namespaces: Sandbox, place: CellPaths, name: str, value: str, fault: str
) -> None:
    seen = {**sound, "status": {**sound["status"], name: value}}

    assert faults_in(namespaces.mode, seen, place.uid) == [fault]


@ONLY_ROOT
def test_under_another_uid_the_workers_environment_is_out_of_reach(place: CellPaths) -> None:
    place.create(Mode.UID)
    seen = look(Sandbox(Mode.UID), place)
    ours = hashlib.sha256(Path("/proc/self/environ").read_bytes()).hexdigest()

    assert ours not in seen["environments"]
    assert faults_in(Mode.UID, seen, place.uid) == []
    read = {**seen, "environments": [*seen["environments"], ours]}
    assert faults_in(Mode.UID, read, place.uid) == ["the worker's environment can be read"]


@ONLY_ROOT
def test_under_another_uid_the_filter_is_on(place: CellPaths) -> None:
    refused = _faults(Sandbox(Mode.UID), place, EVERYTHING)

    assert any(fault.startswith("unshare") for fault in refused)


def test_nothing_but_the_process_is_only_had_by_its_name(settings: Settings) -> None:
    sandbox = best_sandbox(settings.model_copy(update={"sandbox": "none"}))

    assert sandbox.mode is Mode.PROCESS
    assert _as_nobody("auto").startswith("refused: Nothing here separates cells from the worker")
    assert "SANDBOX=none" in _as_nobody("auto")
    assert "only root can start cells under other uids" in _as_nobody("uid")


def test_a_worker_without_walls_has_no_cells_and_goes_on(settings: Settings) -> None:
    broken = settings.model_copy(update={"sandbox": "bwrap", "bwrap_path": Path("/bin/false")})

    assert find_sandbox(broken) is None
    with pytest.raises(NoSandbox):
        best_sandbox(broken)


def _as_nobody(setting: str) -> str:
    command = [sys.executable, "-c", NOBODY, setting]
    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]
