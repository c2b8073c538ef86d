"""Telling users of something, for tests: by which ways, at night, and a day later."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import notifications
from actions import reminders as reminding
from models.email import templates
from models.email.templates import Action
from models.notifications import quiet_hours
from models.schema.notifications import Notification, Topic
from models.schema.users import User
from tests.models.reminders.making import made, make_due

WAYS = ("email", "push", "telegram")
LETTER = templates.alert("News", ["Look [here]."], see=Action("See", "https://here.example/x"))


def tell(db: Session, user: User, topic: Topic, reference: str = "one") -> None:
    notifications.notify(db, user, topic, LETTER, reference=reference)


def remind(db: Session, user: User, words: str = "Call mum") -> None:
    make_due(db, made(db, user, words))
    assert reminding.fire_due() == 1
    db.expire_all()


def be_quiet(user: User) -> None:
    user.timezone = "UTC"
    minute = datetime.now(UTC).hour * 60
    quiet_hours.choose(user, minute, (minute + 180) % 1440)


def a_day_later(db: Session) -> None:
    day = timedelta(days=1)
    moved = {"mailed_at": Notification.mailed_at - day, "ready_at": Notification.ready_at - day}
    db.execute(sa.update(Notification).values(moved))
    db.expire_all()
