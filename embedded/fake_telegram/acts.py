"""What people do in their messenger; the bot is told of it by updates."""

import secrets
import time

from embedded.fake_telegram import contents
from embedded.fake_telegram.errors import Body, Refusal, bad_request, forbidden
from embedded.fake_telegram.given import Given, Upload
from embedded.fake_telegram.messenger import Messenger
from embedded.fake_telegram.said import said

LONGEST_NAME = 64
ID_DIGITS = 18


class Acts:
    """The verbs of people. They may only touch their own chats."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        self._updates = messenger.updates

    def join(self, given: Given) -> Body:
        """Make somebody new, by a name."""
        first, _, last = given.text("name").strip().partition(" ")
        if not first or len(given.text("name")) > LONGEST_NAME:
            raise bad_request(f"a name has 1 to {LONGEST_NAME} letters")
        known = {"first_name": first, "language_code": given.text("language") or "en"}
        return self._messenger.add_person(known | ({"last_name": last} if last else {}))

    def say(self, person_id: int, given: Given, uploads: list[Upload]) -> list[Body]:
        """Send what a person says, as one message or several; the bot is told of each."""
        person, room = self._own(person_id, given)
        if room.get("is_blocked"):
            raise forbidden("unblock the bot first")
        made = said(given, uploads, self._messenger.files)
        more = {**self._reply(room, given), **_origin(given)}
        if len(made) > 1 and given.text("kind") == "album":
            more["media_group_id"] = _random_id()
        if not room.get("is_open"):
            room["is_open"] = True
            self._messenger.keep_chat(room)
        return [self._send(room, person, {**content, **more}) for content in made]

    def edit(self, person_id: int, message_id: int, given: Given) -> Body:
        """Change the words of a message of one's own; the bot is told of it."""
        _, room = self._own(person_id, given)
        message = self._found(room, message_id)
        if message["from"]["id"] != person_id or "forward_origin" in message:
            raise bad_request("message can't be edited")
        words = given.text("text")
        is_text = "text" in message
        new = contents.text(words, None) if is_text else contents.caption(words, None)
        old = {name: value for name, value in message.items() if name not in WORDS}
        changed = self._messenger.change(message, {**old, **new})
        self._updates.add(room["chat"]["id"], "edited_message", changed)
        return changed

    def press(self, person_id: int, given: Given) -> str:
        """Press a button under a message of the bot; return the id of the press.

        As in Telegram, whoever writes an app of their own may send any data.
        """
        person, room = self._own(person_id, given)
        message = self._found(room, given.whole("message_id"))
        if not message["from"]["is_bot"]:
            raise bad_request("there is no button")
        if room.get("is_blocked"):
            raise forbidden("unblock the bot first")
        press_id, chat_id = _random_id(), room["chat"]["id"]
        place = {"person_id": person_id, "chat_id": chat_id, "message_id": message["message_id"]}
        self._messenger.store.put("press", press_id, {**place, "at": time.time()})
        query = {"id": press_id, "from": person, "message": message, "data": given.text("data")}
        self._updates.add(chat_id, "callback_query", {**query, "chat_instance": str(chat_id)})
        return press_id

    def block(self, person_id: int, *, is_blocked: bool) -> Body:
        """Block the bot, or let it write again; it is told of either."""
        person, room = self._own(person_id, Given({}, {}))
        if bool(room.get("is_blocked")) is is_blocked:
            return room
        room["is_blocked"] = is_blocked
        self._messenger.keep_chat(room)
        old, new = ("member", "kicked") if is_blocked else ("kicked", "member")
        self._tell_membership(room, person, old, new)
        return room

    def make_group(self, person_id: int, given: Given) -> Body:
        """Make a group and bring the bot into it."""
        person = self._messenger.person(person_id)
        room = self._messenger.add_group(person_id, given.text("title") or "Friends")
        self._tell_membership(room, person, "left", "member")
        self._send(room, person, {"new_chat_members": [self._messenger.bot.as_user()]})
        return room

    def leave(self, room: Body) -> None:
        """Let the bot leave a group."""
        room["has_left"] = True
        self._messenger.keep_chat(room)
        self._tell_membership(room, self._messenger.bot.as_user(), "member", "left")

    def _send(self, room: Body, person: Body, content: Body) -> Body:
        message = self._messenger.post(room, person, content)
        if self._hears(room, message):
            self._updates.add(room["chat"]["id"], "message", message)
        return message

    def _hears(self, room: Body, message: Body) -> bool:
        """Tell whether the bot is told of a message: in groups only what is meant for it."""
        if room["chat"]["type"] == "private":
            return True
        if room.get("has_left"):
            return False
        answered = message.get("reply_to_message", {}).get("from", {})
        words = message.get("text", "")
        is_meant = words.startswith("/") or f"@{self._messenger.bot.username}" in words
        return is_meant or "new_chat_members" in message or bool(answered.get("is_bot"))

    def _own(self, person_id: int, given: Given) -> tuple[Body, Body]:
        """Find a person and their chat of the given id, or the one with the bot."""
        person = self._messenger.person(person_id)
        chat_id = given.whole("chat_id") or person_id
        room = self._messenger.room(chat_id)
        if room is None or room["person_id"] != person_id:
            raise Refusal(404, "Not Found: this is no chat of theirs")
        return person, room

    def _found(self, room: Body, message_id: int) -> Body:
        message = self._messenger.message(room["chat"]["id"], message_id)
        if message is None:
            raise Refusal(404, "Not Found: there is no such message")
        return message

    def _reply(self, room: Body, given: Given) -> Body:
        wanted = given.whole("reply_to")
        if not wanted:
            return {}
        original = self._found(room, wanted)
        return {"reply_to_message": without_reply(original)}

    def _tell_membership(self, room: Body, who: Body, old: str, new: str) -> None:
        bot = self._messenger.bot.as_user()
        change = {
            "chat": room["chat"],
            "from": who,
            "date": int(time.time()),
            "old_chat_member": _member(bot, old),
            "new_chat_member": _member(bot, new),
        }
        self._updates.add(room["chat"]["id"], "my_chat_member", change)


WORDS = frozenset({"text", "entities", "caption", "caption_entities"})


def without_reply(message: Body) -> Body:
    """Return a message as one that answers it shows it: without what it answers itself."""
    return {name: value for name, value in message.items() if name != "reply_to_message"}


def _member(user: Body, status: str) -> Body:
    return {"user": user, "status": status, **({"until_date": 0} if status == "kicked" else {})}


def _origin(given: Given) -> Body:
    name = given.text("forwarded_from")
    if not name:
        return {}
    origin = {"type": "hidden_user", "date": int(time.time()) - 60, "sender_user_name": name}
    return {"forward_origin": origin}


def _random_id() -> str:
    return str(secrets.randbelow(9 * 10 ** (ID_DIGITS - 1)) + 10 ** (ID_DIGITS - 1))
