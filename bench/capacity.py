"""How many people in conversation a worker carries: memory for each, and processor time a turn.

Everybody sends the next message as soon as the last is answered. Against a gateway for each person,
which is what renting everybody a machine of their own comes to; theirs is called directly, without
a website, files kept elsewhere, books or walls.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.plain_gateway import PlainOpenClaw, first_word
from bench.processes import children, command, cpu_seconds, megabytes, tree
from embedded.stack import Stack
from tests.house import SETTINGS, House, wait_for

PEOPLE = 6
SECONDS = 60.0
WORDS = "How are you today? [[demo: words 30]]"
WORKER, DEMO_MODEL = "tasks.worker.main", "embedded.demo_model"
MB_IN_GB = 1024

Ask = Callable[[], object]


@dataclass(frozen=True)
class Carried:
    """What so many people in conversation took."""

    what: str
    people: int
    turns: list[float]
    seconds: float
    cpu: float
    memory: float

    @property
    def cpu_a_turn(self) -> float:
        return self.cpu / len(self.turns)

    @property
    def a_gigabyte(self) -> float:
        return MB_IN_GB * self.people / self.memory

    def __str__(self) -> str:
        worst = statistics.quantiles(self.turns, n=20)[18]
        return (
            f"{self.what:<36}{self.people:3} people {self.memory / self.people:6.0f} MB each"
            f" ({self.a_gigabyte:.2f} a GB) {self.cpu_a_turn:6.2f} CPU-s a turn"
            f" {len(self.turns) / self.seconds:6.2f} turns/s"
            f"  p50 {statistics.median(self.turns):.2f} s  p95 {worst:.2f} s"
        )


def main(arguments: list[str]) -> int:
    """Measure both ways, and print; there is no target to miss."""
    parser = argparse.ArgumentParser(prog="bench capacity")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args(arguments)
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251  # as for a stack of tests
    settings = {**SETTINGS, "CELLS_PER_WORKER": str(given.people), "SPARE_CELLS": "0"}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Stack(Path(folder) / "data", settings=settings) as stack,
    ):
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        ours = _product(house, given.people, given.seconds)
        print(ours, flush=True)
        house.kill(WORKER)
        theirs = _gateways(house, Path(folder), given.people, given.seconds)
        print(theirs)
        house.close()
    print(f"\nCPU of a turn: {ours.cpu_a_turn / theirs.cpu_a_turn:.2f} x a gateway's own")
    print(f"memory of a person in conversation: {theirs.a_gigabyte / ours.a_gigabyte:.2f} x")
    print("Who is not in conversation takes none of ours, and a whole gateway of theirs.")
    return 0


def _product(house: House, count: int, seconds: float) -> Carried:
    people = [house.person(f"Bench{number}") for number in range(count)]
    conversations = [person.ask_and_wait(WORDS).job.conversation_id for person in people]
    asks = [
        partial(person.ask_and_wait, WORDS, conversation)
        for person, conversation in zip(people, conversations, strict=True)
    ]
    # Of the whole product but the model: worker, cells, website, databases, storage.
    return _carry("product, one worker", asks, seconds, lambda: _all_but_the_model(os.getpid()))


def _gateways(house: House, folder: Path, count: int, seconds: float) -> Carried:
    with ExitStack() as running:
        addresses = [
            running.enter_context(
                PlainOpenClaw(house.environment, folder / f"plain{one}").gateway()
            )
            for one in range(count)
        ]
        mine = [pid for pid in children(os.getpid()) if "openclaw" in command(pid)]
        assert len(mine) == count
        asks = [partial(first_word, address, WORDS) for address in addresses]
        return _carry(
            "a gateway for each, called directly",
            asks,
            seconds,
            lambda: [one for pid in mine for one in tree(pid)],
        )


def _all_but_the_model(root: int) -> list[int]:
    return [pid for pid in tree(root)[1:] if DEMO_MODEL not in command(pid)]


def _carry(
    what: str, asks: Sequence[Ask], seconds: float, processes: Callable[[], list[int]]
) -> Carried:
    turns: list[float] = []
    before = cpu_seconds(processes())
    began = time.monotonic()
    threads = [threading.Thread(target=_talk, args=(ask, turns, began + seconds)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    after = processes()
    return Carried(what, len(asks), turns, took, cpu_seconds(after) - before, megabytes(after))


def _talk(ask: Ask, turns: list[float], until: float) -> None:
    while time.monotonic() < until:
        began = time.monotonic()
        ask()
        turns.append(time.monotonic() - began)
