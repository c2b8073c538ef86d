"""The page of reminders works without scripts, for its user alone, and says which time it means."""

import io
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import reminders as firing_action
from actions import task_runs as task_action
from models.base import utc_now
from models.periods import zone_of
from models.reminders import queries, task_runs
from models.schema.jobs import Job, JobStatus
from models.schema.reminders import Reminder, ReminderFiring, ReminderKind, ReminderStatus, Repeats
from models.schema.users import User
from tests import factories
from tests.models.reminders.making import made, make_due
from tests.webapp.browser import Browser


def _form(**given: str) -> dict[str, str]:
    tomorrow = utc_now().astimezone(zone_of("Europe/Berlin")) + timedelta(days=1)
    usual = {
        "words": "Call the dentist",
        "day": tomorrow.date().isoformat(),
        "clock": "08:00",
        "repeats": "once",
        "every": "1",
        "until": "",
    }
    return usual | given


def _only(db: Session) -> Reminder:
    db.expire_all()
    return db.scalars(select(Reminder)).one()


def test_an_empty_page_says_how_to_begin(adas: Browser) -> None:
    assert "Nothing to remind you of yet" in adas.read("/reminders")


def test_it_is_set_by_hand_and_says_when(adas: Browser, db: Session) -> None:
    assert adas.post("/reminders", _form()).status_code == 303
    page = adas.read("/reminders")
    assert re.search(r"Set for \w+, \d+ \w+( \d+)? at 08:00 \(Europe/Berlin\)", page)
    assert "Call the dentist" in page
    assert _only(db).status is ReminderStatus.ACTIVE


def test_a_form_that_comes_twice_sets_one(adas: Browser, db: Session) -> None:
    for _ in range(2):
        assert adas.post("/reminders", _form()).status_code == 303
    assert _only(db).words == "Call the dentist"
    adas.post("/reminders", _form(clock="09:00"))
    adas.post("/reminders", _form(kind="task", tell_only_if="it rains"))
    adas.post("/reminders", _form(kind="task", tell_only_if="it snows"))
    assert len(db.scalars(select(Reminder)).all()) == 4


@pytest.mark.parametrize(
    ("repeats", "expected", "every"),
    [
        ("daily", Repeats.DAILY, 2),
        ("workdays", Repeats.WEEKLY, 1),
        ("weekly", Repeats.WEEKLY, 2),
        ("monthly", Repeats.MONTHLY_BY_DAY, 2),
        ("monthly_by_weekday", Repeats.MONTHLY_BY_WEEKDAY, 2),
        ("yearly", Repeats.MONTHLY_BY_DAY, 24),
    ],
)
def test_each_choice_is_what_its_form_says_again(
    adas: Browser, db: Session, repeats: str, expected: Repeats, every: int
) -> None:
    adas.post("/reminders", _form(repeats=repeats, every="2"))
    reminder = _only(db)
    assert (reminder.repeats, reminder.every) == (expected, every)
    page = adas.read(f"/reminders/{reminder.id}")
    assert f'<option value="{repeats}" selected>' in page


@pytest.mark.parametrize(
    "odd",
    [
        {"words": ""},
        {"words": "a\u202eb"},
        {"day": "2026-13-01"},
        {"day": "2020-01-01"},
        {"clock": "25:00"},
        {"clock": "8"},
        {"repeats": "hourly"},
        {"repeats": "daily", "every": "0"},
        {"repeats": "daily", "every": "9" * 400},
        {"repeats": "weekly", "weekdays": "9"},
        {"repeats": "daily", "until": "2020-01-01"},
    ],
)
def test_nonsense_is_refused_and_what_was_typed_stays(
    adas: Browser, db: Session, odd: dict[str, str]
) -> None:
    answer = adas.post("/reminders", _form(**odd))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert db.scalars(select(Reminder)).all() == []


