"""Tells users of something while they are away, by the ways that they chose, once.

Whatever causes a notification calls `notify` in its own transaction: what was rolled back is told
nobody, and what was committed is forgotten by nobody. In quiet hours it is held until they end.
"""

from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from actions import wakeups
from actions.channels import notices
from actions.channels.chats import tell_user
from actions.channels.notices import Notice
from channels.outbound import Button
from models.channels import accounts
from models.database import after_commit, clock
from models.email import outbox
from models.email.templates import Action, EmailContent, EmailKind, Fact
from models.notifications import held, preferences, pushes, quiet_hours, subscriptions
from models.notifications.preferences import EMAIL, MAILED_AT_LAST, PUSH
from models.schema.notifications import Notification, Topic
from models.schema.users import User
from settings import get_settings


def notify(db: Session, user: User, topic: Topic, letter: EmailContent, *, reference: str) -> None:
    """Tell a user what a letter says by the ways chosen for `topic`; once for each `reference`.

    In a messenger and in a browser its title and first words are shown, and where its button leads.
    """
    now = clock(db)
    ready_at = quiet_hours.end(user, now) or now
    content = _written(letter)
    told = held.add(db, user.id, topic, content, ready_at=ready_at, reference=reference)
    if told is not None and ready_at <= now:
        _dispatch(db, user, told, letter)


def dispatch_next(db: Session) -> bool:
    """Tell the notification whose quiet hours are over; False if there is none.

    Should its user have chosen other quiet hours meanwhile that hold now, it waits for their end.
    """
    told = held.take_due(db)
    if told is None or told.content is None:
        return False
    user = db.get_one(User, told.user_id)
    until = quiet_hours.end(user, clock(db))
    if until is None:
        _dispatch(db, user, told, _read(told.content))
    else:
        held.postpone(told, until)
    return True


def _dispatch(db: Session, user: User, told: Notification, letter: EmailContent) -> None:
    ways = preferences.ways(db, user.id, told.topic)
    reached = _push(db, user, told, letter) if PUSH in ways else False
    reached |= _write_in_channels(db, user, told, letter, ways)
    is_last_way = told.topic in MAILED_AT_LAST and bool(ways) and not reached
    if EMAIL in ways or is_last_way:
        outbox.queue(db, user.email, letter, reference=told.reference)
        wakeups.mail_after_commit(db)
    held.close(told, clock(db))
    db.flush()


def _push(db: Session, user: User, told: Notification, letter: EmailContent) -> bool:
    """Show it in all browsers of the user that show notifications; False if there is none."""
    if not get_settings().offers_push:
        return False
    url = letter.action.url if letter.action else ""
    content = {"title": letter.title, "text": letter.words[0], "url": url}
    devices = subscriptions.list_live(db, user.id)
    for device in devices:
        pushes.queue(db, device.subscription, content, reference=told.reference)
    if devices:
        after_commit(db, wakeups.pushes)
    return bool(devices)


def _write_in_channels(
    db: Session, user: User, told: Notification, letter: EmailContent, ways: frozenset[str]
) -> bool:
    """Say it in the chosen messengers that can be written to; False if there is none."""
    linked = [account for account in accounts.list_own(db, user.id) if account.channel in ways]
    reachable = [account for account in linked if account.blocked_at is None]
    for account in reachable:
        reference = f"{told.reference}:{account.id}"
        tell_user(db, account, _in_a_chat(told.topic, letter), reference=reference)
    return bool(reachable)


def _in_a_chat(topic: Topic, letter: EmailContent) -> Notice:
    words = "\n\n".join(notices.plain(paragraph) for paragraph in letter.words)
    action = letter.action
    rows = [[Button(action.label, url=action.url)]] if action else []
    return Notice(topic, f"**{notices.plain(letter.title)}**\n\n{words}", rows)


def _written(letter: EmailContent) -> dict[str, Any]:
    return asdict(letter)


def _read(content: dict[str, Any]) -> EmailContent:
    action = content["action"]
    return EmailContent(
        kind=EmailKind(content["kind"]),
        subject=content["subject"],
        title=content["title"],
        words=tuple(content["words"]),
        facts=tuple(Fact(**fact) for fact in content["facts"]),
        action=Action(**action) if action else None,
        small_print=tuple(content["small_print"]),
    )
