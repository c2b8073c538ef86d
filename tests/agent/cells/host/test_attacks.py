"""The table of attacks, carried out in every mode; and outside, where they succeed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.cells.host import attacks, inside_probe, probe, sandbox
from agent.cells.host.cell_paths import CALLS, CellPaths, Mode
from agent.cells.host.jail import Jail
from agent.cells.host.probe import best_sandbox, faults_in
from agent.cells.host.sandbox import Sandbox
from settings import Settings
from untrusted import landlock, launcher
from untrusted.calls import REFUSED_CALLS
from untrusted.seccomp import CELLS, program

IS_ROOT = os.getuid() == 0
JAILED = frozenset({"tell whether a process exists"})
WITHOUT_LANDLOCK = JAILED | {"call a socket that has no path"}
# Has no Landlock, as many kernels have none.
NO_LANDLOCK = "def restrict(readable, writable):\n    return 0\n"
OUTSIDE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("inside_probe", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.look([sys.argv[2]])))
"""
# What depends on how this machine is connected, or on whether its root may do everything.
BY_MACHINE = ("connect to ", "socket ", "write ", "clone ", "read the system's passwords")


@dataclass
class Walls:
    """A sandbox of one mode, and two people's cells behind it."""

    sandbox: Sandbox
    eves: CellPaths
    adas: CellPaths

    def look(self) -> dict[str, Any]:
        return probe.look(self.sandbox, self.eves, self.adas)

    def faults(self) -> list[str]:
        return faults_in(self.sandbox.mode, self.look(), self.eves.uid)


@contextmanager
def _built(kind: str, settings: Settings, folder: Path) -> Generator[Walls]:
    given = settings.model_copy(update={"cells_dir": folder / "cells"})
    chosen = best_sandbox(given.model_copy(update={"sandbox": kind}))
    assert chosen.jail is None or chosen.jail.root == folder / "cells/jail"
    parent = chosen.jail.cells if chosen.jail else folder
    first = 64_960 if IS_ROOT else os.getuid()
    places = [CellPaths(parent / name, first + IS_ROOT * at) for at, name in enumerate("ea")]
    for place in places:
        place.create(chosen.mode)
    yield Walls(chosen, *places)


@pytest.fixture(params=["bwrap", "jail", "uid", "none"])
def walls(
    request: pytest.FixtureRequest, settings: Settings, passable_folder: Path
) -> Generator[Walls]:
    if not IS_ROOT and request.param in {"jail", "uid"}:
        pytest.skip("only root can change uids")
    with _built(request.param, settings, passable_folder) as built:
        yield built


@pytest.fixture
def jail(settings: Settings, passable_folder: Path) -> Generator[Walls]:
    if not IS_ROOT:
        pytest.skip("only root can go into another root")
    with _built("jail", settings, passable_folder) as built:
        yield built


@pytest.fixture
def no_landlock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without Landlock: the launcher finds a stand-in that does nothing beside itself."""
    own = tmp_path / "launcher.py"
    shutil.copy(launcher.__file__, own)
    own.with_name(launcher.LANDLOCK).write_text(NO_LANDLOCK)
    monkeypatch.setattr(sandbox, "LAUNCHER", own)


@pytest.mark.skipif(not IS_ROOT, reason="root may do all of it")
def test_without_walls_the_attacks_succeed(settings: Settings, passable_folder: Path) -> None:
    """Or it would mean nothing that they fail behind walls."""
    with (
        _built("none", settings, passable_folder) as walls,
        attacks.scene(walls.sandbox, walls.eves, walls.adas) as scene,
    ):
        done = subprocess.run(
            [sys.executable, "-c", OUTSIDE, inside_probe.__file__, json.dumps(scene.aims)],
            cwd=walls.eves.state,
            capture_output=True,
            text=True,
            check=True,
        )
        assert set(scene.left_behind()) == set(inside_probe.PUBLIC_FOLDERS)
    tried = json.loads(done.stdout)["tried"]

    failed = {name for name, got in tried.items() if got != inside_probe.DONE}
    expected = {name for name in failed if name in REFUSED_CALLS or name.startswith(BY_MACHINE)}
    assert failed == expected
    assert tried["connect to a database on this machine"] == inside_probe.DONE


def test_no_attack_succeeds_that_a_mode_forbids(walls: Walls) -> None:
    assert walls.faults() == []


def test_a_jail_is_as_tight_as_it_says(jail: Walls) -> None:
    if landlock.version() < landlock.SCOPES_SINCE:
        pytest.skip("this kernel's Landlock knows no abstract sockets")

    assert set(attacks.successes(jail.look()["tried"])) == JAILED


@pytest.mark.usefixtures("no_landlock")
def test_a_jail_holds_without_landlock(jail: Walls) -> None:
    seen = jail.look()

    assert faults_in(Mode.JAIL, seen, jail.eves.uid) == []
    assert set(attacks.successes(seen["tried"])) == WITHOUT_LANDLOCK
    told = attacks.gaps(Mode.JAIL, seen["tried"])
    assert "A cell can call a socket that has no path." in told


def test_a_jail_opens_no_network_of_any_kind(jail: Walls) -> None:
    tried = jail.look()["tried"]

    for name in inside_probe.SOCKETS:
        wanted = "EPROTONOSUPPORT" if name == "unix datagrams" else "EAFNOSUPPORT"
        assert tried[f"socket {name}"] == wanted
    for name in ("a database on this machine", *inside_probe.ADDRESSES):
        assert tried[f"connect to {name}"] == "EAFNOSUPPORT"
    assert tried["take a name that others could call"] == "EACCES"
    assert tried["have the kernel name a socket"] == "EPERM"


@pytest.mark.usefixtures("no_landlock")
def test_a_jail_with_another_cells_filter_is_not_believed(jail: Walls) -> None:
    """OpenClaw would work in it, with the machine's network."""
    (jail.eves.etc / CALLS).write_bytes(program(CELLS))

    assert {
        "socket tcp: done",
        "connect to a database on this machine: done",
        "take a name that others could call: done",
    } <= set(jail.faults())


@pytest.mark.usefixtures("no_landlock")
def test_a_jail_in_which_a_neighbour_left_their_door_open_is_not_believed(jail: Walls) -> None:
    jail.adas.state.chmod(0o755)

    with attacks.scene(jail.sandbox, jail.eves, jail.adas) as scene:
        Path(jail.adas.state, "MEMORY.md").chmod(0o644)
        seen = attacks.carry_out(jail.sandbox, jail.eves, scene.aims, 20)

    assert "read another cell's file: done" in attacks.faults(Mode.JAIL, seen["tried"])


@pytest.mark.usefixtures("no_landlock")
def test_a_jail_around_the_whole_system_is_not_believed(jail: Walls) -> None:
    class Everything(Jail):
        def inside(self, path: Path) -> str:
            return str(path)

        def plan(self, place: CellPaths) -> dict[str, object]:
            return {**super().plan(place), "root": "/"}

    assert jail.sandbox.jail is not None
    jail.sandbox = Sandbox(Mode.JAIL, jail=Everything(jail.sandbox.jail.root))

    faults = jail.faults()

    assert "read the worker's code: done" in faults
    assert "leave a file in /tmp: done" in faults
