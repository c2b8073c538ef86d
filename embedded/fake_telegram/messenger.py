"""The messenger itself: its people, their chats with the one bot, and the messages in them.

What happens is kept, noted in the journal, told to open pages, and told to the bot as an update
where a person did it.
"""

import time
from dataclasses import dataclass
from typing import cast

from embedded.fake_telegram.errors import Body, bad_request, forbidden
from embedded.fake_telegram.faults import Faults
from embedded.fake_telegram.files import Files
from embedded.fake_telegram.hub import Hub
from embedded.fake_telegram.limits import Buckets
from embedded.fake_telegram.store import Store
from embedded.fake_telegram.updates import Updates

# Beyond 32 bits, as new accounts are.
FIRST_PERSON, FIRST_GROUP = 6_100_000_001, 4_000_000_001
PEOPLE: tuple[Body, ...] = (
    {"first_name": "Ada", "last_name": "Lovelace", "username": "ada_l", "language_code": "en"},
    {"first_name": "Eve", "language_code": "en"},
)
DRAFT_SECONDS, TYPING_SECONDS = 30.0, 5.0


@dataclass(frozen=True)
class Bot:
    """The one bot. Its token begins with its id."""

    token: str
    name: str
    username: str

    @property
    def id(self) -> int:
        return int(self.token.partition(":")[0])

    def as_user(self) -> Body:
        known = {"id": self.id, "is_bot": True, "first_name": self.name}
        return {**known, "username": self.username}


