"""Takes what was deleted out of what a person's assistant has saved.

Before their next turn, or some time later by whichever worker hears of it first. What is stored is
a version without them; every version before it, and every pack, is deleted then. Only when all that
is done are the rows struck out that say what is to be forgotten, so it is begun again until it is.
"""

import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import dramatiq
import structlog

from actions import wakeups
from actions.broker import get_broker
from agent.state import unused
from agent.turn import AgentFailed, Forgotten, SavedState, TurnFailure
from gateways import values
from gateways.s3_files import Storage, StorageFailed
from models import ledger
from models.chat import erasures
from models.database import unit_of_work
from models.ops import snapshots
from models.ops.snapshots import StaleState
from tasks.worker import shown_notes
from tasks.worker.build_turn import saved_states
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import SAVE_TIME, WorkerProcess, current_process
from tasks.worker.saving import snapshot_of

log = structlog.get_logger()

# Whoever has not done it by then has died; the turn that waits for it goes on.
LEASE = timedelta(minutes=2)
LOOK_AGAIN_SECONDS = 0.5


@dataclass(frozen=True)
class _Wanted:
    """What is to be forgotten, and the versions that it is in, newest first."""

    ids: tuple[UUID, ...]
    until: datetime | None
    forgotten: Forgotten
    states: tuple[SavedState, ...]
    # The newest version's last job: what comes of it is no further turn.
    job_id: UUID


@dramatiq.actor(broker=get_broker(), actor_name=wakeups.FORGET, queue_name=wakeups.ANSWERS_QUEUE)
def forget(user_id: str) -> None:
    """Begin it in a thread of its own, so that no other wake-up waits for it.

    Not while this process is at another person's: the clock wakes it again. Nor while anyone is
    at work on the person's files: then their next turn does it.
    """
    process, person = current_process(), values.uuid(user_id)
    if process.draining.is_set() or not process.editing.begin():
        return
    name = f"forget-{person}"
    thread = threading.Thread(target=_in_background, args=(process, person), name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        process.editing.done()
        raise


def before_turn(process: WorkerProcess, held: LeasedJob) -> None:
    """Forget what is to be forgotten before a turn, or wait a moment for whoever is at it.

    What the turn before has changed is saved first. Raises AgentFailed and StorageFailed.
    """
    process.held.wait_for_earlier(held, SAVE_TIME.total_seconds())
    with process.editing.turn(held.stop) as has_place:
        if has_place and carry_out(process, held.user_id):
            return
    if held.stop.wait(LOOK_AGAIN_SECONDS):
        raise AgentFailed(TurnFailure.STOPPED, permanent=True)


def carry_out(process: WorkerProcess, user_id: UUID) -> bool:
    """Forget at once all that a person's files are to forget; False when somebody else is at it.

    Whose files were saved meanwhile is left as they are, for another look. Raises AgentFailed and
    StorageFailed: then the versions before are still there.
    """
    wanted = _claim(process.storage, user_id)
    if not isinstance(wanted, _Wanted):
        return wanted
    try:
        _forget(process, user_id, wanted)
    except StaleState:
        log.info("state.moved_on", user_id=str(user_id), version=wanted.states[0].version)
    except (AgentFailed, StorageFailed) as error:
        log.warning("state.not_forgotten", user_id=str(user_id), error=repr(error))
        raise
    finally:
        with unit_of_work() as db:
            erasures.release(db, wanted.ids, wanted.until)
    return True


def _in_background(process: WorkerProcess, user_id: UUID) -> None:
    try:
        # What fails is logged by then, and tried again by the clock.
        with suppress(AgentFailed, StorageFailed):
            # More may be deleted meanwhile; the wake-up for it was turned away.
            while not process.draining.is_set() and _is_due(user_id):
                if not carry_out(process, user_id):
                    break
    except Exception:
        log.exception("forgetting.broke_off", user_id=str(user_id))
    finally:
        process.editing.done()


def _is_due(user_id: UUID) -> bool:
    with unit_of_work() as db:
        user = ledger.lock_account(db, user_id)
        return erasures.is_any(db, user_id) and erasures.is_free(db, user)


def _claim(storage: Storage, user_id: UUID) -> _Wanted | bool:
    """Take what is to be done. True when that is nothing, False when somebody else is at it.

    Of a user of whom no version was recorded a worker that died may have left packs: they go.
    Raises StorageFailed.
    """
    with unit_of_work() as db:
        user = ledger.lock_account(db, user_id)
        saved = snapshots.newest(db, user_id)
        found = erasures.claim(db, user_id, LEASE)
        ids = tuple(one.id for one in found)
        if not found:
            return not erasures.is_any(db, user_id)
        if not saved:
            for key in storage.list(f"state/{user_id}/"):
                storage.delete(key)
            erasures.done(db, ids)
            return True
        forgotten = Forgotten(
            conversations=tuple({one.conversation_id for one in found if one.conversation_id}),
            jobs=tuple(erasures.jobs_of(db, found)),
            paths=tuple(path for one in found for path in one.paths),
            notes=shown_notes.list_for(db, user),
        )
        until = found[0].leased_until
        return _Wanted(ids, until, forgotten, saved_states(saved), saved[0].job_id)


def _forget(process: WorkerProcess, user_id: UUID, wanted: _Wanted) -> None:
    """Raises StaleState when somebody saved these files meanwhile: then nothing is left of ours."""
    check = partial(_refuse_if_stale, user_id, wanted.states[0].version)
    saved = process.runtime.forget(user_id, wanted.states, wanted.forgotten, check)
    try:
        with unit_of_work() as db:
            ledger.lock_account(db, user_id)
            snapshots.add(db, snapshot_of(user_id, saved, wanted.job_id))
    except StaleState:
        with suppress(StorageFailed):
            for pack in saved.packs:
                process.storage.delete(pack.key)
        raise
    kept = frozenset(pack.key for pack in saved.packs)
    _delete_older(process.storage, user_id, saved.version, kept)
    with unit_of_work() as db:
        erasures.done(db, wanted.ids)
    log.info("state.forgotten", user_id=str(user_id), version=saved.version)


def _refuse_if_stale(user_id: UUID, version: int) -> None:
    with unit_of_work() as db:
        if [one.version for one in snapshots.newest(db, user_id, limit=1)] != [version]:
            raise StaleState


def _delete_older(storage: Storage, user_id: UUID, newest: int, kept: frozenset[str]) -> None:
    """Delete all packs but those `kept`, whoever left them; then forget their versions."""
    for key in unused(storage, user_id, newest, kept):
        storage.delete(key)
    with unit_of_work() as db:
        ledger.lock_account(db, user_id)
        snapshots.forget(db, snapshots.all_but_newest(db, user_id).ids)
