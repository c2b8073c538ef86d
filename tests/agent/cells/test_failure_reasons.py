"""What a turn failed of: when it is tried once more, and how long that takes to find out."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cells import failure_reasons
from agent.cells.host.cell_paths import Mode
from agent.cells.host.worker_dir import WorkerDir
from agent.cells.io.answer import Stuck
from agent.cells.io.gateway import GatewayFailed, GatewayRefused
from settings import Settings
from tests.agent.meter.world import MODELS, turn

FIRST, SECOND = 1, 2


@pytest.mark.parametrize(
    ("error", "attempt", "code", "is_permanent"),
    [
        (Stuck("silent"), FIRST, "no_answer", False),
        (Stuck("silent"), SECOND, "stuck", True),
        (GatewayFailed("empty"), SECOND, "no_answer", False),
    ],
)
def test_who_is_stuck_again_is_not_tried_a_third_time(
    settings: Settings,
    tmp_path: Path,
    error: GatewayFailed,
    attempt: int,
    code: str,
    is_permanent: bool,
) -> None:
    worker_dir = WorkerDir(settings.model_copy(update={"cells_dir": tmp_path / "cells"}), Mode.USER)
    asked = replace(turn(MODELS["demo"]), attempt=attempt)

    failure = failure_reasons.of_living(error, asked, worker_dir.disk, pid=1)

    assert (failure.code, failure.permanent) == (code, is_permanent)
    worker_dir.close()


Act = Callable[[asyncio.Event, threading.Event], object]


def _found(error: GatewayFailed, act: Act) -> tuple[bool, float]:
    """Whether a process is said to be dead when `act` happens soon; after how many seconds."""

    async def look() -> bool:
        gone, stop = asyncio.Event(), threading.Event()
        asyncio.get_running_loop().call_later(0.1, act, gone, stop)
        return await failure_reasons.is_dead(error, gone, stop)

    began = time.monotonic()
    return asyncio.run(look()), time.monotonic() - began


def test_a_process_that_dies_is_given_a_moment() -> None:
    is_dead, seconds = _found(GatewayFailed("broke off"), lambda gone, _: gone.set())
    assert is_dead
    assert 0.1 <= seconds < failure_reasons.GONE_SECONDS


def test_a_gateway_that_refuses_lives_and_nobody_waits() -> None:
    is_dead, seconds = _found(GatewayRefused("admission is closed"), lambda gone, _: gone.set())
    assert not is_dead
    assert seconds < 0.1


def test_who_presses_stop_waits_for_no_process() -> None:
    is_dead, seconds = _found(GatewayFailed("broke off"), lambda _, stop: stop.set())
    assert not is_dead
    assert seconds < failure_reasons.GONE_SECONDS
