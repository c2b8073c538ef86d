"""Tasks that are due: each becomes one job, and what came of it is told once.

A due time is noted with its job in one transaction, under the lock of its user's account, so it is
begun once through crashes. When the job is over, whoever settles the note first tells it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models import database, ledger
from models.base import new_id
from models.chat import answer_files
from models.errors import NotFound, Refused
from models.jobs.queries import UNFINISHED
from models.ledger import limits
from models.periods import day_of
from models.reminders import dry_tasks, firing, reminders
from models.reminders.firing import DueReminder
from models.schema.answer_files import AnswerFile
from models.schema.chat import Conversation, Message
from models.schema.jobs import OVER, Job, JobOrigin, JobStatus
from models.schema.ledger import Transaction
from models.schema.reminders import (
    FiringOutcome,
    Reminder,
    ReminderFiring,
    ReminderKind,
    ReminderStatus,
)
from models.schema.users import User
from settings import get_settings


class TaskLimitReached(Refused):
    """A user's tasks have cost today what they may."""

    code = "task_limit_reached"


@dataclass(frozen=True)
class DueTask:
    """A task that may be due; whoever takes it looks again."""

    reminder_id: UUID
    user_id: UUID


@dataclass(frozen=True)
class EndedTask:
    """A task whose job is over, locked, with what its user gets to see.

    `asked` is None where the conversation was deleted, and where there was nothing to tell: `keys`
    are the objects in storage of files that went with that, to be deleted too.
    """

    firing: ReminderFiring
    job: Job | None
    asked: Message | None
    answer: str
    keys: Sequence[str] = ()


_OUTCOMES = {
    JobStatus.COMPLETED: FiringOutcome.TOLD,
    JobStatus.FAILED: FiringOutcome.FAILED,
    JobStatus.CANCELLED: FiringOutcome.STOPPED,
}


def list_due(db: Session, limit: int) -> list[DueTask]:
    """List up to `limit` tasks that are due, longest due first; nothing is locked."""
    rows = db.execute(
        select(Reminder.id, Reminder.user_id)
        .where(
            Reminder.status == ReminderStatus.ACTIVE,
            Reminder.kind == ReminderKind.TASK,
            Reminder.due_at <= func.clock_timestamp(),
        )
        .order_by(Reminder.due_at, Reminder.id)
        .limit(limit)
    )
    return [DueTask(*row) for row in rows]


