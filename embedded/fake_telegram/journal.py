"""What happened, put together: each message with all that it ever said, updates, and calls."""

from typing import Any

from embedded.fake_telegram.errors import Body
from embedded.fake_telegram.store import Store

SAID = ("text", "entities", "caption", "caption_entities", "reply_markup")


def journal(store: Store, chat_id: int | None = None) -> Body:
    """Return the messages, updates and calls of one chat, or of all, oldest first.

    A message has its `versions`, an update its `deliveries`. A call says whether it
    `took_effect`, and by its `fault` what its caller was told of that.
    """
    entries = store.noted(chat_id)
    return {
        "messages": _messages(entries),
        "updates": _updates(entries),
        "calls": [_without(entry, "kind") for entry in entries if entry["kind"] == "call"],
        "answers": [_without(entry, "kind") for entry in entries if entry["kind"] == "answer"],
    }


def _messages(entries: list[Body]) -> list[Body]:
    found: dict[int, Body] = {}
    for entry in entries:
        if entry["kind"] == "sent":
            found[entry["message"]["message_id"]] = _begun(entry)
        elif entry["kind"] == "edited" and entry["message"]["message_id"] in found:
            message = found[entry["message"]["message_id"]]
            message["message"] = entry["message"]
            message["versions"].append(_version(entry))
        elif entry["kind"] == "deleted" and entry["message_id"] in found:
            found[entry["message_id"]]["deleted_at"] = entry["at"]
    return list(found.values())


def _begun(entry: Body) -> Body:
    message = entry["message"]
    return {
        "message_id": message["message_id"],
        "chat_id": entry["chat_id"],
        "is_from_bot": message["from"]["is_bot"],
        "message": message,
        "versions": [_version(entry)],
        "deleted_at": None,
    }


def _version(entry: Body) -> Body:
    said = {name: entry["message"][name] for name in SAID if name in entry["message"]}
    return {"at": entry["at"], **said}


def _updates(entries: list[Body]) -> list[Body]:
    found: dict[int, dict[str, Any]] = {}
    for entry in entries:
        if entry["kind"] == "update":
            found[entry["update_id"]] = {**_without(entry, "kind"), "deliveries": []}
        elif entry["kind"] == "delivery" and entry["update_id"] in found:
            delivery = {name: entry[name] for name in ("at", "via", "status")}
            found[entry["update_id"]]["deliveries"].append(delivery)
    return list(found.values())


def _without(entry: Body, name: str) -> Body:
    return {key: value for key, value in entry.items() if key != name}
