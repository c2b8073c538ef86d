"""“Remind me tomorrow at eight”, said on the eve of each change of clocks, in five zones."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import reminders as firing_action
from models import database
from models.periods import zone_of
from models.schema.chat import Message, Role
from models.schema.reminders import Reminder
from models.schema.users import User
from tasks.worker.tools import HANDLERS
from tests import factories
from tests.tasks.worker.tools.test_tools import turn_of

# The morning after the night on which the clocks change, and when it is eight there.
MORNINGS = [
    ("Europe/Paris", "2026-10-25", "07:00"),
    ("Europe/Paris", "2027-03-28", "06:00"),
    ("America/New_York", "2026-11-01", "13:00"),
    ("America/New_York", "2027-03-14", "12:00"),
    # By half an hour.
    ("Australia/Lord_Howe", "2026-10-04", "21:00 the day before"),
    ("Australia/Lord_Howe", "2027-04-04", "21:30 the day before"),
    # At midnight, which one of them leaves out.
    ("America/Santiago", "2026-09-06", "11:00"),
    ("America/Santiago", "2027-04-04", "12:00"),
    ("Africa/Cairo", "2026-10-30", "06:00"),
    ("Africa/Cairo", "2027-04-30", "05:00"),
]
SECOND = timedelta(seconds=1)

At = Callable[[datetime], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Sets the clock of reminders."""

    def _at(moment: datetime) -> None:
        def _clock(_db: Session) -> datetime:
            return moment

        monkeypatch.setattr(database, "clock", _clock)

    return _at


@pytest.mark.parametrize(("zone", "morning", "eight"), MORNINGS)
def test_tomorrow_at_eight_fires_then_and_once(
    db: Session, ada: User, at: At, zone: str, morning: str, eight: str
) -> None:
    ada.timezone = zone
    turn = turn_of(factories.running(db, ada, "Remind me tomorrow at 8"))
    utc, _, day_before = eight.partition(" ")
    due = datetime.fromisoformat(f"{morning}T{utc}").replace(tzinfo=UTC)
    due -= timedelta(days=1 if day_before else 0)
    eve = datetime.fromisoformat(f"{morning}T21:00") - timedelta(days=1)
    at(eve.replace(tzinfo=zone_of(zone)).astimezone(UTC))

    once, daily, cancelled = ("Call mum", "Pills", "Not this")
    said = HANDLERS["remind"](turn, {"what": once, "at": f"{morning}T08:00"})
    assert f"{morning} 08:00 {zone}" in said
    HANDLERS["remind"](turn, {"what": daily, "at": f"{eve:%F}T08:00", "repeat": "daily"})
    HANDLERS["remind"](turn, {"what": cancelled, "at": f"{morning}T08:00"})
    HANDLERS["cancel_reminder"](turn, {"number": 3})

    rows = db.scalars(select(Reminder).order_by(Reminder.number)).all()
    assert [row.due_at for row in rows] == [due, due, None]
    assert _fired(db, ada, at, due - SECOND) == []
    assert _fired(db, ada, at, due + SECOND) == [f"**Reminder:** {one}" for one in (once, daily)]
    assert _fired(db, ada, at, due + 2 * SECOND) == []
    # What repeats is at eight on the day after as well, whose hours are again as many as ever.
    assert rows[1].due_at == due + timedelta(days=1)
    assert _fired(db, ada, at, due + timedelta(days=1)) == [f"**Reminder:** {daily}"]


def _fired(db: Session, user: User, at: At, moment: datetime) -> list[str]:
    """Let a clock look at this moment; return what was said for it."""
    wanted = select(Message.text).where(Message.user_id == user.id, Message.role == Role.ASSISTANT)
    before = len(db.scalars(wanted).all())
    at(moment)
    firing_action.fire_due()
    db.expire_all()
    return list(db.scalars(wanted.order_by(Message.id)))[before:]
