"""Where namespaces cannot be had: a real OpenClaw under a uid of its own, behind the filter."""

import os
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from agent import engine
from agent.runtime import Runtime
from gateways.s3_files import Storage
from settings import Settings
from tests.agent.conftest import ADA, BOOT_SECONDS
from tests.agent.people import Person
from tests.agent.scripted_model import ScriptedModel

OTHER = 64_992
pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can change uids"),
]


@pytest.fixture
def runtime(
    agent_settings: Settings, storage: Storage, passable_folder: Path
) -> Generator[Runtime]:
    """A worker's cells in this mode, the first of them booted."""
    found = engine.find(agent_settings)
    assert found is not None
    if subprocess.run(["test", "-x", str(found.node)], user=OTHER, check=False).returncode:
        pytest.skip("the engine lies where no other uid may pass")
    given = {"sandbox": "uid", "cells_dir": passable_folder / "cells"}
    runtime = Runtime(agent_settings.model_copy(update=given), storage)
    has_spare = threading.Event()
    runtime.on_free = has_spare.set
    runtime.start()
    assert has_spare.wait(BOOT_SECONDS), "no spare came up"
    yield runtime
    runtime.stop(grace_seconds=0)


def test_openclaw_boots_and_answers_behind_the_filter_alone(
    runtime: Runtime, model: ScriptedModel
) -> None:
    model.will("There you are.")
    ada = Person(runtime, ADA)

    assert ada.say("Are you there?", saved=False).text == "There you are."
    assert runtime.stats().sandbox == "own uid only"
    pid = runtime.pid_of(ada.id)
    status = Path(f"/proc/{pid}/status").read_text()
    assert "Seccomp:\t2" in status
    assert "CapBnd:\t0000000000000000" in status
