"""What a spare costs before anybody needs it: processor time and memory of its boot and warm-up.

Against `openclaw gateway run` as its makers start it, in the same run, up to its first answer.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.cells.states import State
from agent.runtime import Runtime
from bench.plain_gateway import PlainOpenClaw
from bench.processes import children, command, cpu_seconds, megabytes, tree
from embedded.engine import PROJECT_DIR
from embedded.stack import Services
from gateways.s3_files import Storage
from settings import Settings
from tests.house import SETTINGS, wait_for

BOOT_SECONDS = 180.0
# What was measured of OpenClaw at first, unbundled and without any of our settings.
LIMIT_SECONDS = 20.0


@dataclass(frozen=True)
class Boot:
    """Processor seconds until it answers, and of the warm-up; seconds on the clock; megabytes."""

    booting: float
    warming: float
    elapsed: float
    memory: float

    def __str__(self) -> str:
        whole = self.booting + self.warming
        return (
            f"{self.booting:7.1f} {self.warming:9.1f} {whole:7.1f} CPU-s"
            f" {self.elapsed:8.1f} s {self.memory:7.0f} MB"
        )


def main(arguments: list[str]) -> int:
    """Boot some spares, and print; return 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="bench boot")
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args(arguments).times
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251  # as for a stack of tests
    print(f"{'':<26}   boot   warm-up     all          elapsed  memory")
    with (
        Services.for_one_run(PROJECT_DIR / ".test-data") as services,
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
    ):
        given = {**SETTINGS, **services.environment(), "CELLS_PER_WORKER": "1"}
        os.environ.update(given)  # noqa: TID251
        ours = _median([_spare(Path(folder) / str(number)) for number in range(times)])
        print(f"{'a spare of ours':<26}{ours}", flush=True)
        plain = _plain(given, Path(folder) / "plain")
        print(f"{'openclaw gateway run':<26}{plain}")
    spent = ours.booting + ours.warming
    print(
        f"{spent / (plain.booting + plain.warming):.2f} x; target {LIMIT_SECONDS:.0f} CPU-s: ",
        end="",
    )
    print("met" if spent <= LIMIT_SECONDS else "missed")
    return 0 if spent <= LIMIT_SECONDS else 1


def _spare(folder: Path) -> Boot:
    """Boot one spare as a worker does."""
    settings = Settings(cells_dir=folder)  # pyright: ignore[reportCallIssue]
    runtime = Runtime(settings, Storage(settings))
    began = time.monotonic()
    runtime.start()
    try:
        pid = wait_for(lambda: _pid(runtime, State.WARMING, State.SPARE), "a boot", BOOT_SECONDS)
        booted = cpu_seconds(tree(pid))
        wait_for(lambda: _pid(runtime, State.SPARE), "a spare", BOOT_SECONDS)
        elapsed = time.monotonic() - began
        return Boot(booted, cpu_seconds(tree(pid)) - booted, elapsed, megabytes(tree(pid)))
    finally:
        runtime.stop(grace_seconds=0)


def _plain(given: dict[str, str], home: Path) -> Boot:
    """Start a gateway without anything of ours, and have it answer once."""
    began = time.monotonic()
    with PlainOpenClaw(given, home).gateway() as address:
        assert address
        (pid,) = [pid for pid in children(os.getpid()) if "openclaw" in command(pid)]
        return Boot(cpu_seconds(tree(pid)), 0, time.monotonic() - began, megabytes(tree(pid)))


def _pid(runtime: Runtime, *states: State) -> int | None:
    cells = list(runtime._pool._cells)  # pyright: ignore[reportPrivateUsage]
    return cells[0].pid if cells and cells[0].state in states else None


def _median(boots: list[Boot]) -> Boot:
    def of(part: Callable[[Boot], float]) -> float:
        return statistics.median(part(boot) for boot in boots)

    return Boot(
        of(lambda boot: boot.booting),
        of(lambda boot: boot.warming),
        of(lambda boot: boot.elapsed),
        of(lambda boot: boot.memory),
    )
