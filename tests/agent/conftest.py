"""A real OpenClaw runtime over a scripted model, booted once for all tests that need one."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from agent.runtime import Runtime
from agent.turn import Profile
from embedded.demo_model.server import DemoModel, Options
from gateways.s3_files import Storage
from settings import Settings
from settings.providers import PriceOverride
from tasks.worker.tools import HANDLERS
from tests.agent.people import Person
from tests.agent.scripted_model import ScriptedModel

BOOT_SECONDS = 180
ADA = Profile("Ada Lovelace", "Europe/Paris", "Understanding looms and engines")


@pytest.fixture
def passable_folder() -> Generator[Path]:
    """A folder that other uids can pass through, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def model() -> ScriptedModel:
    model = ScriptedModel()
    model.start()
    return model


@pytest.fixture(scope="session")
def agent_settings(settings: Settings, model: ScriptedModel) -> Settings:
    """The scripted model is the default; the demo model stands in for the three companies."""
    demo = DemoModel(Options(pause_seconds=0, is_scriptable=True, is_recording=True))
    companies = f"http://127.0.0.1:{model.serve(demo.app())}"
    key = SecretStr("a-provider-key")
    return settings.model_copy(
        update={
            "default_model": "compatible/scripted",
            "anthropic_api_key": key,
            "anthropic_base_url": companies,
            "openai_api_key": key,
            "openai_base_url": f"{companies}/v1",
            "gemini_api_key": key,
            "gemini_base_url": companies,
            "compatible_base_url": model.base_url,
            "compatible_models": ("scripted",),
            "price_overrides": {
                "compatible/scripted": PriceOverride.model_validate({"input": 1, "output": 1})
            },
            "demo_model_url": None,
            "cells_per_worker": 2,
            "spare_cells": 1,
            "cell_silent_seconds": 15.0,
            # So that conversations become long soon.
            "context_window_tokens": 24_000,
        }
    )


@pytest.fixture(scope="session")
def start_runtime(
    agent_settings: Settings, storage: Storage, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Callable[..., Runtime]]:
    """Start further workers, each on an empty disk of its own."""
    runtimes: list[Runtime] = []

    def start(**changes: Any) -> Runtime:
        changes.setdefault("cells_dir", tmp_path_factory.mktemp("cells"))
        runtime = Runtime(agent_settings.model_copy(update=changes), storage, HANDLERS)
        has_spare = threading.Event()
        runtime.on_free = has_spare.set
        runtime.start()
        runtimes.append(runtime)
        assert has_spare.wait(BOOT_SECONDS), "no spare came up"
        return runtime

    yield start
    for runtime in runtimes:
        runtime.stop(grace_seconds=0)


@pytest.fixture(scope="session")
def runtime(start_runtime: Callable[..., Runtime]) -> Runtime:
    return start_runtime()


@pytest.fixture(scope="module")
def ada(runtime: Runtime) -> Generator[Person]:
    """Has a hot cell on the shared runtime, until others need the room."""
    person = Person(runtime, ADA)
    yield person
    runtime.discard(person.id)
