"""What Telegram hands in, read into the words that all channels have.

Only private chats are of concern. In a group the bot says so and leaves, so whatever comes from one
means that it was brought there.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType

from channels.base import Malformed
from channels.inbound import ButtonPressed, GroupJoined, Inbound, ReachChanged
from channels.inbound import Update as ChannelUpdate
from gateways import values
from telegram_bot import messages
from telegram_bot.contents import brings, pruned

# Telegram's own updates are a few thousand bytes.
MOST_BYTES = 1024 * 1024
# What the webhook and the polling process ask for.
KINDS = ("message", "edited_message", "callback_query", "my_chat_member")
GROUPS = {ChatType.GROUP, ChatType.SUPERGROUP}
GONE = {ChatMemberStatus.LEFT, ChatMemberStatus.BANNED}
# Of a message that is only pointed at; its date tells the library whether more is to be had.
PLACE = ("message_id", "date", "chat")
# What is raised, by the library or here, for other shapes and types than Telegram sends.
ODD = (ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)


def parse(body: bytes, username: str | None = None) -> list[ChannelUpdate]:
    """Read one update that came for the bot of that name; nothing for what is of no concern.

    Raises Malformed for what Telegram never sends, and for more than a megabyte.
    """
    if len(body) > MOST_BYTES:
        raise Malformed("too large")
    try:
        read = _object(json.loads(body, parse_constant=_refuse))
        number = values.integer(_number(read.get("update_id")))
        kept = {
            kind: simplified(_object(read[kind]))
            for kind, simplified in SIMPLIFIED.items()
            if read.get(kind) is not None
        }
        update = Update.de_json({"update_id": number, **kept})
        inbound = _inbound(update, username)
        found = [] if inbound is None else [_numbered(number, inbound)]
    except ODD as error:
        # Not what it says: there may be somebody's words in it.
        raise Malformed(type(error).__name__) from None
    return found


def _numbered(number: int, inbound: Inbound) -> ChannelUpdate:
    return ChannelUpdate(external_id=str(number), number=number, inbound=inbound)


def _inbound(update: Update, username: str | None) -> Inbound | None:
    if update.message:
        return _message(update.message, username)
    if update.edited_message:
        is_private = update.edited_message.chat.type == ChatType.PRIVATE
        return messages.edited(update.edited_message) if is_private else None
    if update.callback_query:
        return _press(update.callback_query)
    return _membership(update.my_chat_member) if update.my_chat_member else None


def _message(message: Message, username: str | None) -> Inbound | None:
    if message.chat.type == ChatType.PRIVATE:
        return None if messages.writer(message).is_bot else messages.arrived(message, username)
    # Whoever left may have been the bot.
    if message.chat.type in GROUPS and "left_chat_member" not in brings(message):
        return GroupJoined(address=messages.external_id(message.chat.id))
    return None


def _press(query: CallbackQuery) -> ButtonPressed | None:
    message = query.message
    if message is None or query.data is None or message.chat.type != ChatType.PRIVATE:
        return None
    return ButtonPressed(
        sender=messages.sender(query.from_user, message.chat),
        message_id=messages.external_id(message.message_id),
        data=query.data,
        press_id=query.id,
    )


def _membership(change: ChatMemberUpdated) -> Inbound | None:
    """Read that somebody blocked the bot, let it write again, or brought it into a group."""
    is_member = change.new_chat_member.status == ChatMemberStatus.MEMBER
    if change.chat.type == ChatType.PRIVATE:
        sender = messages.sender(change.from_user, change.chat)
        return ReachChanged(sender=sender, is_reachable=is_member)
    return GroupJoined(address=messages.external_id(change.chat.id)) if is_member else None


def _simple_message(message: dict[str, Any]) -> dict[str, Any]:
    if message.get("reply_to_message") is None:
        return pruned(message)
    # Of that one nothing is read that it replied to.
    replied = {**_object(message["reply_to_message"]), "reply_to_message": None}
    return pruned({**message, "reply_to_message": pruned(replied)})


def _simple_press(query: dict[str, Any]) -> dict[str, Any]:
    """Leave of the message that the button is under only which one it is."""
    if query.get("message") is None:
        return query
    message = _object(query["message"])
    return {**query, "message": {name: message.get(name) for name in PLACE}}


def _simple_membership(change: dict[str, Any]) -> dict[str, Any]:
    """Leave of a change whether the bot is a member now; rights come and go."""
    member = _object(change["new_chat_member"])
    # Who is restricted may be in the group or not.
    is_in = member["status"] not in GONE and member.get("is_member", True) is True
    status = ChatMemberStatus.MEMBER if is_in else ChatMemberStatus.LEFT
    now = {"user": member["user"], "status": status.value}
    return {**change, "old_chat_member": now, "new_chat_member": now}


SIMPLIFIED: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "message": _simple_message,
    "edited_message": _simple_message,
    "callback_query": _simple_press,
    "my_chat_member": _simple_membership,
}


def _object(given: object) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise TypeError("no object")
    return cast(dict[str, Any], given)


def _number(given: object) -> int:
    if not isinstance(given, int):
        raise TypeError("no number")
    return given


def _refuse(word: str) -> float:
    """Refuse NaN and the infinities, which are not of JSON."""
    raise ValueError(word)
