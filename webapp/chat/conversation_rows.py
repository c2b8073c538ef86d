"""The rows of the list of conversations, each drawn once under its name.

Somebody may have fifty on every page; to draw ten anew took a fifth of the page's time.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from flask import Blueprint, render_template
from markupsafe import Markup

from models.schema.chat import Conversation
from webapp.chat.rendering import HtmlCache

pages = Blueprint("chat_rows", __name__)

# Some ten thousand rows, of the people who were here last.
KEPT_CHARS = 16 * 1024 * 1024


@pages.app_template_global()
def render_rows(conversations: Sequence[Conversation], open_id: UUID | None) -> Markup:
    """Draw the rows of these conversations for whoever asks, who must be their owner."""
    return Markup().join(
        _row(one, key) for one, key in zip(conversations, keys(conversations, open_id), strict=True)
    )


class Key(NamedTuple):
    """All that a row is drawn from."""

    id: UUID
    title: str
    is_open: bool


def keys(conversations: Iterable[Conversation], open_id: UUID | None) -> list[Key]:
    """Say under what each row is kept: it is drawn anew when that changes."""
    return [Key(one.id, one.title, one.id == open_id) for one in conversations]


def _row(conversation: Conversation, key: Key) -> Markup:
    html = rows().find(key)
    if html is None:
        html = render(conversation, is_open=key.is_open)
        rows().keep(key, html)
    return html


def render(conversation: Conversation, *, is_open: bool) -> Markup:
    """Draw one row."""
    return Markup(  # noqa: S704  # it escapes
        render_template("chat/_conversation_row.html", conversation=conversation, is_open=is_open)
    )


@lru_cache(maxsize=1)
def rows() -> HtmlCache:
    """This process's rows."""
    return HtmlCache(KEPT_CHARS)
