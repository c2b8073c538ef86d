"""What a user is to be told, and how it is kept until they are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from actions.channels.notices import Notice
from channels.outbound import Button
from models.email.templates import Action, EmailContent, EmailKind, Fact
from models.schema.notifications import Notification, Topic
from models.schema.users import User


@dataclass(frozen=True)
class Telling:
    """What a user is to be told, once for each `reference`.

    `chat` words it for messengers, where that is not as the letter does. Whoever deletes the
    message `message_id` takes it back.
    """

    user: User
    topic: Topic
    letter: EmailContent
    reference: str
    chat: Notice | None = None
    message_id: UUID | None = None


def written(one: Telling) -> dict[str, Any]:
    """Return its words as they are kept."""
    chat = {"chat": one.chat.as_content()} if one.chat else {}
    return {**asdict(one.letter), **chat}


def read(content: Mapping[str, Any], user: User, told: Notification) -> Telling:
    """Return what was kept of a notification."""
    chat = content.get("chat")
    return Telling(
        user,
        told.topic,
        _letter(content),
        told.reference,
        chat=_notice(chat) if chat else None,
        message_id=told.message_id,
    )


def _letter(content: Mapping[str, Any]) -> EmailContent:
    action = content["action"]
    return EmailContent(
        kind=EmailKind(content["kind"]),
        subject=content["subject"],
        title=content["title"],
        words=tuple(content["words"]),
        facts=tuple(Fact(**fact) for fact in content["facts"]),
        action=Action(**action) if action else None,
        small_print=tuple(content["small_print"]),
    )


def _notice(content: Mapping[str, Any]) -> Notice:
    rows = [[Button(**button) for button in row] for row in content["rows"]]
    return Notice(content["code"], content["text"], rows)
