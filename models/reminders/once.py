"""Doing once what comes twice: forms, calendars, and what a job asks in its next attempt.

What says the same at the same times, and has not ended, is the same.
"""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from models import ledger
from models.errors import Refused
from models.reminders import queries, recurrence, reminders
from models.reminders.recurrence import Recurrence
from models.reminders.reminders import TooManyReminders
from models.schema.jobs import Job
from models.schema.reminders import Reminder, ReminderKind


class Outcome(StrEnum):
    """What became of one of many."""

    SET = "set"
    KNOWN = "known"


def create_once(
    db: Session,
    user_id: UUID,
    words: str,
    wanted: Recurrence,
    *,
    kind: ReminderKind,
    tell_only_if: str = "",
) -> Reminder:
    """Set a reminder or a task, or return the one that is the same.

    Raises what `reminders.create` raises.
    """
    # Of two forms at once the second waits here, and then finds what the first has set.
    ledger.lock_account(db, user_id)
    same = queries.find_same(db, user_id, words, wanted, kind, tell_only_if=tell_only_if)
    if same is not None:
        return same
    return reminders.create(db, user_id, words, wanted, kind=kind, tell_only_if=tell_only_if)


def skip_once(db: Session, reminder: Reminder, job: Job) -> None:
    """Leave out the next time of a locked reminder for a locked job, which may ask so repeatedly.

    What an earlier attempt of it left out is not followed by more. Raises ReminderOver.
    """
    if reminder.skipped_job_id == job.id and (reminder.skipped_attempt or 0) < job.attempt:
        return
    reminders.skip(db, reminder)
    reminder.skipped_job_id, reminder.skipped_attempt = job.id, job.attempt
    db.flush()


def create_all(
    db: Session, user_id: UUID, asked: Sequence[tuple[str, Recurrence]]
) -> Sequence[Outcome | Refused]:
    """Set many reminders, in order; say of each that it is set, or known, or why it is not.

    Once there is no room, nothing more is looked at but what is known.
    """
    ledger.lock_account(db, user_id)
    known = {
        (one.words, recurrence.of(one))
        for one in queries.list_open(db, user_id)
        if one.kind is ReminderKind.REMINDER
    }
    outcomes: list[Outcome | Refused] = []
    full: TooManyReminders | None = None
    for one in asked:
        outcome = Outcome.KNOWN if one in known else full or _set(db, user_id, *one)
        if isinstance(outcome, TooManyReminders):
            full = outcome
        elif outcome is Outcome.SET:
            known.add(one)
        outcomes.append(outcome)
    return outcomes


def _set(db: Session, user_id: UUID, words: str, wanted: Recurrence) -> Outcome | Refused:
    try:
        reminders.create(db, user_id, words, wanted)
    except Refused as refusal:
        return refusal
    return Outcome.SET
