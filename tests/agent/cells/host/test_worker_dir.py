"""The folder that a worker's cells stand on."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from uuid_utils.compat import uuid7

from agent.cells.boot.spec import CellSpec
from agent.cells.host.cell_paths import CellPaths, Mode
from agent.cells.host.jail import jail_of
from agent.cells.host.worker_dir import GONE, LOCK, WorkerDir
from agent.forgetting import forget
from agent.state import BLANK, Restored, SavedStates
from agent.turn import Forgotten
from gateways.s3_files import Storage
from settings import Settings

IS_ROOT = os.getuid() == 0
MODE = Mode.ROOT if IS_ROOT else Mode.USER


@pytest.fixture
def given(settings: Settings, tmp_path: Path, worker_id: str) -> Settings:
    # Uids that no other test takes or frees meanwhile, in whichever process it runs.
    base = 61_000 + 100 * int(worker_id.removeprefix("gw").replace("master", "0"))
    return settings.model_copy(update={"cells_dir": tmp_path / "cells", "cell_uid_base": base})


def test_what_a_dead_worker_left_is_removed_and_a_living_ones_is_kept(given: Settings) -> None:
    living = WorkerDir(given, MODE)
    kept = living.new_place()
    dead = _worker_that_dies(given)
    assert dead.exists()

    WorkerDir(given, MODE).close()

    assert kept.state.exists()
    assert not dead.exists()
    living.close()
    assert list(given.cells_dir.iterdir()) == []


@pytest.mark.skipif(not IS_ROOT, reason="only root can give cells uids of their own")
def test_no_two_live_cells_have_the_same_uid(given: Settings, tmp_path: Path) -> None:
    one = WorkerDir(given, MODE)
    other = WorkerDir(given.model_copy(update={"cells_dir": tmp_path / "other"}), MODE)

    places = [one.new_place(), other.new_place(), one.new_place()]

    assert len({place.uid for place in places}) == 3
    assert all(place.uid >= given.cell_uid_base for place in places)
    freed = places[0].uid
    one.clear(places[0])
    assert one.new_place().uid == freed
    one.close()
    other.close()


class Socketless(WorkerDir):
    """A folder whose first cell can have no sockets."""

    uid: int | None = None

    def new_place(self) -> CellPaths:
        place = super().new_place()
        if self.uid is None:
            self.uid = place.uid
            place.listeners.rmdir()
        return place


def test_a_place_without_sockets_is_cleared(given: Settings, storage: Storage) -> None:
    worker_dir = Socketless(given, MODE)
    states, restored = SavedStates(storage), Restored((), {}, BLANK.state)
    spec, nothing = cast(CellSpec, None), Forgotten((), ())

    with pytest.raises(FileNotFoundError):
        asyncio.run(forget(spec, worker_dir, states, uuid7(), restored, nothing, lambda: None))

    assert {folder.name for folder in worker_dir.folder.iterdir()} <= {LOCK, GONE}
    assert worker_dir.new_place().uid == worker_dir.uid
    worker_dir.close()


@pytest.mark.skipif(not IS_ROOT, reason="only root can give cells uids of their own")
def test_what_still_runs_of_a_dead_workers_cells_is_ended(given: Settings) -> None:
    living = WorkerDir(given, MODE)
    kept = living.new_place()
    left = _worker_that_dies(given)
    uid = (left / "1/state").stat().st_uid
    assert uid != kept.uid
    with _running_as(uid) as orphan, _running_as(kept.uid) as other:
        WorkerDir(given, MODE).close()

        assert orphan.wait(10) == -signal.SIGKILL
        assert other.poll() is None
        other.kill()
    living.close()


@pytest.mark.skipif(not IS_ROOT, reason="only root can give cells uids of their own")
def test_the_next_on_a_uid_finds_nothing_in_a_jail(given: Settings) -> None:
    worker_dir = WorkerDir(given, Mode.JAIL)
    jail = jail_of(given)
    jail.furnish(None)
    place = worker_dir.new_place()
    assert place.locks is not None
    (place.locks / "left").write_text("by somebody else")

    worker_dir.clear(place)
    following = worker_dir.new_place()

    assert following.uid == place.uid
    assert following.locks == place.locks
    assert list(place.locks.iterdir()) == []
    assert following.folder.parent.parent == jail.cells
    # Nobody can list where the cells are, and their names cannot be guessed.
    assert following.folder.parent.stat().st_mode & 0o777 == 0o711
    assert len(following.folder.name) == 16
    worker_dir.close()


@pytest.mark.skipif(not IS_ROOT, reason="only root can give cells uids of their own")
def test_a_worker_that_dies_leaves_its_jail_to_the_next(given: Settings) -> None:
    jail_of(given).furnish(None)
    dead = _worker_that_dies(given, Mode.JAIL)
    left = jail_of(given).locks(next(dead.glob("*/state")).stat().st_uid)
    assert left.exists()

    following = WorkerDir(given, Mode.JAIL)
    place = following.new_place()

    assert not dead.exists()
    assert place.locks == left
    assert (jail_of(given).root / "dev/null").is_char_device()
    following.close()


def test_a_folder_that_others_can_write_to_is_refused(given: Settings) -> None:
    given.cells_dir.mkdir()
    given.cells_dir.chmod(0o777)

    with pytest.raises(PermissionError):
        WorkerDir(given, MODE)


def test_a_link_to_somewhere_else_is_refused(given: Settings, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    given.cells_dir.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PermissionError):
        WorkerDir(given, MODE)


def _running_as(uid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["/bin/sleep", "1000"], user=uid)


def _worker_that_dies(given: Settings, mode: Mode = MODE) -> Path:
    """Let another process make its folder and end without clearing up."""
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from agent.cells.host.worker_dir import WorkerDir\n"
        "from agent.cells.host.cell_paths import Mode\n"
        "from settings import get_settings\n"
        "own = {'cells_dir': Path(sys.argv[1]), 'cell_uid_base': int(sys.argv[3])}\n"
        "given = get_settings().model_copy(update=own)\n"
        "worker_dir = WorkerDir(given, Mode(sys.argv[2]))\n"
        "worker_dir.new_place()\n"
        "print(worker_dir.folder, flush=True)\n"
        "os._exit(1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(given.cells_dir), mode.value, str(given.cell_uid_base)],
        capture_output=True,
        text=True,
        check=False,
    )
    return Path(done.stdout.strip().splitlines()[-1])
