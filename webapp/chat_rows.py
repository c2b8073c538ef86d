"""The rows of the list of conversations, each drawn once under its name.

Somebody may have fifty on every page; to draw ten anew took a fifth of the page's time.
"""

from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from flask import Blueprint, render_template
from markupsafe import Markup

from models.conversations import Conversation
from webapp.chat_drawing import Drawings

pages = Blueprint("chat_rows", __name__)

# Some ten thousand rows, of the people who were here last.
KEPT_CHARS = 16 * 1024 * 1024


@pages.app_template_global()
def draw_rows(conversations: Iterable[Conversation], open_id: UUID | None) -> Markup:
    """Draw the rows of these conversations for whoever asks, who must be their owner."""
    return Markup().join(_row(one, is_open=one.id == open_id) for one in conversations)


def _row(conversation: Conversation, *, is_open: bool) -> Markup:
    key = (conversation.id, conversation.title, is_open)
    drawing = rows().find(key)
    if drawing is None:
        drawing = draw(conversation, is_open=is_open)
        rows().keep(key, drawing)
    return drawing


def draw(conversation: Conversation, *, is_open: bool) -> Markup:
    """Draw one row."""
    return Markup(  # noqa: S704  # it escapes
        render_template("chat/_conversation_row.html", conversation=conversation, is_open=is_open)
    )


@lru_cache(maxsize=1)
def rows() -> Drawings:
    """This process's rows."""
    return Drawings(KEPT_CHARS)
