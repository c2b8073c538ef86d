"""A real OpenClaw runtime over a scripted model, booted once for all tests that need one."""

import threading
from collections.abc import Callable, Generator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from agent.runtime import Runtime
from agent.turn import Profile
from gateways.s3_files import Storage
from settings import PriceOverride, Settings
from tests.agent.people import Person
from tests.agent.scripted_model import ScriptedModel

BOOT_SECONDS = 180
ADA = Profile("Ada Lovelace", "Europe/Paris", "Understanding looms and engines")


@pytest.fixture(scope="session")
def model() -> ScriptedModel:
    model = ScriptedModel()
    model.start()
    return model


@pytest.fixture(scope="session")
def agent_settings(
    settings: Settings, model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    return settings.model_copy(
        update={
            "compatible_base_url": model.base_url,
            "compatible_models": ("scripted",),
            "price_overrides": {
                "compatible/scripted": PriceOverride.model_validate({"input": 1, "output": 1})
            },
            "demo_model_url": None,
            "cells_per_worker": 2,
            "spare_cells": 1,
            "cells_dir": tmp_path_factory.mktemp("cells", numbered=True),
        }
    )


@pytest.fixture(scope="session")
def start_runtime(agent_settings: Settings, storage: Storage) -> Generator[Callable[[], Runtime]]:
    """Start further workers, each on an empty disk of its own."""
    runtimes: list[Runtime] = []

    def start() -> Runtime:
        cells_dir = Path(mkdtemp(prefix="cells-"))
        runtime = Runtime(agent_settings.model_copy(update={"cells_dir": cells_dir}), storage)
        has_spare = threading.Event()
        runtime.on_free = has_spare.set
        runtime.start()
        runtimes.append(runtime)
        assert has_spare.wait(BOOT_SECONDS), "no spare came up"
        return runtime

    yield start
    for runtime in runtimes:
        runtime.stop(grace_seconds=0)


@pytest.fixture(scope="module")
def runtime(start_runtime: Callable[[], Runtime]) -> Runtime:
    return start_runtime()


@pytest.fixture(scope="module")
def ada(runtime: Runtime) -> Person:
    """Has a hot cell on the shared runtime."""
    return Person(runtime, ADA)
