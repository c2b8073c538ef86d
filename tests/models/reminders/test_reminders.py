# ruff: noqa: DTZ001  # clocks on a wall know no zone
"""Reminders are their user's alone; each change is seen in when it is due next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import database
from models.errors import NotFound
from models.people.users import Profile, complete_onboarding
from models.periods import zone_of
from models.reminders import choices, queries, recurrence, reminders, timing, zone_changes
from models.reminders.recurrence import Recurrence
from models.schema.reminders import Reminder, ReminderKind, ReminderStatus, Repeats
from models.schema.users import User
from tests.models.reminders.making import made, make_due, soon


def test_numbers_count_up_for_each_user(db: Session, ada: User, eve: User) -> None:
    assert [made(db, ada).number, made(db, ada).number, made(db, eve).number] == [1, 2, 1]


def test_eve_finds_none_of_adas(db: Session, ada: User, eve: User) -> None:
    reminder = made(db, ada)
    with pytest.raises(NotFound):
        queries.find_own(db, eve.id, reminder.id)
    with pytest.raises(NotFound):
        queries.find_by_number(db, eve.id, reminder.number)
    assert queries.list_open(db, eve.id) == []


def test_a_time_that_is_over_is_refused(db: Session, ada: User) -> None:
    with pytest.raises(timing.TimeIsOver):
        reminders.create(db, ada.id, "Call", Recurrence(soon(ada, minutes=-1)))


@pytest.mark.parametrize("words", ["", "  ", "x" * 501])
def test_words_that_say_nothing_or_too_much_are_refused(db: Session, ada: User, words: str) -> None:
    with pytest.raises(reminders.BadWords):
        reminders.create(db, ada.id, words, Recurrence(soon(ada)))


def test_nobody_has_more_than_so_many(
    db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "MOST_OPEN", 2)
    made(db, ada)
    last = made(db, ada)
    with pytest.raises(reminders.TooManyReminders):
        made(db, ada)
    reminders.cancel(db, last)
    assert made(db, ada).number == 3


def test_it_is_paused_and_goes_on(db: Session, ada: User) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    due = reminder.due_at
    reminders.pause(db, reminder)
    assert (reminder.status, reminder.due_at) == (ReminderStatus.PAUSED, None)
    reminders.resume(db, reminder)
    assert (reminder.status, reminder.due_at) == (ReminderStatus.ACTIVE, due)


def test_what_was_cancelled_stays_so(db: Session, ada: User) -> None:
    reminder = made(db, ada)
    reminders.cancel(db, reminder)
    assert reminder.due_at is None
    for change in (reminders.pause, reminders.resume, reminders.skip, reminders.cancel):
        with pytest.raises(reminders.ReminderOver):
            change(db, reminder)
    with pytest.raises(reminders.ReminderOver):
        reminders.snooze(db, reminder, database.clock(db) + timedelta(hours=1))


def test_snoozing_adds_a_time_and_takes_none_away(db: Session, ada: User) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    regular = reminder.due_at
    assert regular
    reminders.snooze(db, reminder, regular + timedelta(hours=1))
    assert reminder.due_at == regular
    reminders.snooze(db, reminder, regular - timedelta(minutes=5))
    assert reminder.due_at == regular - timedelta(minutes=5)
    reminders.skip(db, reminder)
    assert reminder.due_at == regular


def test_a_snooze_must_be_to_come(db: Session, ada: User) -> None:
    reminder = made(db, ada)
    for wait in (timedelta(0), timedelta(days=-1), timedelta(days=400)):
        with pytest.raises(reminders.BadSnooze):
            reminders.snooze(db, reminder, database.clock(db) + wait)


def test_skipping_leaves_one_time_out(db: Session, ada: User) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    first = reminder.due_at
    assert first
    reminders.skip(db, reminder)
    zone = zone_of(ada.timezone)
    assert reminder.due_at
    assert reminder.due_at.astimezone(zone).date() == (
        first.astimezone(zone).date() + timedelta(days=1)
    )


def test_skipping_the_only_time_ends_it(db: Session, ada: User) -> None:
    reminder = made(db, ada)
    reminders.skip(db, reminder)
    assert reminder.status is ReminderStatus.ENDED


def test_editing_sets_it_anew(db: Session, ada: User) -> None:
    reminder = made(db, ada)
    reminders.skip(db, reminder)
    at = soon(ada, minutes=90)
    reminders.edit(db, ada, reminder, "Water the plants", Recurrence(at))
    assert reminder.status is ReminderStatus.ACTIVE
    assert reminder.due_at == at.replace(tzinfo=zone_of(ada.timezone)).astimezone(UTC)
    assert reminder.words == "Water the plants"


def test_what_repeats_follows_its_user_to_another_zone(db: Session, ada: User) -> None:
    daily = reminders.create(
        db, ada.id, "Pills", Recurrence(datetime(2026, 1, 1, 8), Repeats.DAILY)
    )
    once = made(db, ada)
    before = once.due_at
    complete_onboarding(ada, Profile("Ada", "Asia/Tokyo", ""))
    zone_changes.follow(db, ada)
    assert daily.due_at
    assert f"{daily.due_at.astimezone(zone_of('Asia/Tokyo')):%H:%M}" == "08:00"
    assert once.due_at == before


def test_what_was_skipped_stays_so_in_another_zone(db: Session, ada: User) -> None:
    daily = made(db, ada, repeats=Repeats.DAILY)
    reminders.skip(db, daily)
    assert daily.due_at
    day = daily.due_at.astimezone(zone_of(ada.timezone)).date()
    complete_onboarding(ada, Profile("Ada", "Europe/Vienna", ""))
    zone_changes.follow(db, ada)
    assert daily.due_at.astimezone(zone_of("Europe/Vienna")).date() == day


def test_a_last_time_that_is_over_on_the_new_clocks_still_comes(db: Session, ada: User) -> None:
    at = soon(ada)
    last = reminders.create(db, ada.id, "Pills", Recurrence(at, Repeats.DAILY, until=at.date()))
    before = last.due_at
    complete_onboarding(ada, Profile("Ada", "Asia/Tokyo", ""))
    zone_changes.follow(db, ada)
    assert (last.status, last.due_at) == (ReminderStatus.ACTIVE, before)


def test_a_snoozed_one_is_paused_and_resumed(db: Session, ada: User) -> None:
    once = made(db, ada)
    make_due(db, once)
    reminders.advance(once, None, database.clock(db))
    until = database.clock(db) + timedelta(hours=1)
    reminders.snooze(db, once, until)
    reminders.pause(db, once)
    assert once.due_at is None
    reminders.resume(db, once)
    assert once.due_at == until

    # What has gone by meanwhile comes at once, but where it comes again anyway.
    daily = made(db, ada, repeats=Repeats.DAILY)
    for one, comes in ((once, True), (daily, False)):
        reminders.snooze(db, one, until)
        reminders.pause(db, one)
        gone_by = one.snoozed_until = database.clock(db) - timedelta(minutes=5)
        reminders.resume(db, one)
        assert (one.due_at == gone_by) is comes


def test_what_is_done_rings_no_more_as_it_was_snoozed(db: Session, ada: User) -> None:
    daily = made(db, ada, repeats=Repeats.DAILY)
    regular = daily.due_at
    reminders.snooze(db, daily, database.clock(db) + timedelta(minutes=10))
    reminders.finish(db, daily)
    assert (daily.due_at, daily.snoozed_until) == (regular, None)
    once = made(db, ada)
    make_due(db, once)
    reminders.advance(once, None, database.clock(db))
    reminders.snooze(db, once, database.clock(db) + timedelta(minutes=10))
    reminders.finish(db, once)
    assert once.status is ReminderStatus.ENDED
    reminders.snooze(db, once, database.clock(db) + timedelta(minutes=10))
    reminders.pause(db, once)
    reminders.finish(db, once)
    assert once.status is ReminderStatus.ENDED


def test_a_paused_one_takes_the_new_zone_with_it(db: Session, ada: User) -> None:
    daily = made(db, ada, repeats=Repeats.DAILY)
    reminders.pause(db, daily)
    complete_onboarding(ada, Profile("Ada", "Asia/Tokyo", ""))
    zone_changes.follow(db, ada)
    assert (daily.due_at, daily.timezone) == (None, "Asia/Tokyo")


def test_deleting_leaves_nothing(db: Session, ada: User) -> None:
    reminder = made(db, ada)
    reminders.delete(db, reminder)
    assert db.get(Reminder, reminder.id) is None


def test_a_paused_one_stays_so_when_its_words_are_changed(db: Session, ada: User) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    due = reminder.due_at
    reminders.pause(db, reminder)

    reminders.edit(db, ada, reminder, "Call dad", recurrence.of(reminder))

    assert (reminder.words, reminder.status) == ("Call dad", ReminderStatus.PAUSED)
    assert reminder.due_at is None
    reminders.resume(db, reminder)
    assert reminder.due_at == due


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        (
            datetime(2027, 2, 26, 9),
            {"repeats": Repeats.MONTHLY_BY_WEEKDAY, "weekdays": (4,), "month_week": -1},
        ),
        (datetime(2027, 2, 28, 9), {"repeats": Repeats.MONTHLY_BY_DAY, "month_day": 31}),
    ],
)
def test_what_cannot_be_chosen_stays_while_the_day_does(
    db: Session, ada: User, start: datetime, rule: dict[str, Any]
) -> None:
    """The fourth Friday was the last one, and the 28th the last day: in other months neither is."""
    was = Recurrence(start, **rule)
    reminder = reminders.create(db, ada.id, "Rent", was)
    typed = replace(choices.chosen(was), start=start.replace(hour=10)).recurrence()
    assert (typed.month_day, typed.month_week) != (was.month_day, was.month_week)

    reminders.edit(db, ada, reminder, "The rent", typed)
    assert recurrence.of(reminder) == replace(was, start=start.replace(hour=10))

    moved = replace(choices.chosen(was), start=start - timedelta(days=1)).recurrence()
    reminders.edit(db, ada, reminder, "The rent", moved)
    assert recurrence.of(reminder) == moved


def test_what_is_due_fires_though_its_user_has_moved(db: Session, ada: User) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    due = make_due(db, reminder, timedelta(minutes=5))
    complete_onboarding(ada, Profile("Ada", "Asia/Tokyo", ""))

    zone_changes.follow(db, ada)

    assert (reminder.due_at, reminder.timezone) == (due, "Asia/Tokyo")


def test_what_has_ended_is_no_way_around_how_many_there_may_be(
    db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = made(db, ada)
    reminders.advance(ended, None, database.clock(db))
    monkeypatch.setattr(reminders, "MOST_OPEN", 1)
    made(db, ada)

    with pytest.raises(reminders.TooManyReminders):
        reminders.snooze(db, ended, database.clock(db) + timedelta(days=1))


def test_the_same_on_another_condition_is_another(db: Session, ada: User) -> None:
    task = made(db, ada, kind=ReminderKind.TASK)
    wanted = recurrence.of(task)

    assert queries.find_same(db, ada.id, task.words, wanted, ReminderKind.TASK) is task
    given = {"tell_only_if": "it rains"}
    assert queries.find_same(db, ada.id, task.words, wanted, ReminderKind.TASK, **given) is None
