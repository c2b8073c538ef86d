"""Mails notifications: so many a user and day, and what is more in one mail the next day."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from actions import wakeups
from actions.tellings import Telling, read
from models.email import outbox, templates
from models.email.outbox import Written
from models.email.templates import Action, EmailContent, Fact
from models.email.templates.content import address_on_site
from models.notifications import held, mail_quota, quiet_hours
from models.notifications.preferences import MANDATORY
from models.people import verification
from models.periods import day_of
from models.schema.notifications import Notification
from models.schema.users import User
from models.translation import gettext, ngettext, speaking

Due = tuple[Notification, Telling]
# Of what was collected, so much is told one by one.
MOST_LISTED = 50


def send(db: Session, due: Sequence[Due], now: datetime) -> None:
    """Mail each of these once, as far as the day of its user has room; the others are collected.

    News about money waits for no room. What a user wrote goes to no address that nobody has
    verified: it may be a stranger's.
    """
    left = mail_quota.take(db, [one.user for _, one in due], now)
    written: list[Written] = []
    for told, one in due:
        if told.topic not in MANDATORY and verification.is_awaited(one.user):
            held.close(told, now)
        elif told.topic not in MANDATORY and left[told.user_id] <= 0:
            told.collected_at = now
            held.postpone(told, _collected_until(one.user, now))
        else:
            left[told.user_id] -= 1
            told.mailed_at = now
            written.append(Written(one.user.email, one.letter, told.reference))
            held.close(told, now)
    _queue(db, written)


def send_collected(db: Session, user: User, now: datetime) -> None:
    """Mail all that was collected for a user and is due, in one mail."""
    waiting = held.take_collected(db, user.id)
    if not waiting:
        return
    letters = [read(told.content or {}, user, told).letter for told in waiting]
    with speaking(user.locale):
        letter = letters[0] if len(letters) == 1 else _collected(letters)
    # Of the day's mails it is one.
    waiting[0].mailed_at = now
    _queue(db, [Written(user.email, letter, outbox.collected_reference(waiting[0].id))])
    for told in waiting:
        held.close(told, now)


def _queue(db: Session, written: Sequence[Written]) -> None:
    if written:
        outbox.queue_all(db, written)
        wakeups.mail_after_commit(db)


def _collected_until(user: User, now: datetime) -> datetime:
    """The user's day is over, and so are the quiet hours in which it ends."""
    ends = day_of(user.timezone, now).ends
    return quiet_hours.end(user, ends) or ends


def _collected(letters: Sequence[EmailContent]) -> EmailContent:
    count, more = len(letters), len(letters) - MOST_LISTED
    facts = [Fact(letter.title, letter.words[0]) for letter in letters[:MOST_LISTED]]
    words = [gettext("There was more to tell than we mail you one by one. This is the rest of it.")]
    if more > 0:
        words.append(ngettext("One more is not listed.", "%(num)s more are not listed.", more))
    return templates.collected(
        ngettext("One more notification", "%(num)s more notifications", count),
        words,
        facts,
        see=Action(gettext("Open"), address_on_site("/chat")),
        why=gettext("Choose in the settings how you are told of things."),
    )