def test_it_is_changed_paused_resumed_skipped_and_deleted(
    adas: Browser, db: Session, ada: User
) -> None:
    reminder = made(db, ada)
    db.commit()
    where = f"/reminders/{reminder.id}"
    adas.post(where, _form(words="Call the *doctor*", repeats="daily"))
    assert _only(db).words == "Call the *doctor*"
    adas.post(f"{where}/pause")
    assert "Paused" in adas.read("/reminders")
    adas.post(where, _form(words="Call the *doctor*", repeats="daily", clock="09:00"))
    assert "It stays paused until you resume it." in adas.read("/reminders")
    adas.post(f"{where}/resumption")
    due = _only(db).due_at
    adas.post(f"{where}/skip")
    assert _only(db).due_at != due
    adas.post(f"{where}/deletion")
    assert "Nothing to remind you of yet" in adas.read("/reminders")


def test_a_task_that_waits_ends_with_its_reminder(adas: Browser, db: Session, ada: User) -> None:
    task = made(db, ada, "Look for flights", kind=ReminderKind.TASK)
    make_due(db, task)
    db.commit()
    assert task_action.begin_due() == 1
    adas.post(f"/reminders/{task.id}/deletion")
    db.expire_all()
    assert db.scalars(select(Job.status)).all() == [JobStatus.CANCELLED]


def test_what_has_fired_is_snoozed_and_done(adas: Browser, db: Session, ada: User) -> None:
    reminder = made(db, ada)
    make_due(db, reminder)
    firing_action.fire_due()
    page = adas.read("/reminders")
    assert "in 10 minutes" in page
    adas.post(f"/reminders/{reminder.id}/snooze", {"again": "10m"})
    assert _only(db).status is ReminderStatus.ACTIVE
    assert "snoozed" in adas.read("/reminders")
    adas.post(f"/reminders/{reminder.id}/done")
    assert ", done" in adas.read("/reminders")


def test_it_is_shown_in_its_conversation(adas: Browser, db: Session, ada: User) -> None:
    reminder = made(db, ada, "Water <the> plants")
    make_due(db, reminder)
    firing_action.fire_due()
    db.expire_all()
    page = adas.get(f"/chat/{reminder.conversation_id}").text
    assert "Water &lt;the&gt; plants" in page
    assert "reminder-said" in page


@pytest.mark.parametrize(
    "what", ["", "/pause", "/resumption", "/skip", "/snooze", "/done", "/deletion"]
)
def test_eve_changes_none_of_adas(eves: Browser, db: Session, ada: User, what: str) -> None:
    reminder = made(db, ada, "Only Ada's own")
    before = (reminder.status, reminder.due_at, reminder.words)
    assert eves.get(f"/reminders/{reminder.id}").status_code == 404
    answer = eves.post(f"/reminders/{reminder.id}{what}", _form(minutes="5"))
    assert answer.status_code == 404
    db.refresh(reminder)
    assert (reminder.status, reminder.due_at, reminder.words) == before
    assert "Only Ada's" not in eves.read("/reminders")


def test_a_calendar_reads_them_at_a_secret_link(
    adas: Browser, db: Session, ada: User, browser: Browser
) -> None:
    made(db, ada, "Pay; rent, \\ " + "ü" * 80, repeats=Repeats.DAILY)
    page = adas.post("/reminders/calendar").text
    found = re.search(r"(/calendar\.ics\?secret=[\w-]+)", page)
    assert found
    answer = browser.get(found[1])
    assert answer.mimetype == "text/calendar"
    lines = answer.text.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    whole = answer.text.replace("\r\n ", "")
    assert "SUMMARY:Pay\\; rent\\, \\\\ " + "ü" * 80 in whole
    assert whole.count("BEGIN:VEVENT") == 40
    assert found[1] not in adas.read("/reminders")


def test_a_link_ends_with_the_next_one_or_by_hand(
    adas: Browser, browser: Browser, log_in: Callable[[User], Browser]
) -> None:
    def made_link() -> str:
        found = re.search(r"(/calendar\.ics\?secret=[\w-]+)", adas.post("/reminders/calendar").text)
        assert found
        return found[1]

    first, second = made_link(), made_link()
    assert browser.get(first).status_code == 404
    assert browser.get(second).status_code == 200
    adas.post("/reminders/calendar/revocation")
    assert browser.get(second).status_code == 404
    assert browser.get("/calendar.ics?secret=x").status_code == 404


