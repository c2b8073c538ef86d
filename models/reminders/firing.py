"""Reminders that are due, fired in batches: exactly once for each due time, through crashes.

The message, the note that it fired and the next due time are written in one transaction. Clocks
pass over what another has locked; whatever they do, a due time has one row.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from models import database
from models.base import new_id
from models.chat import conversations
from models.periods import zone_of
from models.reminders import recurrence, reminders
from models.schema.chat import Conversation, Message, Role
from models.schema.reminders import Reminder, ReminderFiring, ReminderKind, ReminderStatus
from models.schema.users import User


@dataclass(frozen=True)
class DueReminder:
    """A locked reminder that fires now.

    `due_at` is when it should have; `missed` counts the times that have gone by since, and
    `following` is the next one by its recurrence. `conversation_id` is None where it has none, or
    has it no more.
    """

    reminder: Reminder
    timezone: str
    locale: str | None
    conversation_id: UUID | None
    due_at: datetime
    missed: int
    following: datetime | None
    now: datetime

    @property
    def late(self) -> timedelta:
        return self.now - self.due_at


@dataclass(frozen=True)
class FiredReminder:
    """What a reminder said when it fired, and where; `words` are its user's own."""

    firing_id: UUID
    message_id: UUID
    user_id: UUID
    conversation_id: UUID
    words: str
    text: str


# Who deletes a conversation, or answers in it, has it locked: its reminders come a moment later.
_LOCK_CONVERSATIONS = text("""
    SELECT id FROM conversations WHERE id = ANY (:ids) AND deleted_at IS NULL
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
""")


def take_due(db: Session, limit: int, *, title: str) -> list[DueReminder]:
    """Lock up to `limit` reminders that are due and that nobody else fires, longest due first.

    Those that have no conversation go into their user's one of the name `title`.
    """
    now = database.clock(db)
    rows = db.execute(
        select(Reminder, User.timezone, User.locale)
        .join(User, User.id == Reminder.user_id)
        .where(
            Reminder.status == ReminderStatus.ACTIVE,
            Reminder.kind == ReminderKind.REMINDER,
            Reminder.due_at <= now,
        )
        .order_by(Reminder.due_at, Reminder.id)
        .limit(limit)
        .with_for_update(of=Reminder, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    found = homes(db, [row[0] for row in rows], title)
    locked = set(db.scalars(_LOCK_CONVERSATIONS, {"ids": sorted(set(found.values()))}))
    return [
        due(reminder, timezone, locale, found.get(reminder.id), now)
        for reminder, timezone, locale in rows
        if reminder.id not in found or found[reminder.id] in locked
    ]


def fire(
    db: Session, due: Sequence[DueReminder], said: Sequence[tuple[str, str]], *, title: str
) -> list[FiredReminder]:
    """Write each message, Markdown and HTML, into its conversation, and set the next due times.

    A user who has none for it gets one of the name `title`. All or nothing, in the caller's
    transaction.
    """
    begun = _begin(db, {one.reminder.user_id for one in due if one.conversation_id is None}, title)
    fired = [
        FiredReminder(
            firing_id=new_id(),
            message_id=new_id(),
            user_id=one.reminder.user_id,
            conversation_id=one.conversation_id or begun[one.reminder.user_id],
            words=one.reminder.words,
            text=markdown,
        )
        for one, (markdown, _) in zip(due, said, strict=True)
    ]
    if fired:
        _write(db, due, fired, [html for _, html in said])
    return fired


def homes(db: Session, wanted: Sequence[Reminder], title: str) -> dict[UUID, UUID]:
    """Say by reminder into which conversation it goes; those are left out that have none yet."""
    named = {one.conversation_id for one in wanted if one.conversation_id is not None}
    is_there = Conversation.deleted_at.is_(None)
    there = set(db.scalars(select(Conversation.id).where(Conversation.id.in_(named), is_there)))
    homeless = {one.user_id for one in wanted if one.conversation_id not in there}
    known = db.execute(
        select(Conversation.user_id, Conversation.id)
        .where(Conversation.user_id.in_(homeless), Conversation.title == title, is_there)
        .order_by(Conversation.id)
    )
    own = {row.user_id: row.id for row in known}
    found = {one.id: one.conversation_id for one in wanted if one.conversation_id in there}
    fallbacks = {one.id: own[one.user_id] for one in wanted if one.user_id in own}
    return fallbacks | {key: home for key, home in found.items() if home is not None}


def due(
    reminder: Reminder,
    timezone: str,
    locale: str | None,
    conversation_id: UUID | None,
    now: datetime,
) -> DueReminder:
    """Say of a locked reminder that is due what was missed, and when it is due next."""
    due_at, scheduled = reminder.due_at or now, reminder.scheduled_at
    missed, following = 0, scheduled
    if scheduled is not None and scheduled <= now:
        rule, zone = recurrence.of(reminder), zone_of(reminder.timezone)
        missed, following = recurrence.count_between(rule, zone, scheduled, now)
        # One that was snoozed is told together with what came due after it.
        missed += due_at < scheduled
    return DueReminder(
        reminder=reminder,
        timezone=timezone,
        locale=locale,
        conversation_id=conversation_id,
        due_at=due_at,
        missed=missed,
        following=following,
        now=now,
    )


def _begin(db: Session, user_ids: Collection[UUID], title: str) -> dict[UUID, UUID]:
    begun: dict[UUID, UUID] = {}
    for user_id in sorted(user_ids):
        begun[user_id] = begin(db, user_id, title).id
    return begun


def begin(db: Session, user_id: UUID, title: str) -> Conversation:
    """Begin a conversation for what was set by hand."""
    conversation = conversations.start(db, user_id)
    conversations.rename(conversation, title)
    return conversation


def _write(
    db: Session, due: Sequence[DueReminder], fired: Sequence[FiredReminder], htmls: Sequence[str]
) -> None:
    now = due[0].now
    _write_messages(db, fired, htmls, now)
    _write_firings(db, due, fired, now)
    for was, one in zip(due, fired, strict=True):
        was.reminder.conversation_id = one.conversation_id
        reminders.advance(was.reminder, was.following, now)
    shown = {one.conversation_id for one in fired}
    db.execute(
        update(Conversation)
        .where(Conversation.id.in_(shown))
        .values(updated_at=now)
        .execution_options(synchronize_session=False)
    )
    db.flush()


def _write_messages(
    db: Session, fired: Sequence[FiredReminder], htmls: Sequence[str], now: datetime
) -> None:
    db.execute(
        insert(Message),
        [
            {
                "id": one.message_id,
                "conversation_id": one.conversation_id,
                "user_id": one.user_id,
                "role": Role.ASSISTANT,
                "text": one.text,
                "html": html,
                "created_at": now,
            }
            for one, html in zip(fired, htmls, strict=True)
        ],
    )


def _write_firings(
    db: Session, due: Sequence[DueReminder], fired: Sequence[FiredReminder], now: datetime
) -> None:
    db.execute(
        insert(ReminderFiring),
        [
            {
                "id": one.firing_id,
                "reminder_id": was.reminder.id,
                "user_id": one.user_id,
                "words": was.reminder.words,
                "due_at": was.due_at,
                "fired_at": now,
                "missed": was.missed,
                "message_id": one.message_id,
            }
            for was, one in zip(due, fired, strict=True)
        ],
    )
