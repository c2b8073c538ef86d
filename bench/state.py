"""Bytes and seconds of a save after one message, and of a restore, against tar.zst and restic.

All of it for real: the relay of a cell in Node, a SQLite with its log, an S3 server on loopback.
"""

import argparse
import asyncio
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

from uuid_utils.compat import uuid7

from agent.files import CellFiles, Changed
from agent.state import BLANK, SavedStates, StateWriter
from agent.state.tree import Tree
from agent.turn import SavedState
from bench.whole_states import Restic, TarZst
from embedded.stack import Services
from gateways.s3_files import Storage
from settings import PROJECT_DIR, Settings
from tests.agent.state.relay import Relay, started
from tests.house import SETTINGS

MB = 1024 * 1024
# What a row of the transcript takes in the database.
ROW_BYTES = 3500
# Of the whole: how much of it is the database.
SIZES = {3: 0.8, 60: 0.33, 590: 0.1}
SAVES = 12
RESTORES = 3
SAVE_LIMIT_KB, SAVE_LIMIT_SECONDS, RESTORE_LIMIT_SECONDS = 64, 0.2, 0.15
WORDS = ("the", "a", "of", "loom", "engine", "pattern", "tea", "number", "card", "shall", "never")


@dataclass(frozen=True)
class Measured:
    """The medians of some saves, and of some restores."""

    what: str
    kilobytes: float
    save_seconds: float
    restore_seconds: float | None = None

    def __str__(self) -> str:
        restored = f"{self.restore_seconds:9.3f} s" if self.restore_seconds is not None else "-"
        return (
            f"  {self.what:<30}{self.kilobytes:11.1f} KB {self.save_seconds:9.3f} s {restored:>12}"
        )