class Messenger:
    """People, chats and messages; what only lasts for moments is in memory."""

    def __init__(self, store: Store, bot: Bot) -> None:
        self.store, self.bot = store, bot
        self.faults, self.buckets, self.hub = Faults(), Buckets(), Hub()
        self.files = Files(store)
        self.updates = Updates(store, self.faults)
        self._typing: dict[int, float] = {}
        self._drafts: dict[int, tuple[float, Body]] = {}
        self._people_come()

    def reset(self) -> None:
        """Forget everything, as if nobody had ever written."""
        self.updates.clear()
        self.store.clear()
        self.buckets.refill()
        self._typing.clear()
        self._drafts.clear()
        self._people_come()

    def people(self) -> list[Body]:
        return cast(list[Body], self.store.listed("person"))

    def person(self, person_id: int) -> Body:
        """Find a person, or refuse."""
        found = self.store.find("person", person_id)
        if found is None:
            raise bad_request("user not found")
        return found

    def add_person(self, known: Body) -> Body:
        """Add somebody, who has not written to the bot yet."""
        person_id = self.store.next_number("person", FIRST_PERSON)
        person = {"id": person_id, "is_bot": False, **known}
        self.store.put("person", person_id, person)
        names = ("id", "first_name", "last_name", "username")
        shown = {name: person[name] for name in names if name in person}
        self.keep_chat({"chat": {**shown, "type": "private"}, "person_id": person_id})
        return person

    def add_group(self, person_id: int, title: str) -> Body:
        """Make a group of a person's, in which the bot is."""
        chat_id = -self.store.next_number("group", FIRST_GROUP)
        shown = {"id": chat_id, "title": title, "type": "group"}
        room = {"chat": shown, "person_id": person_id, "is_open": True}
        self.keep_chat(room)
        return room

    def room(self, chat_id: int) -> Body | None:
        """Return what is known of a chat, None when there is none of this id."""
        return self.store.find("chat", chat_id)

    def rooms(self, person_id: int) -> list[Body]:
        return cast(list[Body], self.store.listed("chat", person_id))

    def keep_chat(self, room: Body) -> None:
        """Keep a chat as it is now, and show it."""
        self.store.put("chat", room["chat"]["id"], room, room["person_id"])
        self.show_state(room["person_id"])

    def writable(self, chat_id: int) -> Body:
        """Find a chat that the bot may write into, or refuse as Telegram does."""
        room = self.room(chat_id)
        if room is None or not room.get("is_open"):
            raise bad_request("chat not found")
        if room.get("is_blocked"):
            raise forbidden("bot was blocked by the user")
        if room.get("has_left"):
            raise forbidden("bot is not a member of the group chat")
        return room

    def message(self, chat_id: int, message_id: int) -> Body | None:
        """Return a message of a chat, None when there is none of this id, or not any more."""
        found = self.store.find("message", message_id)
        return found if found and found["chat"]["id"] == chat_id else None

    def post(self, room: Body, sender: Body, content: Body) -> Body:
        """Add a message to a chat; the person's page shows it."""
        chat_id, message_id = room["chat"]["id"], self.store.next_number("message")
        head = {"message_id": message_id, "from": sender, "chat": room["chat"]}
        message = {**head, "date": int(time.time()), **content}
        self._keep(message, "sent")
        if sender["is_bot"]:
            self._quieten(chat_id)
        return message

    def change(self, message: Body, content: Body, *, is_edit: bool = True) -> Body:
        """Replace what is in a message; the person's page shows it."""
        head = {name: message[name] for name in HEAD if name in message}
        edited = {"edit_date": int(time.time())} if is_edit else _dated(message)
        changed = {**head, **edited, **content}
        self._keep(changed, "edited")
        return changed

    def delete(self, message: Body) -> None:
        chat_id, message_id = message["chat"]["id"], message["message_id"]
        self.store.remove("message", message_id)
        self.store.note(chat_id, {"kind": "deleted", "message_id": message_id})
        self.show(chat_id, {"kind": "deleted", "chat_id": chat_id, "message_id": message_id})

    def show(self, chat_id: int, event: Body) -> None:
        """Tell the pages of a chat's person."""
        room = self.room(chat_id)
        if room:
            self.hub.publish(room["person_id"], event)

    def show_state(self, person_id: int) -> None:
        """Tell the pages of a person how all of it stands now."""
        if self.hub.is_watched(person_id):
            self.hub.publish(person_id, {"kind": "state", **self.state(person_id)})

    def show_typing(self, chat_id: int, action: str) -> None:
        """Show for some seconds that the bot is busy; `cancel` ends that."""
        seconds = 0 if action == "cancel" else TYPING_SECONDS
        self._typing[chat_id] = time.time() + seconds
        shown = {"kind": "typing", "chat_id": chat_id, "action": action, "seconds": seconds}
        self.show(chat_id, shown)

    def draft(self, chat_id: int, draft: Body) -> None:
        """Show for half a minute what the bot is about to say; its next message ends that."""
        self._drafts[chat_id] = (time.time() + DRAFT_SECONDS, draft)
        self.show(chat_id, {"kind": "draft", "chat_id": chat_id, "seconds": DRAFT_SECONDS, **draft})

    def state(self, person_id: int) -> Body:
        """Return all that a page needs to begin with."""
        person = self.person(person_id)
        chats = [self._shown(room) for room in self.rooms(person_id)]
        bot = {**self.bot.as_user(), "commands": self._commands(person)}
        return {"person": person, "bot": bot, "chats": chats}

    def _shown(self, room: Body) -> Body:
        chat_id, now = room["chat"]["id"], time.time()
        ends, draft = self._drafts.get(chat_id, (0.0, {}))
        return {
            **room,
            "messages": self.store.listed("message", chat_id, newest=200),
            "typing_seconds": max(0.0, self._typing.get(chat_id, 0) - now),
            "draft": {**draft, "seconds": ends - now} if ends > now else None,
        }

    def _commands(self, person: Body) -> list[Body]:
        language = person.get("language_code", "")
        for scope in (f"chat:{person['id']}", "all_private_chats", "default"):
            for wanted in (language, ""):
                found = self.store.find("commands", f"{scope}/{wanted}")
                if found:
                    return found
        return []

    def _quieten(self, chat_id: int) -> None:
        self._typing.pop(chat_id, None)
        self._drafts.pop(chat_id, None)

    def _keep(self, message: Body, kind: str) -> None:
        chat_id = message["chat"]["id"]
        self.store.put("message", message["message_id"], message, chat_id)
        self.store.note(chat_id, {"kind": kind, "message": message})
        self.show(chat_id, {"kind": "message", "message": message})

    def _people_come(self) -> None:
        if not self.people():
            for known in PEOPLE:
                self.add_person(known)


HEAD = ("message_id", "from", "chat", "date", "reply_to_message", "media_group_id")


def _dated(message: Body) -> Body:
    return {"edit_date": message["edit_date"]} if "edit_date" in message else {}
