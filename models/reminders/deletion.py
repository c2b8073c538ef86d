"""Deleting a reminder, with what of it is going on."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger
from models.jobs.cancellation import cancel
from models.reminders import queries, reminders, task_runs
from models.schema.chat import Message
from models.schema.jobs import Job
from models.schema.reminders import FiringOutcome, Reminder, ReminderFiring


@dataclass
class CalledOff:
    """What went on of a reminder that was deleted. `keys` are objects in storage to be deleted."""

    jobs: list[Job] = field(default_factory=list[Job])
    keys: list[str] = field(default_factory=list[str])


def delete(db: Session, user_id: UUID, reminder_id: UUID) -> CalledOff:
    """Delete a user's reminder, and call off the jobs of a task that are not over.

    What such a job has said and cost is shown, as nobody tells of it later. Raises NotFound.
    """
    # As whoever begins a task: the account first.
    ledger.lock_account(db, user_id)
    reminder = queries.find_own(db, user_id, reminder_id)
    called_off = CalledOff()
    for firing_id, job_id in _going_on(db, reminder):
        job = cancel(db, user_id, job_id)
        called_off.jobs.append(job)
        if job.is_over:
            ended = task_runs.settle(db, firing_id)
            called_off.keys += ended.keys if ended else ()
        elif job.message_id is not None:
            db.get_one(Message, job.message_id).is_hidden = False
    reminders.delete(db, reminder)
    return called_off


def _going_on(db: Session, reminder: Reminder) -> list[tuple[UUID, UUID]]:
    """The last comes first, or closing one would only move the next one up."""
    rows = db.execute(
        select(ReminderFiring.id, Job.id)
        .join(Job, Job.id == ReminderFiring.job_id)
        .where(
            ReminderFiring.reminder_id == reminder.id,
            ReminderFiring.outcome == FiringOutcome.RUNNING,
        )
        .order_by(Job.id.desc())
    )
    return [(firing_id, job_id) for firing_id, job_id in rows]
