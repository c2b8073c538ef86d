"""How workers are scaled: the ways that AWS has against the product's loop, on the same days.

    python -m bench scaling [--people 5000] [--cells 16] [--recorded FILE] [--real]

Each day is played several times with other chances. The own loop is the product's as long as it
waits at most half as long as step scaling in the first minutes of the burst, for no more hours.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.scaling import real
from bench.scaling.policies import ways
from bench.scaling.simulation import Outcome, Simulation
from bench.scaling.traffic import HOUR, Traffic, made, recorded
from tasks.scaling.policy import Rule

WAVE_SECONDS = 15 * 60
# A Fargate task on ARM with 4 processors and 30 GB for 23 cells, an hour, as of November 2026.
CELL_DOLLARS = (4 * 0.03238 + 30 * 0.00356) / 23
MOST_WAIT, MOST_PART = 5, 0.5
# The same hours, to the noise of the simulation.
SAME = 1.02


@dataclass(frozen=True)
class Row:
    """A way on one kind of day, over all its chances."""

    p95: int
    p99: int
    wave_p95: int
    wave_p99: int
    hours: float
    most: int
    turns: float


def main(arguments: Sequence[str]) -> int:
    """Play all days, print them, and return 1 when the product's way is not the better one."""
    parser = argparse.ArgumentParser(prog="bench scaling", description=__doc__)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--cells", type=int, default=16, help="of one worker")
    parser.add_argument(
        "--start", type=float, default=45.0, help="seconds to a worker's first cell"
    )
    parser.add_argument("--chances", type=int, default=3, help="how often each day is played")
    parser.add_argument("--recorded", type=Path, help="CSV of seconds and lengths of turns")
    parser.add_argument("--real", action="store_true", help="12 real worker processes instead")
    given = parser.parse_args(arguments)
    if given.real:
        return real.main()
    days = _days(given)
    tables = [_play(day, given) for day in zip(*days, strict=True)]
    _explain(given)
    for day, table in zip(days[0], tables, strict=True):
        _print(day.name, table, given.cells)
    return 0 if given.recorded else _decide(tables[1])


def _days(given: argparse.Namespace) -> list[list[Traffic]]:
    if given.recorded:
        return [[recorded(given.recorded)]] * given.chances
    return [made(given.people, seed) for seed in range(1, given.chances + 1)]


def _play(days: Sequence[Traffic], given: argparse.Namespace) -> dict[str, Row]:
    found: dict[str, list[Outcome]] = {}
    for seed, day in enumerate(days):
        for way in ways(Rule(start_seconds=given.start)):
            played = Simulation(day, way, cells=given.cells, start=given.start, seed=seed).run()
            found.setdefault(way.name, []).append(played)
    return {name: _row(outcomes, days[0].wave_at) for name, outcomes in found.items()}


def _row(outcomes: Sequence[Outcome], wave_at: int) -> Row:
    every = sorted(wait for one in outcomes for _, wait in one.waits)
    wave = sorted(
        wait for one in outcomes for at, wait in one.waits if wave_at <= at < wave_at + WAVE_SECONDS
    )
    count = len(outcomes)
    return Row(
        *(_part(every, 0.95), _part(every, 0.99), _part(wave, 0.95), _part(wave, 0.99)),
        hours=sum(one.worker_seconds for one in outcomes) / HOUR / count,
        most=max(one.most for one in outcomes),
        turns=sum(one.turns for one in outcomes) / count,
    )


def _part(ordered: Sequence[int], part: float) -> int:
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else 0


def _explain(given: argparse.Namespace) -> None:
    print(
        f"{given.people:,} people, workers of {given.cells} cells that take {given.start:g} s to"
        f" start, {given.chances} chances each; waits in seconds."
    )
    print("wave: who came in the first 15 minutes of it. turns: changes of mind within a minute.")


def _print(day: str, table: dict[str, Row], cells: int) -> None:
    print(f"\n{day:<36}    p95    p99  wave p95    p99   hours      $  most  turns")
    for name, row in table.items():
        dollars = row.hours * cells * CELL_DOLLARS
        print(
            f"  {name:<34} {row.p95:>6} {row.p99:>6} {row.wave_p95:>9} {row.wave_p99:>6}"
            f" {row.hours:>7.1f} {dollars:>6.2f} {row.most:>5} {row.turns:>6.1f}"
        )


def _decide(burst: dict[str, Row]) -> int:
    backlog, _, steps, own = burst.values()
    part = own.hours / backlog.hours
    is_met = part <= MOST_PART and own.wave_p95 <= MOST_WAIT
    is_better = 2 * own.wave_p95 <= steps.wave_p95 and own.hours <= SAME * steps.hours
    print(
        f"\nThe own loop waits {own.wave_p95} s where step scaling waits {steps.wave_p95} s, for"
        f" {own.hours / steps.hours:.2f} of its hours:"
        f" {'it is the way' if is_better else 'step scaling would be the way'}.",
        f"Of target tracking's hours it takes {part:.2f}; at most {MOST_PART} and {MOST_WAIT} s"
        f" were wanted: {'met' if is_met else 'missed'}.",
        sep="\n",
    )
    return 0 if is_better and is_met else 1
