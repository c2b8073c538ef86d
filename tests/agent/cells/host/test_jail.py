"""The root that a worker's jailed cells share."""

import os
import stat
from pathlib import Path

import pytest

from agent.cells.host.cell_paths import CellPaths
from agent.cells.host.jail import DEVICES, PROGRAMS, Jail, JailFailed
from agent.engine import Engine

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can make devices")
# It stands in for Node: a program that needs libraries.
PROGRAM = Path("/bin/ls").resolve()


def _engine(folder: Path, name: str) -> Engine:
    module = folder / name / "node_modules/openclaw/openclaw.mjs"
    module.parent.mkdir(parents=True)
    module.write_text(name)
    return Engine(PROGRAM, folder / name)


@pytest.fixture
def jail(tmp_path: Path) -> Jail:
    return Jail(tmp_path / "jail")


def test_it_has_what_node_and_openclaw_need_and_nothing_else(jail: Jail, tmp_path: Path) -> None:
    jail.furnish(_engine(tmp_path, "openclaw-1"))

    names = {path.name for path in jail.root.iterdir()}
    assert names - {"lib", "lib64", "usr"} == {"opt", "etc", "dev", "tmp", "cells"}
    opt = {path.name for path in (jail.root / "opt").iterdir()}
    assert opt == {"node", "openclaw-1", "lock", *PROGRAMS}
    assert any("libc.so" in path.name for path in jail.root.rglob("lib*"))
    for name, (major, minor) in DEVICES.items():
        found = (jail.root / "dev" / name).stat()
        assert (os.major(found.st_rdev), os.minor(found.st_rdev)) == (major, minor)


def test_a_cell_can_change_nothing_of_it(jail: Jail, tmp_path: Path) -> None:
    jail.furnish(_engine(tmp_path, "openclaw-1"))

    for path in (jail.root, *jail.root.rglob("*")):
        found = path.lstat()
        is_shared = stat.S_ISLNK(found.st_mode) or stat.S_ISCHR(found.st_mode)
        assert found.st_uid == 0
        assert is_shared or not found.st_mode & 0o022, path


def test_furnished_again_it_is_as_it_was_and_an_upgrade_replaces_the_engine(
    jail: Jail, tmp_path: Path
) -> None:
    first = _engine(tmp_path, "openclaw-1")
    jail.furnish(first)
    before = (jail.root / "opt/node").stat().st_ino
    jail.furnish(first)
    jail.furnish(None)
    assert (jail.root / "opt/node").stat().st_ino == before
    assert (jail.root / "opt/openclaw-1").is_dir()

    jail.furnish(_engine(tmp_path, "openclaw-2"))

    assert not (jail.root / "opt/openclaw-1").exists()
    inside = jail.root / "opt/openclaw-2/node_modules/openclaw/openclaw.mjs"
    assert inside.read_text() == "openclaw-2"


def test_an_engine_that_is_not_there_is_not_half_there(jail: Jail, tmp_path: Path) -> None:
    with pytest.raises(JailFailed):
        jail.furnish(Engine(PROGRAM, tmp_path / "openclaw-missing"))

    assert list((jail.root / "opt").glob("*openclaw*")) == []


def test_a_cell_may_write_to_its_own_folders_alone(jail: Jail) -> None:
    jail.furnish(None)
    place = CellPaths(jail.cells / "w/cell", 64_990, jail.locks(64_990))

    plan = jail.plan(place)

    assert plan["writable"] == [
        "/cells/w/cell/state",
        "/cells/shared/tmp/openclaw-state-locks-64990",
        "/cells/shared/dev/null",
    ]
    assert "/cells/w/cell/sockets" in str(plan["readable"])
    assert "listeners" not in str(plan)
