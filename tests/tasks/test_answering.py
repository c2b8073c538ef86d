"""What comes before a turn: its files forget what its person has deleted."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from agent.turn import Forgotten, SavedPack, SavedState
from gateways.s3_files import Storage
from models import erasures, snapshots
from models.database import unit_of_work
from models.snapshots import StateSnapshot
from models.users import User
from settings import Settings
from tasks import answering
from tests import factories
from tests.tasks.bare_worker import BareWorker, CellsOfNobody


class Forgetting(CellsOfNobody):
    """Forgets at once; meanwhile the next of `deleted` is deleted."""

    def __init__(self, deleted: list[UUID]) -> None:
        super().__init__()
        self.deleted = deleted
        self.forgotten: list[UUID] = []

    def forget(
        self,
        user_id: UUID,
        states: tuple[SavedState, ...],
        forgotten: Forgotten,
        check: Callable[[], object],
    ) -> SavedState:
        self.forgotten += forgotten.conversations
        if self.deleted:
            with unit_of_work() as db:
                erasures.want(db, user_id, self.deleted.pop())
        version = states[0].version + 1
        return SavedState(version, (SavedPack(f"state/{user_id}/{version}", "0" * 64, 1),), 1)


@pytest.fixture
def worker(settings: Settings, redis_url: str, storage: Storage) -> BareWorker:
    assert redis_url
    assert storage
    return BareWorker(settings)


def test_what_is_deleted_while_files_forget_is_forgotten_too(
    worker: BareWorker, db: Session, ada: User
) -> None:
    asked = factories.job(db, ada, "Hello?")
    snapshots.add(
        db, StateSnapshot(user_id=ada.id, version=1, packs=[], size_bytes=1, job_id=asked.id)
    )
    first, second = (factories.conversation(db, ada).id for _ in range(2))
    erasures.want(db, ada.id, first)
    db.commit()
    runtime = Forgetting([second])
    worker.runtime = runtime
    scripted = worker.claim(ada.id)
    assert scripted

    turn = answering._prepared(worker, scripted.held)  # pyright: ignore[reportPrivateUsage]

    assert runtime.forgotten == [first, second]
    assert [state.version for state in turn.states] == [3]
