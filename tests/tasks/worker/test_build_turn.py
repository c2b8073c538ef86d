"""What a turn of a task is told: that nobody is there, how late it is, and what it is told on."""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy.orm import Session

from actions import task_runs
from models.schema.reminders import ReminderKind, Repeats
from models.schema.users import User
from tasks.worker import build_turn
from tests import factories
from tests.models.reminders.making import made, make_due

NO_STORAGE = cast(Any, None)


def test_a_task_knows_that_it_is_one_and_on_what_it_is_told(db: Session, ada: User) -> None:
    task = made(
        db,
        ada,
        "Look for flights",
        kind=ReminderKind.TASK,
        tell_only_if="one is cheap",
        repeats=Repeats.DAILY,
    )
    make_due(db, task, timedelta(hours=3))
    task_runs.begin_due()
    job = factories.claim(db)
    assert job is not None
    text = build_turn.prepare(NO_STORAGE, job.id, job.attempt).text
    assert text.startswith("Look for flights\n\n(This is a task")
    assert "3 hours late" in text
    assert "only if this holds: one is cheap. If it does not, use `my__nothing_to_tell`" in text


def test_what_a_user_asks_stands_as_it_is(db: Session, ada: User) -> None:
    job = factories.running(db, ada, "Look for flights")
    assert build_turn.prepare(NO_STORAGE, job.id, job.attempt).text == "Look for flights"
