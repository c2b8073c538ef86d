"""Saves a person's files after a turn, off the answer's path, before another worker may start."""

import time
from collections.abc import Collection
from uuid import UUID

import structlog

from actions import wakeups
from agent.state import unused
from agent.turn import AgentFailed, SavedState
from gateways.s3_files import Storage, StorageFailed
from models import jobs, ledger
from models.database import unit_of_work
from models.ops import snapshots
from models.ops.snapshots import StaleState, Superseded
from models.schema.snapshots import Pack, StateSnapshot
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess

log = structlog.get_logger()

VERSIONS_BETWEEN_COLLECTIONS = 16


def save(process: WorkerProcess, held: LeasedJob) -> None:
    """Make what the hot cell has the person's next version.

    If that fails the cell is discarded: what it knows beyond the saved files is told to the next
    one from the messages, and two histories never exist side by side.
    """
    has_ended = False
    try:
        old, saved, kept = _record(process, held)
        has_ended = True
        _clear_up(process, held, old, saved, kept)
    except (AgentFailed, StorageFailed, StaleState) as error:
        log.error(
            "state.not_saved",
            job_id=str(held.job_id),
            user_id=str(held.user_id),
            error=repr(error),
        )
        process.runtime.discard(held.user_id)
    finally:
        if not has_ended:
            with unit_of_work() as db:
                user = ledger.lock_account(db, held.user_id)
                jobs.release_affinity(db, user, process.id)
        if process.draining.is_set():
            # Their next message is another worker's.
            wakeups.answer()


def snapshot_of(user_id: UUID, saved: SavedState, job_id: UUID) -> StateSnapshot:
    """Say for the database what the runtime has saved of a person, up to the turn of this job."""
    packs = [
        Pack(key=pack.key, sha256=pack.sha256, size_bytes=pack.size_bytes) for pack in saved.packs
    ]
    return StateSnapshot(
        user_id=user_id,
        version=saved.version,
        packs=packs,
        size_bytes=saved.size_bytes,
        job_id=job_id,
    )


def _record(
    process: WorkerProcess, held: LeasedJob
) -> tuple[Superseded, SavedState, Collection[str]]:
    """Save and note the next version; from then on other workers may take the user's next job.

    That is one transaction: what is cleared up afterwards may take long, and the next turn is saved
    meanwhile.
    """
    began = time.monotonic()
    saved = process.runtime.save(held.user_id)
    with unit_of_work() as db:
        user = ledger.lock_account(db, held.user_id)
        snapshots.add(db, snapshot_of(held.user_id, saved, held.job_id))
        old = snapshots.superseded(db, held.user_id)
        if not old.keys:
            snapshots.forget(db, old.ids)
        kept = snapshots.keys(snapshots.newest(db, held.user_id))
        jobs.release_affinity(db, user, process.id)
    log.info(
        "state.saved",
        version=saved.version,
        packs=len(saved.packs),
        newest_pack_bytes=saved.packs[-1].size_bytes,
        seconds=round(time.monotonic() - began, 3),
    )
    return old, saved, kept


def _clear_up(
    process: WorkerProcess,
    held: LeasedJob,
    old: Superseded,
    saved: SavedState,
    kept: Collection[str],
) -> None:
    """Delete what no version needs any more."""
    if old.keys and _delete(process.storage, old.keys):
        with unit_of_work() as db:
            snapshots.forget(db, old.ids)
    if saved.version % VERSIONS_BETWEEN_COLLECTIONS == 0:
        _collect(process.storage, held.user_id, saved.version, kept)


def _collect(storage: Storage, user_id: UUID, newest: int, kept: Collection[str]) -> None:
    """Delete what workers that died, or lost a race, left behind."""
    try:
        lost = unused(storage, user_id, newest, kept)
    except StorageFailed as error:
        log.warning("state.not_collected", user_id=str(user_id), error=str(error))
    else:
        _delete(storage, lost)


def _delete(storage: Storage, keys: Collection[str]) -> bool:
    """Delete objects that no version needs; say whether all are gone."""
    for key in keys:
        try:
            storage.delete(key)
        except StorageFailed as error:
            # It costs room until the next save or collection, and nothing else.
            log.warning("state.not_deleted", key=key, error=str(error))
            return False
    return True
