"""One message of Telegram's, in the words that all channels have."""

import re

from telegram import (
    Chat,
    Message,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    User,
)
from telegram.constants import MessageLimit

from channels.inbound import (
    MAX_TEXT_LENGTH,
    CommandGiven,
    MessageArrived,
    MessageEdited,
    Sender,
    Unsupported,
)
from gateways import values
from telegram_bot import contents

NAME_CHARS, LANGUAGE_CHARS, ARGUMENT_CHARS = 200, 35, 512
# The last character that takes one unit of UTF-16.
ONE_UNIT = "\uffff"
HIDDEN = "hidden user"
COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+(.*))?", re.DOTALL)


def arrived(message: Message, username: str | None) -> MessageArrived | CommandGiven | None:
    """Read a message that somebody wrote to the bot of that name; None if nobody wrote it."""
    command = _command(message, username)
    if command is not None:
        return command
    words, files = _words(message), contents.files_of(message)
    if not words and not files and contents.is_event(message):
        return None
    # Something newer than the library, or rarer than is worth a name.
    nothing = None if words or files else Unsupported.OTHER
    return MessageArrived(
        sender=sender(writer(message), message.chat),
        message_id=external_id(message.message_id),
        written_at=int(message.date.timestamp()),
        text=words,
        files=files,
        group_id=_text(message.media_group_id) or None,
        cut_at=_cut_at(message),
        replies_to_id=_replied_id(message),
        replies_to_text=_replied_text(message),
        forwarded_from=_origin(message),
        unsupported=contents.unsupported(message) or nothing,
    )


def edited(message: Message) -> MessageEdited | None:
    """Read a message whose words were changed; None where none were, as with a moving location."""
    words = _text(message.text) or _text(message.caption)
    if not words:
        return None
    return MessageEdited(
        sender=sender(writer(message), message.chat),
        message_id=external_id(message.message_id),
        text=words,
    )


def writer(message: Message) -> User:
    """Return who wrote a message of a private chat. Raises TypeError where that is not said."""
    if message.from_user is None:
        raise TypeError("nobody wrote it")
    return message.from_user


def sender(user: User, chat: Chat) -> Sender:
    """Say who it is, and where they are written to."""
    return Sender(
        account_id=external_id(user.id),
        address=external_id(chat.id),
        name=_name_of(user),
        language=_text(user.language_code)[:LANGUAGE_CHARS],
    )


def external_id(given: object) -> str:
    """Return a number of Telegram's, which may need 64 bits; refuse what is none."""
    if not isinstance(given, int):
        raise TypeError("no number")
    return str(values.integer(given, least=-values.MOST_INTEGER))


def _command(message: Message, username: str | None) -> CommandGiven | None:
    """Read a command to this bot. Whoever forwards one gives none."""
    found = COMMAND.fullmatch(_text(message.text))
    if found is None or message.forward_origin is not None:
        return None
    name, other, argument = found[1].lower(), found[2], (found[3] or "").strip()
    is_for_another = other and username and other.lower() != username.lower()
    # What is so long is something to be answered, and must not be cut.
    if is_for_another or len(argument) > ARGUMENT_CHARS:
        return None
    return CommandGiven(
        sender=sender(writer(message), message.chat),
        message_id=external_id(message.message_id),
        name=name,
        argument=argument,
    )


def _words(message: Message) -> str:
    return _text(message.text or message.caption or contents.described(message))


def _cut_at(message: Message) -> str | None:
    """Return what stood at the end of a text that its app may have cut; None for one that is whole.

    Apps cut where a line or a word ends, if there is such a place in the second half of what a
    message takes (telegramdesktop/tdesktop, ui/text/text_utilities.cpp), and drop the space there.
    """
    words = _text(message.text)
    length = len(words.encode("utf-16-le")) // 2
    if message.forward_origin is not None or length <= MessageLimit.MAX_TEXT_LENGTH // 2:
        return None
    # After one of two units there may have been no room for another.
    is_full = length + (words[-1] > ONE_UNIT) >= MessageLimit.MAX_TEXT_LENGTH
    return "" if is_full else "\n"


def _replied_id(message: Message) -> str | None:
    replied = message.reply_to_message
    return external_id(replied.message_id) if replied else None


def _replied_text(message: Message) -> str:
    """Return the words that somebody picked to reply to, or else all of that message's."""
    if message.quote:
        return _text(message.quote.text)
    return _words(message.reply_to_message) if message.reply_to_message else ""


def _origin(message: Message) -> str | None:
    """Return whose words are forwarded; None for the writer's own."""
    match message.forward_origin:
        case None:
            return None
        case MessageOriginUser() as origin:
            name = _name_of(origin.sender_user)
        case MessageOriginHiddenUser() as origin:
            name = _name(origin.sender_user_name)
        case MessageOriginChat() as origin:
            name = _name(origin.sender_chat.effective_name)
        case MessageOriginChannel() as origin:
            name = _name(origin.chat.effective_name)
        case _:
            name = ""
    return name or HIDDEN


def _name_of(user: User) -> str:
    return _name(f"{_text(user.first_name)} {_text(user.last_name)}")


def _name(given: object) -> str:
    return " ".join(_text(given).split())[:NAME_CHARS]


def _text(given: object) -> str:
    """Return words as they can be kept; refuse what are none."""
    if given is None:
        return ""
    if not isinstance(given, str):
        raise TypeError("no text")
    return values.UNKEEPABLE.sub("", given)[:MAX_TEXT_LENGTH]
