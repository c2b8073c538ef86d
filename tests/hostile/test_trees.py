"""What becomes of hostile trees: counted, saved and cleared away in bounded time and memory."""

import asyncio
import shutil
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from agent.cells.host.cell_paths import Mode
from agent.cells.host.disk_usage import MOST_LEVELS, Share, taken
from agent.cells.host.removal import Rubbish
from agent.cells.host.worker_dir import WorkerDir
from agent.files import CellFiles, Changed, FilesFailed
from agent.state import StateWriter, TooLarge, may_be_kept
from settings import Settings
from tests.agent.meter.world import run, world
from tests.agent.state.relay import Relay, started
from tests.hostile.test_meter_bodies import SLACK_SECONDS, beside, seconds_of
from tests.hostile.trees import TREES, deep
from tests.house import wait_for

MEGABYTE = 1024 * 1024
SHARE = Share(files=2_500, size_bytes=64 * MEGABYTE)
SLOWEST_SECONDS = 20
MOST_BYTES = 64 * MEGABYTE
TOKEN = b"the cell's own token"
TOO_MUCH = {
    "ten thousand levels",
    "levels with the longest names",
    "levels with names of wide letters",
    "levels with files in each",
    "just too deep",
    "many files",
    "many folders",
    "folders and files",
}


@pytest.fixture
def soil(tmp_path: Path) -> Generator[Path]:
    """A folder in memory, where there is one: to grow the trees is most of the work here."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory)) if memory.is_dir() else tmp_path
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", TREES)
def test_a_tree_is_counted_and_cleared_away(soil: Path, tmp_path: Path, name: str) -> None:
    root = grown(soil / "cell", TREES[name])
    rubbish = Rubbish(soil / "gone")

    def handle() -> None:
        found = taken(root.parent, SHARE)
        assert found.is_beyond(SHARE) == (name in TOO_MUCH)
        assert found.files <= SHARE.files + 1
        assert found.levels <= MOST_LEVELS + 1
        rubbish.take(soil / "cell")
        assert rubbish.close(SLOWEST_SECONDS)

    async def scenario() -> None:
        async with world(tmp_path) as w:
            other = await beside(w)
            quiet = max([await seconds_of(other) for _ in range(5)])
            handling = asyncio.create_task(asyncio.to_thread(handle))
            waits = [await seconds_of(other)]
            while not handling.done():
                waits.append(await seconds_of(other))
            await handling
            assert max(waits) < 1.5 * quiet + SLACK_SECONDS

    run(scenario())
    assert list(soil.iterdir()) == []


@pytest.mark.parametrize("name", TREES)
def test_a_tree_is_saved_as_far_as_it_may_be(settings: Settings, soil: Path, name: str) -> None:
    with started(settings, soil) as relay:
        grown(relay.root, TREES[name])
        tracemalloc.start()
        began = time.monotonic()
        try:
            changes = asyncio.run(_saved(relay))
        except (FilesFailed, TooLarge):
            changes = []
        peak, took = tracemalloc.get_traced_memory()[1], time.monotonic() - began
        tracemalloc.stop()
        try:
            assert took < SLOWEST_SECONDS
            assert peak < MOST_BYTES
            assert all(may_be_kept(change.path) for change in changes)
            # By whatever name it went.
            assert not any(TOKEN in (change.data or b"") for change in changes)
            assert asyncio.run(_standing(relay)) in (None, b"")
        finally:
            rubbish = Rubbish(soil / "gone")
            rubbish.take(relay.root)
            assert rubbish.close(SLOWEST_SECONDS)


def test_a_worker_comes_back_whatever_was_left(settings: Settings, soil: Path) -> None:
    given = settings.model_copy(update={"cells_dir": soil / "cells"})
    given.cells_dir.mkdir(mode=0o711)
    for number, name in enumerate(TREES):
        left = given.cells_dir / f"w{number}"
        (left / "1").mkdir(parents=True)
        (left / "lock").touch()
        grown(left / "1" / "state", TREES[name])
    began = time.monotonic()

    worker_dir = WorkerDir(given, Mode.USER)

    assert time.monotonic() - began < 2
    assert [path.name for path in given.cells_dir.iterdir()] == [worker_dir.folder.name]
    place = worker_dir.new_place()
    assert place.state.exists()
    wait_for(lambda: not any((worker_dir.folder / "gone").iterdir()), "all to be gone", seconds=60)
    worker_dir.clear(place)
    worker_dir.close()
    assert list(given.cells_dir.iterdir()) == []


def test_what_is_cleared_away_is_out_of_the_way_at_once(settings: Settings, soil: Path) -> None:
    given = settings.model_copy(update={"cells_dir": soil / "cells"})
    worker_dir = WorkerDir(given, Mode.USER)
    place = worker_dir.new_place()
    deep(10_000, "d")(place.state)
    began = time.monotonic()

    worker_dir.clear(place)

    assert time.monotonic() - began < 0.5
    assert not place.folder.exists()
    worker_dir.close()


def test_a_tree_that_grows_while_it_is_removed_goes_in_the_end(soil: Path) -> None:
    root = grown(soil / "cell", deep(50, "d", files=20))
    rubbish = Rubbish(soil / "gone")
    is_over = threading.Event()
    folder = root / "still"
    folder.mkdir()

    def grow() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            try:
                (soil / "gone" / "0" / "workspace" / "still" / str(number)).write_bytes(b"x")
            except OSError:
                return

    rubbish.take(soil / "cell")
    growing = threading.Thread(target=grow)
    growing.start()
    is_over.wait(0.2)
    is_over.set()
    growing.join()
    assert rubbish.close(SLOWEST_SECONDS)


def grown(folder: Path, tree: Callable[[Path], None]) -> Path:
    """A cell's folder with its configuration, and in its workspace the tree."""
    workspace = folder / "workspace"
    workspace.mkdir(parents=True, exist_ok=True)
    (folder / "openclaw.json").write_bytes(TOKEN)
    tree(workspace)
    return workspace


async def _saved(relay: Relay) -> list[Changed]:
    cell, writer = CellFiles(str(relay.socket_path)), StateWriter({}, {})
    changes: list[Changed] = []
    try:
        async for change in cell.state(0):
            if isinstance(change, Changed):
                writer.add(change)
                changes.append(change)
        writer.finish()
    finally:
        await cell.close()
    return changes


async def _standing(relay: Relay) -> bytes | None:
    cell = CellFiles(str(relay.socket_path))
    try:
        return await cell.get("workspace/USER.md", 99)
    finally:
        await cell.close()
