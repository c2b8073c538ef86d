"""Ada, who talks with the assistant of the shared runtime."""

from collections.abc import Generator

import pytest
import sqlalchemy as sa

from agent.runtime import Runtime
from gateways.s3_files import Storage
from models.database import unit_of_work
from tests import factories
from tests.agent.scripted_model import ScriptedModel
from tests.agent.tools.talking import Talk


@pytest.fixture
def ada(
    runtime: Runtime, storage: Storage, model: ScriptedModel, emptied: sa.Engine
) -> Generator[Talk]:
    assert emptied
    with unit_of_work() as db:
        user = factories.user(db, "ada@example.org", name="Ada")
    yield Talk(runtime, storage, model, user.id)
    runtime.discard(user.id)
