"""Updates as Telegram hands them in, to be changed by tests."""

import json
from typing import Any

ADA_ID = 7_123_456_789_012
ADA: dict[str, Any] = {
    "id": ADA_ID,
    "is_bot": False,
    "first_name": "Ada",
    "last_name": "Lovelace",
    "username": "ada",
    "language_code": "en-GB",
}
CHAT: dict[str, Any] = {"id": ADA_ID, "type": "private", "first_name": "Ada"}
GROUP: dict[str, Any] = {"id": -1_001_234_567_890, "type": "supergroup", "title": "A group"}
BOT: dict[str, Any] = {"id": 123456, "is_bot": True, "first_name": "Bot", "username": "TestsBot"}
NUMBER = 987_654_321_012


def message(**fields: Any) -> dict[str, Any]:
    """A message of Ada's in her chat with the bot."""
    return {"message_id": 42, "date": 1_790_000_000, "chat": CHAT, "from": ADA, **fields}


def update(**kinds: Any) -> dict[str, Any]:
    return {"update_id": NUMBER, **kinds}


def body_of(given: Any) -> bytes:
    return json.dumps(given).encode()


def press(**fields: Any) -> dict[str, Any]:
    """A press of a button under a message of the bot's."""
    under = {"message_id": 41, "date": 1_790_000_000, "chat": CHAT, "from": BOT, "text": "Go on?"}
    pressed = {"id": "4382bfdwdsb323b2d9", "from": ADA, "message": under, "chat_instance": "1"}
    return update(callback_query={**pressed, "data": "stop:1", **fields})


def member(status: str, **fields: Any) -> dict[str, Any]:
    """A change of what the bot is in a chat."""
    changed = {"user": BOT, "status": status}
    if status == "restricted":
        changed |= {"is_member": fields.pop("is_member"), "until_date": 0}
    old = {"user": BOT, "status": "left"}
    change = {"chat": CHAT, "from": ADA, "date": 1_790_000_000, "old_chat_member": old}
    return update(my_chat_member={**change, "new_chat_member": changed, **fields})
