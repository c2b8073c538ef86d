"""Tells users of something while they are away, by the ways that they chose, once.

Whatever causes a notification calls `notify` in its own transaction: what was rolled back is told
nobody, and what was committed is forgotten by nobody. In quiet hours it is held until they end.
Where no way reaches its user it is mailed at last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from actions import notification_mails, wakeups
from actions.channels import notices
from actions.channels.notices import Notice
from actions.notification_mails import Due
from actions.tellings import Telling, read, written
from channels.outbound import Button
from models.channels import accounts, deliveries
from models.channels.deliveries import Recipient
from models.database import after_commit, clock
from models.email.templates import EmailContent
from models.notifications import held, preferences, pushes, quiet_hours, subscriptions
from models.notifications.preferences import EMAIL, PUSH, Choice
from models.schema.channels import ChannelAccount
from models.schema.notifications import Notification, PushSubscription, Topic
from models.schema.users import User
from settings import get_settings

# Whose time their user has set: they come in quiet hours too.
COMES_AT_ITS_TIME = frozenset({Topic.REMINDERS})
# A browser shows some lines, and a push service takes 4 KB.
PUSHED_LENGTH = 500


@dataclass(frozen=True)
class _Reach:
    """Where a user can be written to just now."""

    devices: Sequence[PushSubscription]
    messengers: Sequence[ChannelAccount]


def notify(db: Session, user: User, topic: Topic, letter: EmailContent, *, reference: str) -> None:
    """Tell a user what a letter says by the ways chosen for `topic`; once for each `reference`.

    In a messenger and in a browser its title and first words are shown, and where its button leads.
    """
    notify_all(db, [Telling(user, topic, letter, reference)])


def notify_all(db: Session, tellings: Sequence[Telling]) -> None:
    """Do as `notify` does, for many at once."""
    now = clock(db)
    by_reference = {one.reference: one for one in tellings}
    new = [
        held.New(
            user_id=one.user.id,
            topic=one.topic,
            content=written(one),
            ready_at=_quiet_until(one.user, one.topic, now) or now,
            reference=one.reference,
            message_id=one.message_id,
        )
        for one in by_reference.values()
    ]
    added = held.add_all(db, new)
    _hand_over(
        db,
        [(told, by_reference[name]) for name, told in added.items() if told.ready_at <= now],
        now,
    )


def dispatch_next(db: Session) -> bool:
    """Look after the notification that is due; False if there is none.

    One that was held is told, unless its user has chosen other quiet hours meanwhile that hold now;
    one that was told is mailed if it has reached nobody.
    """
    told = held.take_due(db)
    if told is None or told.content is None:
        return False
    now, user = clock(db), db.get_one(User, told.user_id)
    until = _quiet_until(user, told.topic, now)
    one = read(told.content, user, told)
    if told.handed_over_at is not None and told.collected_at is None:
        _look_after(db, told, one, until, now)
    elif until is not None:
        held.postpone(told, until)
    elif told.collected_at is not None:
        notification_mails.send_collected(db, user, now)
    else:
        _hand_over(db, [(told, one)], now)
    db.flush()
    return True


def _quiet_until(user: User, topic: Topic, now: datetime) -> datetime | None:
    return None if topic in COMES_AT_ITS_TIME else quiet_hours.end(user, now)


def _look_after(
    db: Session, told: Notification, one: Telling, until: datetime | None, now: datetime
) -> None:
    """Mail what none of its ways has taken, or not for long; not in quiet hours."""
    has_arrived = held.has_arrived(db, told)
    handed_over_at = told.handed_over_at or now
    if has_arrived:
        held.close(told, now)
    elif has_arrived is None and now - handed_over_at < held.PATIENCE:
        held.postpone(told, now + held.LOOK_AFTER)
    elif until is not None:
        held.postpone(told, until)
    else:
        notification_mails.send(db, [(told, one)], now)


def _hand_over(db: Session, due: Sequence[Due], now: datetime) -> None:
    """Write each into the outboxes of its ways; mail what has no other way to its user."""
    user_ids = {told.user_id for told, _ in due}
    choices = preferences.find_all(db, user_ids)
    reach = _reach(db, user_ids)
    mailed: list[Due] = []
    for told, one in due:
        choice = choices.get((told.user_id, told.topic), Choice(told.topic))
        told.handed_over_at = now
        reached = _push(db, told, one.letter, choice, reach[told.user_id])
        reached |= _write_in_channels(db, told, one, choice, reach[told.user_id])
        if choice.takes(EMAIL) or (choice.is_mailed_at_last and not reached):
            mailed.append((told, one))
        elif choice.is_mailed_at_last:
            held.postpone(told, now + held.LOOK_AFTER)
        else:
            held.close(told, now)
    if mailed:
        notification_mails.send(db, mailed, now)
    db.flush()


def _reach(db: Session, user_ids: set[UUID]) -> dict[UUID, _Reach]:
    devices = subscriptions.list_live_of(db, user_ids if get_settings().offers_push else ())
    linked = accounts.list_reachable(db, user_ids)
    if devices:
        after_commit(db, wakeups.pushes)
    if linked:
        after_commit(db, wakeups.messengers)
    return {one: _Reach(devices.get(one, ()), linked.get(one, ())) for one in user_ids}


def _push(
    db: Session, told: Notification, letter: EmailContent, choice: Choice, reach: _Reach
) -> bool:
    """Show it in all browsers of the user that show notifications; False if there is none."""
    if not choice.takes(PUSH):
        return False
    url = letter.action.url if letter.action else ""
    content = {"title": letter.title, "text": letter.words[0][:PUSHED_LENGTH], "url": url}
    for device in reach.devices:
        pushes.queue(db, device, content, reference=told.reference)
    return bool(reach.devices)


def _write_in_channels(
    db: Session, told: Notification, one: Telling, choice: Choice, reach: _Reach
) -> bool:
    """Say it in the chosen messengers that can be written to; False if there is none."""
    chosen = [account for account in reach.messengers if choice.takes(account.channel)]
    content = (one.chat or _in_a_chat(told.topic, one.letter)).as_content()
    for account in chosen:
        reference = deliveries.notice_reference(told.reference, account.id)
        # Not behind an answer that is being written, or that waits for credits.
        deliveries.notify(db, Recipient.of(account), content, reference=reference)
    return bool(chosen)


def _in_a_chat(topic: Topic, letter: EmailContent) -> Notice:
    words = "\n\n".join(notices.plain(paragraph) for paragraph in letter.words)
    action = letter.action
    rows = [[Button(action.label, url=action.url)]] if action else []
    return Notice(topic, f"**{notices.plain(letter.title)}**\n\n{words}", rows)
