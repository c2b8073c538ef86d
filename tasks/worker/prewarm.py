"""Puts the files of somebody who has opened the chat into a cell, before they ask.

A kindness: nothing depends on it, and people who have asked always go first.
"""

from datetime import timedelta
from uuid import UUID

import dramatiq
from sqlalchemy.orm import Session

from actions import wakeups
from actions.broker import get_broker
from gateways import values
from models import database, jobs, ledger
from models.chat import erasures
from models.database import unit_of_work
from models.ops import snapshots
from models.people import users
from models.schema.users import User
from tasks.worker.build_turn import saved_states
from tasks.worker.process import WorkerProcess, current_process


@dramatiq.actor(broker=get_broker(), actor_name=wakeups.WARM, queue_name=wakeups.ANSWERS_QUEUE)
def warm(user_id: str, tries: int) -> None:
    """Bind a spare of this process to the person, and let it go first for their next job.

    Without room here, another process is given a try, or this one later.
    """
    process, person = current_process(), values.uuid(user_id)
    if person in process.runtime.hot_users():
        return
    if process.draining.is_set() or not process.runtime.room(process.held.people()):
        _try_again(person, tries)
        return
    with unit_of_work() as db:
        if not _may_warm(process, ledger.lock_account(db, person), db):
            return
        if erasures.is_any(db, person):
            # The next turn would have to end the cell.
            return
        states = saved_states(snapshots.newest(db, person))
    if not process.runtime.warm(person, states, process.held.people()):
        _try_again(person, tries)
        return
    with unit_of_work() as db:
        user = ledger.lock_account(db, person)
        # Somebody else may have been quicker; then the cell finds itself stale when it is asked.
        if _may_warm(process, user, db):
            users.set_affinity(user, process.id, database.clock(db))


def _try_again(person: UUID, tries: int) -> None:
    if tries > 1:
        wakeups.warm(person, tries - 1)


def _may_warm(process: WorkerProcess, user: User, db: Session) -> bool:
    return jobs.may_warm(
        db,
        user,
        process.id,
        silent_after=process.lease,
        kept_for=timedelta(seconds=process.settings.hot_cell_idle_seconds),
    )
