"""Reminders that are due are said in their conversations, on open pages and in messengers.

No model is asked and nothing is charged, so they come whatever credits their user has.
"""

from collections.abc import Sequence

import redis
import structlog
from markupsafe import escape
from sqlalchemy.orm import Session

from actions import wakeups
from actions.channels.notices import Notice, plain
from actions.sentences import reminders as sentences
from channels.outbound import Button
from gateways.live_events import MessageAdded
from models.channels import accounts, deliveries
from models.database import after_commit, unit_of_work
from models.reminders import firing
from models.reminders.firing import DueReminder, FiredReminder
from models.translation import gettext, speaking

log = structlog.get_logger()

# One transaction's worth.
FIRED_AT_ONCE = 500


def fire_due(limit: int = FIRED_AT_ONCE) -> int:
    """Fire up to `limit` reminders that are due, each once; return how many it were.

    Others may do the same at the same time.
    """
    with unit_of_work() as db:
        title = gettext(sentences.CONVERSATION)
        due = firing.take_due(db, limit, title=title)
        fired = firing.fire(db, due, [_said(one) for one in due], title=title)
        send(db, fired)
        after_commit(db, lambda: publish(fired))
    return len(fired)


def _said(due: DueReminder) -> tuple[str, str]:
    """Word a reminder, as Markdown and as HTML; its own words mean nothing in either."""
    words = due.reminder.words
    with speaking(due.locale):
        late = sentences.lateness(due.late, due.due_at, due.missed, due.timezone)
        head = gettext("Reminder:")
    markdown = f"**{head}** {plain(words)}"
    html = f"<p>{escape(words)}</p>"
    if late:
        markdown += f"\n\n*{plain(late)}*"
        html += f"<p><em>{escape(late)}</em></p>"
    return markdown, html


def send(db: Session, fired: Sequence[FiredReminder]) -> None:
    """Send each to the messengers that show its conversation, or else to all of its user."""
    linked = accounts.list_reachable(db, {one.user_id for one in fired})
    for one in fired:
        own = linked.get(one.user_id, ())
        showing = [account for account in own if account.conversation_id == one.conversation_id]
        content = Notice("reminder", one.text, _buttons(one)).as_content()
        for account in showing or own:
            reference = f"reminder:{one.firing_id}:{account.id}"
            # Not behind an answer that is being written, or that waits for credits.
            deliveries.notify(db, deliveries.Recipient.of(account), content, reference=reference)
    if linked:
        after_commit(db, wakeups.messengers)


def _buttons(fired: FiredReminder) -> list[list[Button]]:
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
