"""Saves a person's files after a turn, off the answer's path, before another worker may start."""

import structlog

from agent.turn import AgentFailed
from gateways.s3_files import Storage, StorageFailed
from models import jobs, ledger, snapshots
from models.database import unit_of_work
from models.snapshots import StaleState, StateSnapshot
from tasks.holding import HeldJob
from tasks.process import WorkerProcess

log = structlog.get_logger()


def save(process: WorkerProcess, held: HeldJob) -> None:
    """Make what the hot cell has the person's next version.

    If that fails the cell is discarded: what it knows beyond the saved files is told to the next
    one from the messages, and two histories never exist side by side.
    """
    try:
        _save(process, held)
    except (AgentFailed, StorageFailed, StaleState) as error:
        log.error(
            "state.not_saved",
            job_id=str(held.job_id),
            user_id=str(held.user_id),
            error=repr(error),
        )
        process.runtime.discard(held.user_id)
    finally:
        with unit_of_work() as db:
            user = ledger.lock_account(db, held.user_id)
            jobs.open_to_all(db, user, process.id)


def _save(process: WorkerProcess, held: HeldJob) -> None:
    saved = process.runtime.save(held.user_id)
    with unit_of_work() as db:
        ledger.lock_account(db, held.user_id)
        snapshot = StateSnapshot(
            user_id=held.user_id,
            version=saved.version,
            storage_key=saved.key,
            sha256=saved.sha256,
            size_bytes=saved.size_bytes,
            job_id=held.job_id,
        )
        snapshots.add(db, snapshot)
        unused = snapshots.prune(db, held.user_id)
    _delete(process.storage, unused)


def _delete(storage: Storage, keys: list[str]) -> None:
    for key in keys:
        try:
            storage.delete(key)
        except StorageFailed as error:
            # It costs room and nothing else; deleting the account deletes it by its prefix.
            log.warning("state.not_deleted", key=key, error=str(error))
