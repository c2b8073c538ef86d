"""Answers as styled text, for channels. A model wrote them, so a helper reads their Markdown."""

import json
from collections.abc import Hashable
from typing import Any, cast

from untrusted import lanes
from untrusted.helper import Failed
from untrusted.kinds import STYLE
from untrusted.rendering import PROSE
from untrusted.styled_text import Look, Span, StyledText

MOST_SPANS = 20_000
ARGUMENT_CHARS = 4_096


def style(text: str, *, owner: Hashable, is_growing: bool = False) -> StyledText:
    """Make styled text of a model's Markdown; `owner` is whose it is, for a fair share.

    Of a text that still grows, what may yet become a list or a table is left out. Raises Failed.
    """
    if PROSE.fullmatch(text):
        return StyledText(text)
    body = text.encode("utf-8", errors="replace")
    return read(lanes.do(STYLE, body, {"is_growing": is_growing}, owner=owner).body)


def read(made: bytes) -> StyledText:
    """Check what came out of a helper, which is as foreign as the answer was. Raises Failed."""
    try:
        return _styled(json.loads(made))
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise Failed("error", "no styled text") from error


def _styled(made: Any) -> StyledText:
    text, spans = made["text"], made["spans"]
    if not isinstance(text, str) or not isinstance(spans, list):
        raise TypeError
    if len(cast(list[object], spans)) > MOST_SPANS:
        raise ValueError
    found = (_span(*one, length=len(text)) for one in cast(list[list[Any]], spans))
    return StyledText(text, tuple(sorted(found, key=lambda span: (span.start, -span.end))))


def _span(look: object, start: object, end: object, argument: object, *, length: int) -> Span:
    if not (isinstance(look, str) and isinstance(argument, str)):
        raise TypeError
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= length):
        raise ValueError
    if len(argument) > ARGUMENT_CHARS:
        # Nobody opens so long an address, and no language is called so.
        argument = ""
    return Span(Look(look), start, end, argument)
