"""Finding the chat and the message that a call is about, or refusing it."""

from embedded.fake_telegram.errors import Body, bad_request
from embedded.fake_telegram.given import Given
from embedded.fake_telegram.messenger import Messenger


def writable(messenger: Messenger, given: Given) -> Body:
    """Find the chat that a call writes into."""
    chat_id = given.text("chat_id")
    if not chat_id:
        raise bad_request("chat_id is empty")
    return messenger.writable(given.whole("chat_id"))


def own_message(messenger: Messenger, given: Given) -> Body:
    """Find the message that a call changes: one of the bot's own."""
    if given.text("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    message_id = given.whole("message_id")
    if not message_id:
        raise bad_request("message identifier is not specified")
    room = writable(messenger, given)
    message = messenger.message(room["chat"]["id"], message_id)
    if message is None:
        raise bad_request("message to edit not found")
    if message["from"]["id"] != messenger.bot.id:
        raise bad_request("message can't be edited")
    return message
