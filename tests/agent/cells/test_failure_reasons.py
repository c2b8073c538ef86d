"""A message that a cell gets stuck at: tried once more, and then no more."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.cells import failure_reasons
from agent.cells.host.cell_paths import Mode
from agent.cells.host.worker_dir import WorkerDir
from agent.cells.io.answer import Stuck
from agent.cells.io.gateway import GatewayFailed
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
