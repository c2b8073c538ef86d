"""What a user's commands do, such as /new."""

from collections.abc import Callable, Mapping

from sqlalchemy import select

from actions import answers, offers
from actions.channels import link_notices, linking, messages, notices
from actions.channels.chats import Chat
from actions.sentences import reminders as sentences
from channels.inbound import CommandGiven
from models import ledger
from models.base import utc_now
from models.channels import accounts
from models.errors import Refused
from models.jobs.queries import UNFINISHED
from models.ledger import limits
from models.people import users
from models.periods import day_of, month_of
from models.reminders import queries
from models.schema.channels import ChannelAccount
from models.schema.jobs import Job
from models.schema.users import User

# A page has the rest of them.
MOST_REMINDERS = 10


def obey(chat: Chat, command: CommandGiven) -> None:
    """Do what a command asks; a stranger is shown how to become a user."""
    if command.name == "start":
        linking.start(chat, command.argument)
    elif chat.account is None or chat.user is None:
        linking.greet(chat)
    else:
        DONE.get(command.name, _say_unknown)(chat, chat.account, chat.user, command.argument)


def _begin(chat: Chat, account: ChannelAccount, user: User, argument: str) -> None:
    """Let the next message begin a conversation; words behind the command are that message."""
    has_words = bool(argument.strip())
    if has_words:
        # Before the messenger's row: who deletes the conversation that it shows does so too.
        ledger.lock_account(chat.db, user.id)
    accounts.show(account, None)
    if has_words:
        messages.write(chat, account, user, f"new:{chat.update.external_id}", argument)
    else:
        chat.say(notices.new_conversation())


def _stop(chat: Chat, _account: ChannelAccount, user: User, _argument: str) -> None:
    """Stop what is being answered for the user, wherever they asked it."""
    unfinished = select(Job.id).where(Job.user_id == user.id, Job.status.in_(UNFINISHED))
    job_id = chat.db.scalar(unfinished.order_by(Job.id).limit(1))
    if job_id is None:
        chat.say(notices.nothing_to_stop())
    else:
        answers.stop(chat.db, user, job_id, chat.publisher)


def _choose_model(chat: Chat, _account: ChannelAccount, user: User, argument: str) -> None:
    if not argument:
        chat.say(notices.models(user))
    else:
        choose_model(chat, user, argument)


def choose_model(chat: Chat, user: User, model_id: str) -> None:
    """Let another model answer from the next message on; one that is not offered is refused."""
    try:
        model = offers.find(model_id)
    except Refused as refusal:
        chat.say(notices.refused(refusal))
        return
    users.choose_model(user, model.id)
    chat.say(notices.model_chosen(model.display_name))


def _show_usage(chat: Chat, _account: ChannelAccount, user: User, _argument: str) -> None:
    now = utc_now()
    today = limits.spent_since(chat.db, user.id, day_of(user.timezone, now).begins)
    month = limits.spent_since(chat.db, user.id, month_of(user.timezone, now).begins)
    chat.say(notices.usage(user, today, month))


def _show_limits(chat: Chat, _account: ChannelAccount, user: User, _argument: str) -> None:
    chat.say(notices.limits(user, limits.message_limit(user)))


def _show_reminders(chat: Chat, _account: ChannelAccount, user: User, _argument: str) -> None:
    open_ones = queries.list_open(chat.db, user.id, limit=MOST_REMINDERS)
    chat.say(notices.reminders([sentences.in_one_line(one, user.timezone) for one in open_ones]))


def _ask_to_unlink(chat: Chat, _account: ChannelAccount, _user: User, _argument: str) -> None:
    chat.say(link_notices.unlink_question())


def _help(chat: Chat, _account: ChannelAccount, _user: User, _argument: str) -> None:
    chat.say(notices.help_of())


def _say_unknown(chat: Chat, _account: ChannelAccount, _user: User, _argument: str) -> None:
    chat.say(notices.unknown_command())


DONE: Mapping[str, Callable[[Chat, ChannelAccount, User, str], None]] = {
    "new": _begin,
    "stop": _stop,
    "model": _choose_model,
    "reminders": _show_reminders,
    "usage": _show_usage,
    "limits": _show_limits,
    "unlink": _ask_to_unlink,
    "help": _help,
}