def main(arguments: list[str]) -> int:
    """Measure each size, and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="bench state")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    sizes = parser.parse_args(arguments).sizes
    missed: list[str] = []
    with Services.for_one_run(PROJECT_DIR / ".test-data") as services:
        os.environ.update(SETTINGS, **services.environment())  # noqa: TID251  # as for tests
        settings = Settings()  # pyright: ignore[reportCallIssue]  # the environment fills them
        for size in sizes:
            with _person(settings, size) as (relay, database):
                missed += _compare(settings, size, relay, database)
    print(*missed or ["all targets met"], sep="\n")
    return 1 if missed else 0


def _compare(settings: Settings, size: int, relay: Relay, database: Connection) -> list[str]:
    print(f"\n{size} MB, {relay.database.stat().st_size / MB:.0f} MB of it the database")
    print(f"  {'':<30}{'one message':>14}{'':>11}{'restore':>12}", flush=True)
    turn = Turn(database, relay)
    ours = asyncio.run(Ours(settings, relay).measure(turn))
    print(ours, flush=True)
    for other in (TarZst(settings, relay), Restic.find(settings, relay)):
        if other is None:
            print("  restic is not installed here")
            continue
        kilobytes, seconds = other.measure(turn)
        print(Measured(other.name, kilobytes, seconds))
        print(f"    {kilobytes / ours.kilobytes:.1f} x the bytes, ", end="")
        print(f"{seconds / ours.save_seconds:.1f} x the seconds of ours", flush=True)
    return list(_missed(size, ours))


def _missed(size: int, ours: Measured) -> Generator[str]:
    if size == 60 and ours.kilobytes > SAVE_LIMIT_KB:
        yield f"missed: a save of 60 MB uploads {ours.kilobytes:.0f} KB, not {SAVE_LIMIT_KB}"
    if size == 60 and ours.save_seconds > SAVE_LIMIT_SECONDS:
        yield f"missed: a save of 60 MB takes {ours.save_seconds:.2f} s, not {SAVE_LIMIT_SECONDS}"
    restored = ours.restore_seconds or 0
    if size == 3 and restored > RESTORE_LIMIT_SECONDS:
        yield f"missed: a restore of 3 MB takes {restored:.2f} s, not {RESTORE_LIMIT_SECONDS}"


class Turn:
    """What one message changes: a few rows of the transcript, and a line in a note."""

    def __init__(self, database: Connection, relay: Relay) -> None:
        self._database, self._relay = database, relay
        self._random = random.Random(2)

    def __call__(self) -> None:
        for _ in range(8):
            self._database.execute("INSERT INTO rows (words) VALUES (?)", (words(self._random),))
        self._database.execute("UPDATE rows SET words = ? WHERE id = 7", (words(self._random),))
        self._relay.write("MEMORY.md", words(self._random).encode())


class Ours:
    """Saves and restores as a worker does."""

    def __init__(self, settings: Settings, relay: Relay) -> None:
        self._settings, self._relay = settings, relay
        self._states, self._user_id = SavedStates(Storage(settings)), uuid7()
        self._state, self._tree, self._generation = BLANK.state, BLANK.tree, 0

    async def measure(self, turn: Callable[[], None]) -> Measured:
        cell = CellFiles(str(self._relay.socket_path))
        seconds: list[float] = []
        kilobytes: list[float] = []
        await self._save(cell)
        for _ in range(SAVES):
            turn()
            began = time.perf_counter()
            saved = await self._save(cell)
            seconds.append(time.perf_counter() - began)
            kilobytes.append(saved.packs[-1].size_bytes / 1024)
        await cell.close()
        restores = [await self._restore() for _ in range(RESTORES)]
        return Measured(
            "pages that changed (ours)",
            statistics.median(kilobytes),
            statistics.median(seconds),
            statistics.median(restores),
        )

    async def _save(self, cell: CellFiles) -> SavedState:
        writer = StateWriter(self._tree, {})
        async for change in cell.state(self._generation):
            if isinstance(change, Changed):
                await asyncio.to_thread(writer.add, change)
            else:
                self._generation = change.number
        tree, packed = await asyncio.to_thread(writer.finish)
        assert packed is not None
        self._state = await asyncio.to_thread(
            self._states.put, self._user_id, self._state, tree, packed
        )
        self._tree: Tree = tree
        return self._state

    async def _restore(self) -> float:
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            started(self._settings, Path(folder)) as blank,
            closing(Connected(blank)) as cell,
        ):
            await cell.wait()
            began = time.perf_counter()
            restored = await asyncio.to_thread(self._states.get, (self._state,))
            await cell.files.put_state(restored.files)
            took = time.perf_counter() - began
            await cell.files.close()
            return took


class Connected:
    """A client of a relay that has come up."""

    def __init__(self, relay: Relay) -> None:
        self.files = CellFiles(str(relay.socket_path))

    async def wait(self) -> None:
        await self.files.get("is it there?", 1)

    def close(self) -> None: ...


@contextmanager
def _person(settings: Settings, size: int) -> Generator[tuple[Relay, Connection]]:
    """Make a cell's folder of so many MB: a transcript, and files that compress by a half."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        started(settings, Path(folder)) as relay,
        relay.open_database() as database,
    ):
        chance, share = random.Random(1), SIZES[size]
        database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, words TEXT)")
        rows = int(size * MB * share / ROW_BYTES)
        database.execute("BEGIN")
        inserting = "INSERT INTO rows (words) VALUES (?)"
        database.executemany(inserting, ((words(chance),) for _ in range(rows)))
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA wal_autocheckpoint = 1000")
        left = int(size * (1 - share) * MB)
        for number in range(-(-left // (5 * MB))):
            length = min(5 * MB, left - number * 5 * MB)
            half = chance.randbytes(length // 2)
            relay.write(f"uploads/{number}.bin", half + bytes(length - len(half)))
        yield relay, database
        shutil.rmtree(relay.root, ignore_errors=True)


def words(chance: random.Random) -> str:
    """Make some 2 KB of text, as a step of a transcript is."""
    return " ".join(chance.choices(WORDS, k=380)) + chance.randbytes(60).hex()
