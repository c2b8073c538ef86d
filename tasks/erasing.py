"""Takes deleted conversations out of what a person's assistant has saved.

Before their next turn, or some time later by whichever worker hears of it first. What is stored is
a version without them; every version before it, and every pack, is deleted then. Only when all that
is done are the rows struck out that say what is to be forgotten, so it is begun again until it is.
"""

from dataclasses import dataclass
from uuid import UUID

import dramatiq
import structlog

from agent.state import unused
from agent.turn import AgentFailed, Forgotten, SavedState
from gateways import values
from gateways.s3_files import Storage, StorageFailed
from models import erasures, ledger, snapshots
from models.base import utc_now
from models.database import unit_of_work
from models.snapshots import StaleState
from tasks import nudges
from tasks.broker import get_broker
from tasks.preparing import saved_states
from tasks.process import WorkerProcess, current_process
from tasks.saving import snapshot_of

log = structlog.get_logger()


@dataclass(frozen=True)
class _Wanted:
    """What is to be forgotten, and the versions that it is in, newest first."""

    ids: tuple[UUID, ...]
    forgotten: Forgotten
    states: tuple[SavedState, ...]
    # The newest version's last job: what comes of it is no further turn.
    job_id: UUID


@dramatiq.actor(broker=get_broker(), actor_name=nudges.FORGET, queue_name=nudges.ANSWERS_QUEUE)
def forget(user_id: str) -> None:
    """Do it now, unless somebody is at work on the person's files: then their next turn does."""
    process, person = current_process(), values.uuid(user_id)
    if process.draining.is_set():
        return
    with unit_of_work() as db:
        if not erasures.is_free(db, ledger.lock_account(db, person)):
            return
        for erasure in erasures.pending(db, person):
            erasure.tried_at = utc_now()
    carry_out(process, person)


def carry_out(process: WorkerProcess, user_id: UUID) -> bool:
    """Forget all that a person's files are to forget; tell whether nothing is left of it.

    Nobody else may have a turn of theirs. What fails is logged, and changes nothing.
    """
    try:
        wanted = _read(user_id)
        if wanted is None:
            return True
        saved = process.runtime.forget(user_id, wanted.states, wanted.forgotten)
        with unit_of_work() as db:
            ledger.lock_account(db, user_id)
            snapshots.add(db, snapshot_of(user_id, saved, wanted.job_id))
        kept = frozenset(pack.key for pack in saved.packs)
        _delete_older(process.storage, user_id, saved.version, kept)
    except (AgentFailed, StorageFailed, StaleState) as error:
        log.warning("state.not_forgotten", user_id=str(user_id), error=repr(error))
        return False
    with unit_of_work() as db:
        erasures.done(db, wanted.ids)
    log.info("state.forgotten", user_id=str(user_id), version=saved.version)
    return True


def _read(user_id: UUID) -> _Wanted | None:
    """Read what is to be done; strike it out where nothing was ever saved."""
    with unit_of_work() as db:
        ledger.lock_account(db, user_id)
        found = erasures.pending(db, user_id)
        saved = snapshots.newest(db, user_id)
        ids = tuple(one.id for one in found)
        if not saved:
            erasures.done(db, ids)
        if not saved or not found:
            return None
        conversations = tuple(one.conversation_id for one in found)
        forgotten = Forgotten(conversations, tuple(erasures.jobs_of(db, found)))
        return _Wanted(ids, forgotten, saved_states(saved), saved[0].job_id)


def _delete_older(storage: Storage, user_id: UUID, newest: int, kept: frozenset[str]) -> None:
    """Delete all packs but those `kept`, whoever left them; then forget their versions."""
    for key in unused(storage, user_id, newest, kept):
        storage.delete(key)
    with unit_of_work() as db:
        ledger.lock_account(db, user_id)
        snapshots.forget(db, snapshots.all_but_newest(db, user_id).ids)
