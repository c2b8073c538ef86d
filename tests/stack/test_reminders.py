# pyright: reportUnknownMemberType=false
"""Reminders of the whole product, whose clock and worker are killed just when they are due."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from models.reminders import reminders
from models.schema.chat import Message, Role
from models.schema.reminders import ReminderFiring, ReminderKind
from models.schema.users import User
from tests.house import House, Person, wait_for
from tests.models.reminders.making import made, make_due

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), pytest.mark.xdist_group("house")]

COUNT = 60
# From the first to the last that is due, while everything is killed so often.
SPREAD = timedelta(seconds=15)
KILLS = 3
LATEST = timedelta(seconds=60)


def test_each_fires_once_within_a_minute_though_clock_and_worker_are_killed(house: House) -> None:
    rita = house.person("Rita")
    with house.database() as db, db.begin():
        user = db.get_one(User, rita.id)
        for number in range(COUNT):
            reminder = made(db, user, f"Number {number}")
            make_due(db, reminder, -timedelta(seconds=2) - SPREAD * (number / COUNT))
        cancelled = made(db, user, "Never to be said")
        make_due(db, cancelled, -timedelta(seconds=3))
        reminders.cancel(db, cancelled)
        task = made(db, user, "Say how it is. [[demo: words 9]]", kind=ReminderKind.TASK)
        make_due(db, task, -timedelta(seconds=4))

    seen = 0
    for _ in range(KILLS):
        seen = wait_for(lambda more=seen: _more(house, rita, more), "a reminder", seconds=60)
        house.kill("tasks.scheduler", "tasks.worker.main")
    wait_for(lambda: len(_fired(house, rita)) > COUNT, "the last reminder", seconds=90)
    # What would come twice has time to.
    time.sleep(3)

    fired = _fired(house, rita)
    assert Counter(one.words for one in fired).most_common(1)[0][1] == 1
    assert len(fired) == COUNT + 1
    assert max(one.fired_at - one.due_at for one in fired) < LATEST
    with house.database() as db:
        told = wait_for(lambda: _answered(house, rita), "what came of the task")
        said = select(Message.text).where(
            Message.user_id == rita.id, Message.role == Role.ASSISTANT, Message.job_id.is_(None)
        )
        assert sorted(db.scalars(said)) == sorted(
            f"**Reminder:** Number {number}" for number in range(COUNT)
        )
    assert told == 1
    rita.assert_books_balance()


def _fired(house: House, person: Person) -> Sequence[ReminderFiring]:
    with house.database() as db:
        return db.scalars(select(ReminderFiring).where(ReminderFiring.user_id == person.id)).all()


def _more(house: House, person: Person, seen: int) -> int | None:
    count = len(_fired(house, person))
    return count if count > seen else None


def _answered(house: House, person: Person) -> int | None:
    answers = select(func.count()).where(
        Message.user_id == person.id, Message.role == Role.ASSISTANT, Message.job_id.is_not(None)
    )
    with house.database() as db:
        return db.scalar(answers)
