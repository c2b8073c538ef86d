"""Deleted conversations: whatever fails on the way, in the end nothing saved has a word of them."""

from collections.abc import Generator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from agent.runtime import Runtime
from agent.state import SavedStates
from gateways.s3_files import Storage, StorageFailed
from models.base import utc_now
from models.chat import erasures
from models.ops import snapshots
from models.people import users
from models.schema.chat import Conversation
from models.schema.jobs import Job, JobStatus
from models.schema.snapshots import Pack, StateSnapshot
from models.schema.users import User
from settings import Settings
from tasks.worker import build_turn, forgetting
from tasks.worker.build_turn import MustForget
from tasks.worker.process import WorkerProcess
from tests import factories
from tests.agent.old_state import LOOMS, UPLOAD, stored

MEMORY = "workspace/MEMORY.md"
pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("cells")]


@dataclass
class Worker:
    """As much of a worker as this needs: it answers nobody, so it boots no cell."""

    runtime: Runtime
    storage: Storage

    def carry_out(self, owner: User) -> bool:
        return forgetting.carry_out(cast(WorkerProcess, self), owner.id)


@pytest.fixture(scope="module")
def worker(
    settings: Settings, storage: Storage, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Worker]:
    given = {"spare_cells": 0, "cells_per_worker": 1, "cells_dir": tmp_path_factory.mktemp("cells")}
    runtime = Runtime(settings.model_copy(update=given), storage)
    runtime.start()
    yield Worker(runtime, storage)
    runtime.stop(grace_seconds=0)


@pytest.fixture
def deleted(db: Session, ada: User, storage: Storage) -> Job:
    """A job of a conversation that Ada deleted; what she has saved still knows of it."""
    conversation = Conversation(id=LOOMS, user_id=ada.id)
    db.add(conversation)
    db.flush()
    job = Job(
        id=UUID(f"01a22c00-0000-7000-8000-0000{UPLOAD}"),
        user_id=ada.id,
        conversation_id=LOOMS,
        model=factories.MODEL,
        is_head=False,
        status=JobStatus.COMPLETED,
        finished_at=utc_now(),
    )
    db.add(job)
    db.flush()
    saved = stored(ada.id, storage)
    for version in (1, 2):
        packs = [Pack(**asdict(one)) for one in saved.packs]
        found = {"packs": packs, "size_bytes": saved.size_bytes, "job_id": job.id}
        snapshots.add(db, StateSnapshot(user_id=ada.id, version=version, **found))
    conversation.deleted_at = utc_now()
    erasures.want(db, ada.id, LOOMS)
    db.commit()
    return job


def test_nothing_saved_has_a_word_of_a_deleted_conversation(
    db: Session, ada: User, deleted: Job, worker: Worker
) -> None:
    assert deleted
    assert worker.carry_out(ada)

    assert erasures.pending(db, ada.id) == []
    [left] = snapshots.newest(db, ada.id)
    assert left.version == 3
    assert worker.storage.list(f"state/{ada.id}/") == [left.packs[0]["key"]]
    files = SavedStates(worker.storage).get(build_turn.saved_states([left])).files
    for words in (b"loom is called", b"punched cards", b"cards.txt"):
        assert [file.path for file in files if words in file.data and file.path != MEMORY] == []
    assert any(b"My zebra finch is called Byron." in file.data for file in files)
    # What the assistant noted for itself is its memory.
    assert any(file.path == MEMORY and b"Jacquard" in file.data for file in files)


def test_what_storage_did_not_delete_is_deleted_by_the_next_try(
    db: Session, ada: User, deleted: Job, worker: Worker, settings: Settings
) -> None:
    assert deleted
    away = Storage(settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:9"}))

    with pytest.raises(StorageFailed):
        Worker(worker.runtime, away).carry_out(ada)
    assert erasures.is_any(db, ada.id)
    assert worker.carry_out(ada)

    assert not erasures.is_any(db, ada.id)
    assert [one.version for one in snapshots.newest(db, ada.id)] == [4]
    assert len(list(worker.storage.list(f"state/{ada.id}/"))) == 1


def test_where_nothing_was_saved_nothing_is_to_be_done(
    db: Session, ada: User, worker: Worker
) -> None:
    erasures.want(db, ada.id, factories.conversation(db, ada).id)
    db.commit()

    assert worker.carry_out(ada)
    assert not erasures.is_any(db, ada.id)


def test_one_at_a_time_forgets_for_a_person(db: Session, ada: User) -> None:
    wanted = [factories.conversation(db, ada).id for _ in range(3)]
    for one in wanted[:2]:
        erasures.want(db, ada.id, one)
    minute, none = timedelta(minutes=1), timedelta(0)

    claimed = erasures.claim(db, ada.id, minute)
    until = claimed[0].leased_until
    assert {one.conversation_id for one in claimed} == set(wanted[:2])
    erasures.want(db, ada.id, wanted[2])
    assert erasures.claim(db, ada.id, minute) == []
    # It failed; or else the worker died.
    erasures.release(db, [one.id for one in claimed], until)
    assert len(erasures.claim(db, ada.id, none)) == 3
    again = erasures.claim(db, ada.id, minute)
    assert len(again) == 3
    # Who was too late takes it from nobody.
    erasures.release(db, [one.id for one in again], until)
    assert erasures.claim(db, ada.id, minute) == []


def test_no_turn_begins_before(db: Session, ada: User, storage: Storage) -> None:
    erasures.want(db, ada.id, factories.conversation(db, ada).id)
    job = factories.running(db, ada)

    with pytest.raises(MustForget):
        build_turn.prepare(storage, job.id, job.attempt)


def test_nobody_interferes_with_a_turn_or_a_save(db: Session, ada: User) -> None:
    assert erasures.is_free(db, ada)
    job = factories.running(db, ada)
    assert not erasures.is_free(db, ada)
    factories.answer(db, job)
    assert erasures.is_free(db, ada)
    users.set_affinity(ada, factories.SOMEBODY, utc_now() + timedelta(minutes=1))
    db.flush()
    assert not erasures.is_free(db, ada)


def test_what_failed_is_tried_again_after_a_while(db: Session, ada: User) -> None:
    erasures.want(db, ada.id, factories.conversation(db, ada).id)
    later = utc_now() + timedelta(minutes=2)
    assert list(erasures.due(db, before=later, limit=4)) == [ada.id]
    assert list(erasures.due(db, before=later - timedelta(hours=1), limit=4)) == []
    erasures.pending(db, ada.id)[0].tried_at = later
    assert list(erasures.due(db, before=later, limit=4)) == []
