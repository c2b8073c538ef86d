"""Files are saved after a turn: what counts as the newest version, and what may go wrong."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.turn import AgentFailed, SavedPack, SavedState, TurnFailure
from gateways.s3_files import NotStored, Storage, StorageFailed
from models.ops import snapshots
from models.schema.snapshots import StateSnapshot
from models.schema.users import User
from settings import Settings
from tasks.worker import saving
from tasks.worker.leased_jobs import LeasedJob
from tests import factories
from tests.tasks.bare_worker import BareWorker, CellsOfNobody


class Cells(CellsOfNobody):
    """Store what a turn changed as a pack of its own, or fail as a test says."""

    def __init__(self, storage: Storage) -> None:
        super().__init__()
        self.storage = storage
        self.trouble: Exception | None = None

    def save(self, user_id: UUID) -> SavedState:
        if self.trouble is not None:
            raise self.trouble
        self.saved.append(user_id)
        version = len(self.saved)
        key = f"state/{user_id}/{version}"
        self.storage.put(key, b"files")
        return SavedState(version, (SavedPack(key, "0" * 64, 5),), 5)


@pytest.fixture
def worker(settings: Settings, redis_url: str, storage: Storage) -> BareWorker:
    assert redis_url
    worker = BareWorker(settings)
    worker.runtime = worker.cells = Cells(storage)
    return worker


@pytest.fixture
def cells(worker: BareWorker) -> Cells:
    assert isinstance(worker.runtime, Cells)
    return worker.runtime


def answered(worker: BareWorker, db: Session, ada: User) -> LeasedJob:
    """A turn of Ada's that has just been answered."""
    factories.job(db, ada)
    db.commit()
    turn = worker.claim(ada.id)
    assert turn is not None
    turn.publisher.close()
    db.expire_all()
    return turn.held


def versions(db: Session, ada: User) -> list[int]:
    db.expire_all()
    return [one.version for one in snapshots.newest(db, ada.id, limit=99)]


def test_each_turn_makes_the_next_version(worker: BareWorker, db: Session, ada: User) -> None:
    held = answered(worker, db, ada)

    for _ in range(2):
        saving.save(worker, held)

    assert versions(db, ada) == [2, 1]
    assert worker.cells.discarded == []
    assert ada.cell_worker_id in {None, worker.id}


def test_versions_beyond_those_kept_go_with_their_objects(
    worker: BareWorker, cells: Cells, db: Session, ada: User
) -> None:
    held = answered(worker, db, ada)
    for _ in range(snapshots.KEPT_VERSIONS + 1):
        saving.save(worker, held)

    kept = versions(db, ada)
    assert len(kept) == snapshots.KEPT_VERSIONS
    with pytest.raises(NotStored):
        cells.storage.get(f"state/{ada.id}/1")
    assert cells.storage.get(f"state/{ada.id}/{kept[0]}") == b"files"


@pytest.mark.parametrize(
    "trouble",
    [StorageFailed("away"), AgentFailed(TurnFailure.CELL_DIED, permanent=False)],
    ids=["storage", "cell"],
)
def test_a_cell_whose_files_were_not_saved_is_ended(
    worker: BareWorker, cells: Cells, db: Session, ada: User, trouble: Exception
) -> None:
    held = answered(worker, db, ada)
    ada.cell_worker_id = worker.id
    db.commit()
    cells.trouble = trouble

    saving.save(worker, held)

    assert versions(db, ada) == []
    assert cells.discarded == [ada.id]
    # Others need not wait for files that nobody saves any more.
    db.refresh(ada)
    assert ada.cell_worker_until is not None


def test_two_histories_never_exist_side_by_side(
    worker: BareWorker, cells: Cells, db: Session, ada: User
) -> None:
    """Another worker has saved meanwhile: what this cell has is not the next version."""
    held = answered(worker, db, ada)
    elsewhere = StateSnapshot(user_id=ada.id, version=1, packs=[], size_bytes=1, job_id=held.job_id)
    snapshots.add(db, elsewhere)
    db.commit()

    saving.save(worker, held)

    found = sa.select(StateSnapshot.id).where(StateSnapshot.user_id == ada.id)
    assert list(db.scalars(found)) == [elsewhere.id]
    assert cells.discarded == [ada.id]