def take(db: Session, user: User, reminder_id: UUID, *, title: str) -> DueReminder | None:
    """Lock a task of a locked account; None if it is not due any more."""
    reminder = db.scalar(
        select(Reminder)
        .where(Reminder.id == reminder_id, Reminder.user_id == user.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    now = database.clock(db)
    is_due = reminder is not None and reminder.due_at is not None and reminder.due_at <= now
    if reminder is None or not is_due or reminder.kind is not ReminderKind.TASK:
        return None
    home = firing.homes(db, [reminder], title).get(reminder.id)
    return firing.due(reminder, user.timezone, user.locale, home, now)


def allowance(db: Session, user: User) -> int:
    """Return what a further task of a locked account may cost now, in micros.

    Raises TaskLimitReached. What is not over counts with all that it may cost.
    """
    most = user.task_day_limit_micros or get_settings().task_day_limit_micros
    today = day_of(user.timezone, database.clock(db)).begins
    of_today = (Job.user_id == user.id, Job.origin == JobOrigin.TASK, Job.created_at >= today)
    over = select(Job.id).where(*of_today, Job.status.in_(OVER))
    open_ones = select(func.coalesce(func.sum(Job.cost_limit_micros), 0)).where(
        *of_today, Job.status.in_(UNFINISHED)
    )
    spent = limits.spent(db, Transaction.job_id.in_(over))
    left = most - spent - int(db.scalar(open_ones) or 0)
    if left < limits.LEAST_LIMIT_MICROS:
        raise TaskLimitReached
    return min(left, limits.message_limit(user))


def choose_limit(db: Session, user_id: UUID, micros: int | None) -> None:
    """Set what all tasks of a user may cost in a day; None for the usual limit. Raises BadLimit."""
    if micros is not None and not (limits.LEAST_LIMIT_MICROS <= micros <= limits.MOST_LIMIT_MICROS):
        raise limits.BadLimit
    ledger.lock_account(db, user_id).task_day_limit_micros = micros
    db.flush()


def note_begun(db: Session, due: DueReminder, job: Job) -> ReminderFiring:
    """Note that a task's job was queued, and when it is due next."""
    return _note(db, due, FiringOutcome.RUNNING, job=job, message_id=job.message_id)


def note_refused(
    db: Session, due: DueReminder, refusal: str, message_id: UUID | None
) -> ReminderFiring:
    """Note why a task was not begun, and when it is due next."""
    return _note(db, due, FiringOutcome.REFUSED, refusal=refusal, message_id=message_id)


def was_refused_alike(
    db: Session, reminder_id: UUID, refusal: str, *, before: UUID | None = None
) -> bool:
    """Tell whether the time before was refused for the same reason, so its user knows it.

    That is the newest firing, or the newest `before` the one with this id.
    """
    fired = select(ReminderFiring.refusal).where(ReminderFiring.reminder_id == reminder_id)
    if before is not None:
        fired = fired.where(ReminderFiring.id < before)
    return db.scalar(fired.order_by(ReminderFiring.id.desc()).limit(1)) == refusal


def find_condition(db: Session, job_id: UUID) -> tuple[ReminderFiring, str] | None:
    """Return the firing that a job belongs to, and on what it is told; None for no task's job."""
    row = db.execute(
        select(ReminderFiring, Reminder.tell_only_if)
        .join(Reminder, Reminder.id == ReminderFiring.reminder_id)
        .where(ReminderFiring.job_id == job_id)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def keep_silent(db: Session, job: Job) -> None:
    """Let this attempt of a task tell nothing; NotFound for one that is told always."""
    found = find_condition(db, job.id)
    if found is None or not found[1]:
        raise NotFound
    found[0].silent_attempt = job.attempt
    db.flush()


def list_over(db: Session, limit: int) -> Sequence[UUID]:
    """List the firings of tasks whose jobs are over and that nobody was told of yet."""
    return db.scalars(
        select(ReminderFiring.id)
        .outerjoin(Job, Job.id == ReminderFiring.job_id)
        .where(
            ReminderFiring.outcome == FiringOutcome.RUNNING,
            Job.id.is_(None) | Job.status.in_(OVER),
        )
        .order_by(ReminderFiring.id)
        .limit(limit)
    ).all()


def settle(db: Session, firing_id: UUID) -> EndedTask | None:
    """Note what came of a task, and show it or take it back; None if another one did so.

    A task with nothing to tell leaves no words and no files in its conversation. One that found no
    credits counts as not begun, and leaves none either when its user knows that from the time
    before.
    """
    fired = db.scalar(
        select(ReminderFiring)
        .where(ReminderFiring.id == firing_id, ReminderFiring.outcome == FiringOutcome.RUNNING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if fired is None:
        return None
    job = db.get(Job, fired.job_id, populate_existing=True) if fired.job_id else None
    asked = db.get(Message, job.message_id) if job is not None and job.message_id else None
    fired.outcome = _outcome(fired, job)
    if fired.outcome is FiringOutcome.REFUSED:
        fired.refusal = ledger.OutOfCredit.code
    keys: Sequence[str] = ()
    if _is_untold(db, fired):
        keys = _take_back(db, fired, job)
        asked = None
    elif asked is not None:
        asked.is_hidden = False
    db.flush()
    return EndedTask(fired, job, asked, _answer(db, job), keys)


def _outcome(fired: ReminderFiring, job: Job | None) -> FiringOutcome:
    if job is None:
        return FiringOutcome.FAILED
    if dry_tasks.has_found_none(job):
        return FiringOutcome.REFUSED
    if job.status is JobStatus.COMPLETED and fired.silent_attempt == job.attempt:
        return FiringOutcome.NOTHING
    return _OUTCOMES[job.status]


def _is_untold(db: Session, fired: ReminderFiring) -> bool:
    if fired.outcome is FiringOutcome.NOTHING:
        return True
    refusal = fired.refusal
    return refusal is not None and was_refused_alike(
        db, fired.reminder_id, refusal, before=fired.id
    )


def _take_back(db: Session, fired: ReminderFiring, job: Job | None) -> Sequence[str]:
    """Delete a task's message, its answer and the files; return the storage keys of these."""
    if job is None:
        return ()
    fired.message_id = None
    db.flush()
    keys = answer_files.erase(db, AnswerFile.job_id == job.id)
    db.execute(delete(Message).where(Message.job_id == job.id))
    db.execute(delete(Message).where(Message.id == job.message_id))
    db.expire(job)
    return keys


def _answer(db: Session, job: Job | None) -> str:
    if job is None:
        return ""
    return db.scalar(select(Message.text).where(Message.job_id == job.id)) or ""


def _note(
    db: Session,
    due: DueReminder,
    outcome: FiringOutcome,
    *,
    message_id: UUID | None,
    refusal: str | None = None,
    job: Job | None = None,
) -> ReminderFiring:
    fired = ReminderFiring(
        id=new_id(),
        reminder_id=due.reminder.id,
        user_id=due.reminder.user_id,
        words=due.reminder.words,
        due_at=due.due_at,
        fired_at=due.now,
        missed=due.missed,
        message_id=message_id,
        outcome=outcome,
        refusal=refusal,
        job_id=job.id if job else None,
    )
    db.add(fired)
    reminders.advance(due.reminder, due.following, due.now)
    db.flush()
    return fired


def open_home(db: Session, due: DueReminder, *, title: str) -> Conversation:
    """Return the conversation of a task, begun with this title if there is none."""
    talk = db.get(Conversation, due.conversation_id) if due.conversation_id else None
    if talk is None:
        talk = firing.begin(db, due.reminder.user_id, title)
    due.reminder.conversation_id = talk.id
    return talk
