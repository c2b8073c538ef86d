"""The rows of the list of conversations, each drawn once under its name.

Two forms hang at every row, and somebody may have two hundred; ten took a fifth of a page's time.
They are kept without the token of a login, which each page puts in for its own.
"""

import secrets
from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from flask import Blueprint, render_template
from markupsafe import Markup

from models.conversations import Conversation
from webapp.chat_drawing import Drawings
from webapp.security import csrf_field

pages = Blueprint("chat_rows", __name__)

# Some ten thousand rows, of the people who were here last.
KEPT_CHARS = 16 * 1024 * 1024
# Stands where the token goes. Nobody can name a conversation so: it is this process's secret.
PLACE_OF_TOKEN = secrets.token_hex(16)


@pages.app_template_global()
def draw_rows(conversations: Iterable[Conversation], open_id: UUID | None) -> Markup:
    """Draw the rows of these conversations for whoever asks, who must be their owner."""
    drawn = Markup().join(_row(one, is_open=one.id == open_id) for one in conversations)
    return drawn.replace(PLACE_OF_TOKEN, csrf_field())


def _row(conversation: Conversation, *, is_open: bool) -> Markup:
    key = (conversation.id, conversation.title, is_open)
    drawing = rows().find(key)
    if drawing is None:
        drawing = draw(conversation, is_open=is_open)
        rows().keep(key, drawing)
    return drawing


def draw(conversation: Conversation, *, is_open: bool) -> Markup:
    """Draw one row, with `PLACE_OF_TOKEN` in its forms."""
    return Markup(  # noqa: S704  # it escapes
        render_template(
            "chat/_conversation_row.html",
            conversation=conversation,
            is_open=is_open,
            csrf=lambda: PLACE_OF_TOKEN,
        )
    )


@lru_cache(maxsize=1)
def rows() -> Drawings:
    """This process's rows."""
    return Drawings(KEPT_CHARS)
