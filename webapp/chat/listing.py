"""The list of a person's conversations, a page of it at a time, all of them or those of a name."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from flask import request

from gateways import values
from models.chat import conversations
from models.chat.conversations import LIST_LENGTH, TITLE_MAX_LENGTH, ListPosition
from models.schema.chat import Conversation
from webapp.core.auth import current_user
from webapp.core.db import db

# Microseconds since 1970, and the conversation that was used then.
PLACE = re.compile(r"([0-9]{1,16})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class ConversationList:
    """One page of the list; `more` is where the next begins, empty when this was the last."""

    conversations: list[Conversation]
    more: str
    # What was searched for; empty when all are listed.
    named: str = ""
    is_first: bool = True
    # Which one is on the page, if any.
    open_id: UUID | None = None

    @classmethod
    def read(
        cls, *, named: str = "", behind: ListPosition | None = None, open_id: UUID | None = None
    ) -> Self:
        """Read a page of the list of whoever asks."""
        found = conversations.list_own(
            db(), current_user().id, LIST_LENGTH + 1, named=named, behind=behind
        )
        shown = found[:LIST_LENGTH]
        more = _written(shown[-1]) if len(found) > len(shown) else ""
        return cls(shown, more, named, behind is None, open_id)

    @classmethod
    def asked(cls) -> Self:
        """Read the page that a query asks for; what makes no sense in it is left out."""
        named = " ".join(request.args.get("q", "").split())[:TITLE_MAX_LENGTH]
        behind = _place(request.args.get("behind", ""))
        return cls.read(
            named=named, behind=behind, open_id=request.args.get("open", type=values.uuid)
        )


def _written(last: Conversation) -> str:
    return f"{(last.updated_at - EPOCH) // MICROSECOND}.{last.id}"


def _place(given: str) -> ListPosition | None:
    found = PLACE.fullmatch(given)
    if found is None:
        return None
    return ListPosition(EPOCH + values.integer(found[1]) * MICROSECOND, values.uuid(found[2]))
