"""Changing what was sent before, answering presses, and leaving."""

import time

from embedded.fake_telegram import contents
from embedded.fake_telegram.acts import Acts
from embedded.fake_telegram.errors import Body, bad_request
from embedded.fake_telegram.given import Given
from embedded.fake_telegram.keyboards import keyboard
from embedded.fake_telegram.messenger import Messenger
from embedded.fake_telegram.methods.chats import own_message, writable
from embedded.fake_telegram.methods.sending import entities

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
LONGEST_ANSWER = 200
COMPARED = ("text", "entities", "reply_markup")


class Changing:
    """Methods that change something in a chat."""

    def __init__(self, messenger: Messenger, acts: Acts) -> None:
        self._messenger, self._acts = messenger, acts

    def edit_message_text(self, given: Given) -> Body:
        words = given.text("text")
        new = contents.text(words, entities(given, "entities"), "MESSAGE_TOO_LONG")
        message = own_message(self._messenger, given)
        if "text" not in message:
            raise bad_request("there is no text in the message to edit")
        markup = keyboard(given)
        return self._change(message, {**new, **({"reply_markup": markup} if markup else {})})

    def edit_message_reply_markup(self, given: Given) -> Body:
        message, markup = own_message(self._messenger, given), keyboard(given)
        kept = {name: value for name, value in message.items() if name != "reply_markup"}
        new = {**kept, **({"reply_markup": markup} if markup else {})}
        return self._change(message, new)

    def delete_message(self, given: Given) -> bool:
        message_id = given.whole("message_id")
        if not message_id:
            raise bad_request("message identifier is not specified")
        room = writable(self._messenger, given)
        message = self._messenger.message(room["chat"]["id"], message_id)
        if message is None:
            raise bad_request("message to delete not found")
        self._messenger.delete(message)
        return True

    def answer_callback_query(self, given: Given) -> bool:
        press_id = given.text("callback_query_id")
        press = self._messenger.store.find("press", press_id)
        oldest = time.time() - self._messenger.buckets.limits.press_seconds
        if press is None or press.get("is_answered") or press["at"] < oldest:
            raise bad_request(TOO_OLD)
        words = given.text("text")
        if len(words) > LONGEST_ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        self._messenger.store.put("press", press_id, {**press, "is_answered": True})
        answer = {"text": words, "is_alert": given.flag("show_alert"), "url": given.text("url")}
        told = {"press_id": press_id, "message_id": press["message_id"], **answer}
        self._messenger.store.note(press["chat_id"], {"kind": "answer", **told})
        self._messenger.show(press["chat_id"], {"kind": "answer", **told})
        return True

    def leave_chat(self, given: Given) -> bool:
        room = writable(self._messenger, given)
        if room["chat"]["type"] == "private":
            raise bad_request("chat member status can't be changed in private chats")
        self._acts.leave(room)
        return True

    def _change(self, message: Body, new: Body) -> Body:
        if all(message.get(name) == new.get(name) for name in COMPARED):
            raise bad_request(NOT_MODIFIED)
        self._messenger.buckets.take(message["chat"]["id"])
        return self._messenger.change(message, new)
