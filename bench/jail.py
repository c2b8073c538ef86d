"""What a cell costs in a container's jail, against one in namespaces of its own.

    python -m bench jail [--rounds 2] [--turns 8]

Each round runs the whole product twice: with its worker beside it, whose cells have namespaces,
and with its worker in runc as Docker runs it, whose cells have a jail. The first message of new
users, further messages, the boot of a spare, and the memory of cells should be much the same.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from bench.first_token import product
from bench.processes import cpu_seconds, megabytes
from embedded.stack import Stack
from models.schema.workers import Worker
from settings import Settings
from tests.containers import tools
from tests.drill.containers import ContainerStack
from tests.house import SETTINGS, House, wait_for

MOST_FACTOR = 1.15
# Uids from the first of cells on that are looked at; a worker never has more cells.
UIDS = 1000
UID = re.compile(r"^Uid:\s+(\d+)", re.MULTILINE)
PAUSES = 0


@dataclass
class Costs:
    """What was measured of one kind of wall, in seconds, processor seconds and megabytes."""

    mode: str = ""
    first: list[float] = field(default_factory=list[float])
    hot: list[float] = field(default_factory=list[float])
    boot: list[float] = field(default_factory=list[float])
    boot_cpu: list[float] = field(default_factory=list[float])
    memory: list[float] = field(default_factory=list[float])


WHATS = {
    "first": "first message to a warm spare, s",
    "hot": "further message to a hot cell, s",
    "boot": "boot and warm-up of a spare, s",
    "boot_cpu": "the same, CPU-s",
    "memory": "a cell, MB",
}


def main(arguments: Sequence[str]) -> int:
    """Measure both in turn, and print; return 1 when a jail costs too much, 2 without runc."""
    parser = argparse.ArgumentParser(prog="bench jail", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--turns", type=int, default=8, help="hot messages of each run")
    given = parser.parse_args(arguments)
    if lacking := tools.missing_to_run():
        sys.stderr.write(f"{lacking}\n")
        return 2
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251  # as for a stack of tests
    outside, inside = Costs(), Costs()
    for number in range(given.rounds):
        # What a machine does meanwhile should hit both alike.
        runs = [(Stack, outside), (ContainerStack, inside)]
        for kind, costs in runs if number % 2 == 0 else runs[::-1]:
            _run(kind, costs, given.turns)
    return _report(outside, inside)


def _run(kind: type[Stack], costs: Costs, turns: int) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        kind(Path(folder) / "data", settings=SETTINGS) as stack,
    ):
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        house.wait_for_spares()
        costs.mode = _mode(house)
        costs.boot_cpu += [cpu_seconds(pids) for pids in _cells().values()]
        mine = product(house, turns, pauses=PAUSES)
        costs.first += mine.spare.seconds
        costs.hot += mine.hot.seconds
        costs.boot += _boots(Path(stack.folder.logs))
        cells = _cells()
        costs.memory.append(sum(map(megabytes, cells.values())) / len(cells))
        house.close()


def _mode(house: House) -> str:
    with house.database() as db:
        return str(db.scalars(sa.select(Worker.sandbox).limit(1)).one())


def _cells() -> dict[int, list[int]]:
    """Find the processes of all cells of this machine, by their uid; containers' are among them."""
    first = Settings.model_fields["cell_uid_base"].default
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            uid = int(UID.findall((folder / "status").read_text())[0])
        except (OSError, IndexError):
            continue
        if first <= uid < first + UIDS:
            found.setdefault(uid, []).append(int(folder.name))
    return found


def _boots(logs: Path) -> list[float]:
    """Read how long each spare took, as its worker has logged it."""
    return [
        json.loads(line[line.index("{") :])["seconds"]
        for path in logs.glob("worker*")
        for line in path.read_text(errors="replace").splitlines()
        if '"cell.spare"' in line
    ]


def _report(outside: Costs, inside: Costs) -> int:
    print(f"{'':<36}{outside.mode:>26}{inside.mode:>34}      x")
    factors = [
        _print(what, getattr(outside, name), getattr(inside, name)) for name, what in WHATS.items()
    ]
    print(f"target: at most {MOST_FACTOR} x each")
    return 0 if max(factors) <= MOST_FACTOR else 1


def _print(what: str, outside: Iterable[float], inside: Iterable[float]) -> float:
    ours, theirs = statistics.median(outside), statistics.median(inside)
    print(f"{what:<36}{ours:>26.2f}{theirs:>34.2f}{theirs / ours:>7.2f}")
    return theirs / ours
