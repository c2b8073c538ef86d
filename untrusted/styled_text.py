"""Styled text: plain text, and what of it looks how. Helpers make it, and channels show it.

It names no messenger and no markup. Both sides of a helper's wall use it, so it needs nothing.
"""

import enum
from dataclasses import dataclass


class Look(enum.StrEnum):
    """How some of a text looks."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    HEADING = "heading"
    # Within a line, in letters of one width.
    CODE = "code"
    # Lines of their own in letters of one width; the argument is the language, or nothing.
    PRE = "pre"
    # The argument is the address, as the model wrote it.
    LINK = "link"
    QUOTE = "quote"


@dataclass(frozen=True)
class Span:
    """So many characters of a text, from `start` up to and without `end`, and their look."""

    look: Look
    start: int
    end: int
    argument: str = ""


@dataclass(frozen=True)
class StyledText:
    """A text and its spans: one lies within another or beside it, and outer ones come first."""

    text: str
    spans: tuple[Span, ...] = ()
