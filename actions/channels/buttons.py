"""What the buttons under our messages do. A press is somebody's word, so it proves nothing: what
it names is found through the user whose chat it is.
"""

from collections.abc import Callable, Mapping
from uuid import UUID

from actions import answers
from actions.channels import commands, link_notices, linking, messages, notices
from actions.channels.chats import Chat
from channels.inbound import ButtonPressed
from models.channels import deliveries
from models.database import clock
from models.errors import NotFound, Refused
from models.reminders import queries, reminders, snoozes
from models.reminders.snoozes import Snooze
from models.schema.channels import ChannelAccount
from models.schema.reminders import Reminder, ReminderStatus
from models.schema.users import User


def press(chat: Chat, pressed: ButtonPressed) -> None:
    """Do what a button says; one that is nobody's or makes no sense does nothing."""
    deliveries.acknowledge(chat.db, chat.recipient, pressed.press_id)
    verb, _, what = pressed.data.partition(":")
    do = DONE.get(verb)
    if chat.account is None or chat.user is None:
        linking.greet(chat)
    elif do is not None:
        _try(chat, chat.account, chat.user, do, what)


_Verb = Callable[[Chat, ChannelAccount, User, str], None]


def _try(chat: Chat, account: ChannelAccount, user: User, do: _Verb, what: str) -> None:
    try:
        with chat.db.begin_nested():
            do(chat, account, user, what)
    except (NotFound, ValueError):
        # Another user's, deleted by now, or made up.
        return
    except Refused as refusal:
        chat.say(notices.refused(refusal))


def _stop(chat: Chat, _account: ChannelAccount, user: User, what: str) -> None:
    answers.stop(chat.db, user, UUID(what), chat.publisher)


def _retry(chat: Chat, _account: ChannelAccount, user: User, what: str) -> None:
    answers.retry(chat.db, user, UUID(what), chat.publisher)


def _go_on(chat: Chat, _account: ChannelAccount, user: User, what: str) -> None:
    answers.go_on(chat.db, user, UUID(what), chat.publisher)


def _agree(chat: Chat, _account: ChannelAccount, _user: User, what: str) -> None:
    messages.send_agreed(chat, UUID(what))


def _drop(chat: Chat, _account: ChannelAccount, _user: User, what: str) -> None:
    messages.drop(chat, UUID(what))


def _choose_model(chat: Chat, _account: ChannelAccount, user: User, what: str) -> None:
    commands.choose_model(chat, user, what)


def _unlink(chat: Chat, account: ChannelAccount, _user: User, what: str) -> None:
    if what == "yes":
        linking.unlink(chat.db, account)
    else:
        chat.say(link_notices.unlink_question())


def _snooze(chat: Chat, _account: ChannelAccount, user: User, what: str) -> None:
    choice, _, firing_id = what.partition(":")
    at = snoozes.until(Snooze(choice), user.timezone, clock(chat.db))
    reminder = _find_fired(chat, user, firing_id)
    if reminder is None:
        return
    if reminder.status is ReminderStatus.PAUSED:
        chat.say(notices.reminder_paused())
        return
    reminders.snooze(chat.db, reminder, at)
    chat.say(notices.snoozed(at, user.timezone))


def _finish(chat: Chat, _account: ChannelAccount, user: User, what: str) -> None:
    reminder = _find_fired(chat, user, what)
    if reminder is not None:
        reminders.finish(chat.db, reminder)
        chat.say(notices.ticked_off())


def _find_fired(chat: Chat, user: User, firing_id: str) -> Reminder | None:
    """Find the reminder that a button is about; say so if the user has it no more."""
    try:
        return queries.find_fired(chat.db, user.id, UUID(firing_id))
    except NotFound:
        # Another user's is told the same: nobody learns whether it is there.
        chat.say(notices.reminder_gone())
        return None


DONE: Mapping[str, _Verb] = {
    "stop": _stop,
    "retry": _retry,
    "more": _go_on,
    "agree": _agree,
    "drop": _drop,
    "model": _choose_model,
    "unlink": _unlink,
    "snooze": _snooze,
    "done": _finish,
}
