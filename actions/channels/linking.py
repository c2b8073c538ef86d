"""A user connects a messenger to their account, or lets go of it."""

from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from actions import wakeups
from actions.channels import link_notices, notices
from actions.channels.chats import Chat, tell_user
from channels import registry
from models.base import new_id
from models.channels import accounts, deliveries, links
from models.channels.accounts import LinkedElsewhere, OtherLinked
from models.channels.deliveries import Recipient
from models.channels.links import LinkGone
from models.database import after_commit
from models.email import outbox
from models.email.templates.account import channel_linked
from models.errors import Refused
from models.schema.channels import ChannelAccount, ChannelLink
from models.schema.users import User

log = structlog.get_logger()


class ChannelAway(Refused):
    """A messenger does not answer, so no link to it can be made."""

    code = "channel_away"


def start(chat: Chat, code: str) -> None:
    """Answer /start: connect the chat to the account whose code it hands in, or greet it."""
    if code:
        _use_code(chat, code)
    elif chat.user is not None:
        chat.say(notices.help_of())
    else:
        greet(chat)


def greet(chat: Chat) -> None:
    """Offer a stranger the way to an account; the links offered lately work beside it."""
    sender, channel = chat.sender, chat.channel.name
    secret = links.make_for_outside(
        chat.db, channel, sender.account_id, sender.address, sender.name
    )
    chat.say(link_notices.stranger(secret, channel))


def _use_code(chat: Chat, code: str) -> None:
    db, sender = chat.db, chat.sender
    try:
        with db.begin_nested():
            user_id = links.use_for_user(db, chat.channel.name, code)
            account = accounts.link(
                db, user_id, chat.channel.name, sender.account_id, sender.address, sender.name
            )
    except LinkGone:
        _say_gone(chat)
    except LinkedElsewhere:
        chat.say(link_notices.linked_elsewhere())
    except OtherLinked:
        _tell_other(db, code, chat)
        chat.say(link_notices.other_linked())
    else:
        links.end_offered(db, account.channel, account.account_id)
        _say_linked(chat, account)


def _say_linked(chat: Chat, account: ChannelAccount) -> None:
    """Tell both sides; a chat that was the user's already is told just that."""
    if chat.user is None:
        _tell_linked(chat.db, account)
    else:
        chat.say(link_notices.linked_already(chat.user))


def _say_gone(chat: Chat) -> None:
    # The same code twice, from an impatient finger, is no failure.
    chat.say(link_notices.link_gone() if chat.account is None else notices.help_of())


def _tell_other(db: Session, code: str, chat: Chat) -> None:
    user_id = links.use_for_user(db, chat.channel.name, code)
    other = accounts.find_own(db, user_id, chat.channel.name)
    if other is not None:
        tell_user(db, other, link_notices.link_tried(), reference=f"tried:{chat.update.id}")


def confirm(db: Session, user: User, channel: str, secret: str) -> ChannelAccount:
    """Connect the messenger in which a link was made to the account of who opened it, logged in.

    Raises LinkGone, LinkedElsewhere and OtherLinked.
    """
    link = links.find_for_outside(db, channel, secret)
    account = _link(db, user.id, link)
    links.use_for_outside(db, channel, secret)
    # The others that were offered there are not to link it once it has been let go of.
    links.end_offered(db, channel, account.account_id)
    _tell_linked(db, account)
    return account


def _link(db: Session, user_id: UUID, link: ChannelLink) -> ChannelAccount:
    if link.account_id is None or link.address is None:
        raise LinkGone
    return accounts.link(db, user_id, link.channel, link.account_id, link.address, link.name)


def _tell_linked(db: Session, account: ChannelAccount) -> None:
    """Tell both sides: the messenger at once, and the user's mailbox."""
    user = db.get_one(User, account.user_id)
    reference = f"linked:{account.id}"
    tell_user(db, account, link_notices.linked(user), reference=reference)
    letter = channel_linked(registry.label_of(account.channel), account.name)
    outbox.queue(db, user.email, letter, reference=reference)
    wakeups.mail_after_commit(db)
    after_commit(db, lambda: log.info("channel.linked", channel=account.channel))


def unlink(db: Session, account: ChannelAccount) -> None:
    """Let go of a messenger, which is told so; nothing else is sent to it any more."""
    accounts.unlink(db, account)
    # The account is gone, the chat is not.
    chat, reference = Recipient(account.channel, account.address), f"unlinked:{account.id}"
    deliveries.notify(db, chat, link_notices.unlinked().as_content(), reference=reference)
    after_commit(db, wakeups.messengers)


def code_for(db: Session, user: User, channel: str) -> str:
    """Make the code by which the user connects a messenger; one that they made before ends."""
    return links.make_for_user(db, user.id, channel)


def continue_in(db: Session, account: ChannelAccount, conversation_id: UUID, title: str) -> None:
    """Let a messenger go on in a conversation of its user, and say so there."""
    if account.conversation_id == conversation_id:
        return
    accounts.show(account, conversation_id)
    tell_user(db, account, notices.continued(title), reference=f"continued:{new_id()}")
