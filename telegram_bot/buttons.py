"""Buttons below a message, in Telegram's words."""

from collections.abc import Sequence

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from channels.outbound import Button, Part
from telegram_bot.links import is_accepted
from telegram_bot.splitting import TEXT_LIMIT, units

Rows = Sequence[Sequence[Button]]


def with_buttons(part: Part, rows: Rows) -> tuple[str, InlineKeyboardMarkup | None]:
    """Return a message's text and what is below it.

    Telegram refuses the whole message for an address of one's own machine. Such a button becomes a
    line of the text, if there is room.
    """
    drawn = [[_drawn(button) for button in row if _is_drawable(button)] for row in rows]
    lines = [f"{one.label}: {one.url}" for row in rows for one in row if not _is_drawable(one)]
    text = "\n".join([part.text, *lines])
    markup = InlineKeyboardMarkup([row for row in drawn if row]) if any(drawn) else None
    return (text if units(text) <= TEXT_LIMIT else part.text), markup


def _is_drawable(button: Button) -> bool:
    return button.url is None or is_accepted(button.url)


def _drawn(button: Button) -> InlineKeyboardButton:
    return InlineKeyboardButton(button.label, url=button.url, callback_data=button.data)
