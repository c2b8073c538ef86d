"""A full disk: the turn says so at once, and the worker takes no more until there is room."""

import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from agent.runtime import Runtime
from agent.turn import AgentFailed
from gateways.s3_files import Storage
from settings import Settings
from tests.agent.conftest import ADA, BOOT_SECONDS
from tests.agent.disks import filled, small_disk
from tests.agent.people import Person
from tests.agent.scripted_model import ScriptedModel
from tests.house import wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

DISK_MB = 128


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Path]:
    with small_disk(tmp_path / "cells", DISK_MB) as disk:
        yield disk


@pytest.fixture
def runtime(disk: Path, agent_settings: Settings, storage: Storage) -> Generator[Runtime]:
    """A worker with a single cell on that disk."""
    given = {"cells_dir": disk, "cells_per_worker": 1}
    runtime = Runtime(agent_settings.model_copy(update=given), storage)
    has_spare = threading.Event()
    runtime.on_free = has_spare.set
    runtime.start()
    assert has_spare.wait(BOOT_SECONDS), "no spare came up"
    yield runtime
    runtime.stop(grace_seconds=0)


def test_a_full_disk_ends_the_turn_and_is_waited_out(
    disk: Path, runtime: Runtime, model: ScriptedModel, storage: Storage
) -> None:
    ada = Person(runtime, ADA)
    model.will("Written down.")
    ada.say("Before it is full.")
    saved = storage.list(f"state/{ada.id}/")
    charged = len(ada.purse.closed)

    with filled(disk):
        model.will("Not written down.")
        with pytest.raises(AgentFailed) as turn:
            ada.say("Now it is full.")
        with pytest.raises(AgentFailed) as save:
            ada.save()
        assert (turn.value.code, turn.value.permanent) == ("disk_full", False)
        assert (save.value.code, save.value.permanent) == ("disk_full", False)
        # No call went out, so nothing is charged; and the last version stays what it was.
        assert (len(ada.purse.closed), storage.list(f"state/{ada.id}/")) == (charged, saved)
        assert (runtime.hot_users(), runtime.room(set())) == ([], 0)
        # As whoever wrote down the failure does: what the cell was at is not to be trusted.
        runtime.discard(ada.id)
        with pytest.raises(AgentFailed, match="disk_full"):
            ada.say("Still full.")
        assert runtime.stats().booting == 0

    wait_for(lambda: runtime.stats().booting, "a boot, now that there is room", seconds=20)
