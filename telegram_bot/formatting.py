"""Answers as messages of Telegram's: formatted, and cut to its limits."""

import re

import structlog

from channels.outbound import Part
from telegram_bot.entities import FormattedText, formatted
from telegram_bot.splitting import last_part, split
from untrusted.helper import Failed
from untrusted.styling import style

log = structlog.get_logger()

# Half of a pair of UTF-16 is no text.
HALVES = re.compile("[\ud800-\udfff]")
# There is always something to be read.
NOTHING = Part("…")
# Of an answer that grows, only so much at the end is formatted each time.
GROWING_CHARS = 40_000


def render(markdown: str) -> list[Part]:
    """Make messages of an answer, in order. Never empty, and it raises nothing.

    What cannot be formatted within its limits comes as plain text, cut the same way.
    """
    return split(_formatted(markdown)) or split(_plain(markdown)) or [NOTHING]


def preview(markdown: str) -> Part:
    """Make one message of the end of an answer that still grows; it raises nothing."""
    return last_part(_formatted(_tail(markdown), is_growing=True)) or NOTHING


def _formatted(markdown: str, *, is_growing: bool = False) -> FormattedText:
    try:
        # Each text has an owner of its own: a chat sends one after the other.
        return formatted(style(markdown, owner=object(), is_growing=is_growing))
    except Failed as failure:
        log.warning("telegram.sent_plain", why=str(failure))
        return _plain(markdown)


def _plain(markdown: str) -> FormattedText:
    lines = markdown.replace("\r\n", "\n").replace("\r", "\n")
    return FormattedText(HALVES.sub("\ufffd", lines))


def _tail(markdown: str) -> str:
    """Return the end of a long text, from the beginning of a paragraph on if there is one."""
    if len(markdown) <= GROWING_CHARS:
        return markdown
    tail = markdown[-GROWING_CHARS:]
    _, is_found, paragraphs = tail.partition("\n\n")
    return paragraphs if is_found else tail
