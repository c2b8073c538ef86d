"""Reminders that are due are said in their conversations, on open pages and as was chosen.

No model is asked and nothing is charged, so they come whatever credits their user has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import redis
import structlog
from markupsafe import escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import notifications, wakeups
from actions.channels.notices import Notice, plain
from actions.sentences import reminders as sentences
from actions.tellings import Telling
from channels.outbound import Button
from gateways.live_events import MessageAdded
from models.database import after_commit, unit_of_work
from models.email import templates
from models.email.templates import Action, EmailContent
from models.email.templates.content import address_on_site
from models.reminders import firing
from models.reminders.firing import DueReminder, FiredReminder
from models.schema.notifications import Topic
from models.schema.users import User
from models.translation import gettext, speaking

log = structlog.get_logger()

# One transaction's worth.
FIRED_AT_ONCE = 500


@dataclass(frozen=True)
class Fired:
    """What a reminder or a task has to tell its user, by a letter and in messengers."""

    topic: Topic
    said: FiredReminder
    letter: EmailContent
    buttons: list[list[Button]]


def fire_due(limit: int = FIRED_AT_ONCE) -> int:
    """Fire up to `limit` reminders that are due, each once; return how many it were.

    Others may do the same at the same time.
    """
    with unit_of_work() as db:
        title = gettext(sentences.CONVERSATION)
        due = firing.take_due(db, limit, title=title)
        fired = firing.fire(db, due, [_said(one) for one in due], title=title)
        send(db, [_worded(was, one) for was, one in zip(due, fired, strict=True)])
        after_commit(db, lambda: publish(fired))
    return len(fired)


def _said(due: DueReminder) -> tuple[str, str]:
    """Word a reminder, as Markdown and as HTML; its own words mean nothing in either."""
    words, late = due.reminder.words, _lateness(due)
    with speaking(due.locale):
        head = gettext("Reminder:")
    markdown = f"**{head}** {plain(words)}"
    html = f"<p>{escape(words)}</p>"
    if late:
        markdown += f"\n\n*{plain(late)}*"
        html += f"<p><em>{escape(late)}</em></p>"
    return markdown, html


def _lateness(due: DueReminder) -> str:
    with speaking(due.locale):
        return sentences.lateness(due.late, due.due_at, due.missed, due.timezone)


def _worded(due: DueReminder, fired: FiredReminder) -> Fired:
    """Word it for where its user is away from the conversation."""
    late = _lateness(due)
    with speaking(due.locale):
        letter = templates.reminder(
            gettext("Reminder"),
            (fired.words, late) if late else (fired.words,),
            see=open_button(fired),
            why=gettext("You set this reminder. Choose in the settings how you are told."),
        )
        return Fired(Topic.REMINDERS, fired, letter, buttons_of(fired))


def send(db: Session, fired: Sequence[Fired]) -> None:
    """Tell each to its user by the ways that they chose for it, once."""
    found = db.scalars(select(User).where(User.id.in_({one.said.user_id for one in fired})))
    users = {user.id: user for user in found}
    notifications.notify_all(
        db,
        [
            Telling(
                users[one.said.user_id],
                one.topic,
                one.letter,
                reference=f"reminder:{one.said.firing_id}",
                chat=Notice("reminder", one.said.text, one.buttons),
                message_id=one.said.message_id,
            )
            for one in fired
        ],
    )


def open_button(fired: FiredReminder) -> Action:
    """Lead to where it was said."""
    return Action(gettext("Open"), address_on_site(f"/chat/{fired.conversation_id}"))


def buttons_of(fired: FiredReminder) -> list[list[Button]]:
    later = [
        Button(gettext(words), data=f"snooze:{choice}:{fired.firing_id}")
        for choice, words in sentences.SNOOZES.items()
    ]
    return [later, [Button(gettext("Done"), data=f"done:{fired.firing_id}")]]


def publish(fired: Sequence[FiredReminder]) -> None:
    """Show what was said where its conversations are open."""
    for one in fired:
        log.info("reminder.fired", user_id=str(one.user_id), message_id=str(one.message_id))
    try:
        for one in fired:
            event = MessageAdded()
            wakeups.streams().append(one.conversation_id, one.message_id, 0, event)
    except redis.RedisError as error:
        log.warning("live.lost", error=str(error))