def test_moving_house_moves_what_repeats(adas: Browser, db: Session, ada: User) -> None:
    adas.post("/reminders", _form(repeats="daily"))
    adas.post("/settings/profile", {"name": "Ada", "timezone": "Asia/Tokyo", "needs": ""})
    due = _only(db).due_at
    assert due
    assert f"{due.astimezone(zone_of('Asia/Tokyo')):%H:%M}" == "08:00"
    assert queries.list_open(db, ada.id)[0].timezone == "Asia/Tokyo"


def test_a_task_is_set_by_hand_and_its_kind_and_limit_are_shown(adas: Browser, db: Session) -> None:
    adas.post("/reminders", _form(kind="task", tell_only_if="it <rains>", repeats="daily"))
    task = _only(db)
    assert (task.kind, task.tell_only_if) == (ReminderKind.TASK, "it <rains>")
    page = adas.read("/reminders")
    assert "told only if: it <rains>" in page
    assert re.search(r'value="task"\s+checked', adas.read(f"/reminders/{task.id}"))
    adas.post(f"/reminders/{task.id}", _form(kind="reminder"))
    assert (_only(db).kind, _only(db).tell_only_if) == (ReminderKind.REMINDER, "")
    assert adas.post("/reminders/task-limit", {"task_limit": "0.50"}).status_code == 303
    assert 'value="0.50"' in adas.read("/reminders")
    assert adas.post("/reminders/task-limit", {"task_limit": "-1"}).status_code == 422


def test_where_it_was_said_it_is_snoozed_until_morning_and_done(
    adas: Browser, db: Session, ada: User
) -> None:
    reminder = made(db, ada)
    make_due(db, reminder)
    firing_action.fire_due()
    said = db.scalars(select(ReminderFiring)).one().message_id
    assert adas.post(f"/reminders/said/{said}/snooze", {"again": "morning"}).status_code == 303
    due = _only(db).due_at
    assert due is not None
    assert due.astimezone(zone_of("Europe/Berlin")).strftime("%H:%M") == "08:00"
    assert adas.post(f"/reminders/said/{said}/snooze", {"again": "never"}).status_code == 422
    adas.post(f"/reminders/said/{said}/done")
    assert ", done" in adas.read("/reminders")


def test_a_calendar_is_brought_along_and_nonsense_is_refused(adas: Browser, db: Session) -> None:
    event = "BEGIN:VEVENT\nDTSTART:20700105T080000\nSUMMARY:Dentist\nEND:VEVENT\n"
    data = f"BEGIN:VCALENDAR\nVERSION:2.0\n{event * 2000}END:VCALENDAR\n".encode()
    assert len(data) > 100_000

    def bring(data: bytes) -> int:
        form = {"calendar": (io.BytesIO(data), "mine.ics")}
        return adas.post("/reminders/calendar/import", form).status_code

    assert bring(data) == 303
    page = adas.read("/reminders")
    assert "1 reminder was set. 999 were there. Left out: 1000 more than" in page
    assert _only(db).words == "Dentist"
    assert bring(b"nonsense") == 422
    assert bring(b"x" * 3_000_000) == 413


def test_what_was_said_to_ada_is_not_eves(eves: Browser, db: Session, ada: User) -> None:
    make_due(db, made(db, ada))
    firing_action.fire_due()
    said = db.scalars(select(ReminderFiring)).one().message_id
    for act in ("snooze", "done"):
        answer = eves.post(f"/reminders/said/{said}/{act}", {"again": "10m"})
        assert answer.status_code == 404
    assert _only(db).status is ReminderStatus.ENDED


def test_a_task_with_nothing_to_tell_stands_in_the_past_with_its_cost(
    adas: Browser, db: Session, ada: User
) -> None:
    task = made(db, ada, "Look", kind=ReminderKind.TASK, tell_only_if="it rains")
    make_due(db, task)
    task_action.begin_due()
    job = factories.claim(db)
    assert job is not None
    assert "is being done" in adas.read("/reminders")
    task_runs.keep_silent(db, job)
    factories.charge(db, job, 20_000)
    factories.answer(db, job, "Nothing.")
    task_action.tell_over()
    db.expire_all()
    page = adas.read("/reminders")
    assert "nothing to tell" in page
    assert adas.get(f"/chat/{job.conversation_id}").text.count("Nothing.") == 0
    assert adas.get(re.findall(rf'href="([^"]*{job.id}[^"]*)"', page)[0]).status_code == 200
