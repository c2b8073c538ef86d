"""Without namespaces and without a network: real OpenClaws in a jail, several people's at once."""

import os
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from agent.runtime import Runtime
from agent.turn import Profile
from gateways.s3_files import Storage
from settings import Settings
from tests.agent.conftest import ADA, BOOT_SECONDS
from tests.agent.people import Person
from tests.agent.scripted_model import ScriptedModel, UseTool

EVE = Profile("Eve", "Europe/Paris", "Other people's looms")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(420),
    pytest.mark.skipif(os.getuid() != 0, reason="only root can go into another root"),
]


@pytest.fixture(scope="module")
def runtime(
    agent_settings: Settings, storage: Storage, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Runtime]:
    """A worker's cells in this mode, the first of them booted."""
    given = {"sandbox": "jail", "cells_dir": tmp_path_factory.mktemp("cells")}
    runtime = Runtime(agent_settings.model_copy(update=given), storage)
    has_spare = threading.Event()
    runtime.on_free = has_spare.set
    runtime.start()
    assert has_spare.wait(BOOT_SECONDS), "no spare came up"
    yield runtime
    runtime.stop(grace_seconds=0)


def test_two_people_are_answered_side_by_side(runtime: Runtime, model: ScriptedModel) -> None:
    ada, eve = Person(runtime, ADA), Person(runtime, EVE)
    note = {"path": "MEMORY.md", "content": "# Memory\n- Ada's loom is called Jacquard\n"}
    model.will(UseTool("write", note), "Noted.")
    assert ada.say("My loom is called Jacquard.").text == "Noted."
    model.will("And you are Eve.")
    assert eve.say("Who am I?").text == "And you are Eve."
    hot = {runtime.pid_of(ada.id), runtime.pid_of(eve.id)}

    model.will("Still here.")
    assert ada.say("Are you there?", saved=False).text == "Still here."
    ada.begin_conversation()
    model.will("Jacquard.")
    ada.say("What is my loom called?", saved=False)

    assert "Ada's loom is called Jacquard" in model.last_request
    assert runtime.stats().sandbox == "own root, own uid, no network"
    assert {runtime.pid_of(ada.id), runtime.pid_of(eve.id)} == hot
    assert None not in hot
    assert all(_is_walled(pid) for pid in hot if pid)
    runtime.discard(ada.id)
    runtime.discard(eve.id)


def _is_walled(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    root = Path(f"/proc/{pid}/root").readlink()
    return "Seccomp:\t2" in status and "CapBnd:\t0000000000000000" in status and root.name == "jail"
