"""A turn whose files take long to read: it ends when its person says so. No cell is needed."""

import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from agent.runtime import Runtime
from agent.turn import AgentFailed, Attachment, Profile
from gateways.s3_files import Storage
from settings import Settings
from tests.agent.people import Person, TurnListener
from tests.hostile.pdfs import slow

STOP_SECONDS = 2


@pytest.fixture
def person(agent_settings: Settings, storage: Storage, tmp_path: Path) -> Generator[Person]:
    """Somebody on a worker that has no engine to boot cells with."""
    bare = {"cells_dir": tmp_path / "cells", "engine_dir": tmp_path / "none"}
    runtime = Runtime(agent_settings.model_copy(update=bare), storage)
    runtime.start()
    yield Person(runtime, Profile("Ada", "UTC", ""))
    runtime.stop(grace_seconds=0)


def test_a_stop_ends_a_turn_while_its_files_are_read(person: Person) -> None:
    stopped_at: list[float] = []

    def stop() -> None:
        stopped_at.append(time.monotonic())
        person.stop.set()

    threading.Timer(0.5, stop).start()
    endless = [Attachment(f"{number}.pdf", "application/pdf", slow()) for number in range(5)]

    with pytest.raises(AgentFailed) as failure:
        person.runtime.run(
            person.turn("Read these.", attachments=tuple(endless)),
            TurnListener(),
            person.purse,
            person.stop,
        )

    assert failure.value.code == "stopped"
    assert time.monotonic() - stopped_at[0] < STOP_SECONDS
