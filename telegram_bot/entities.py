"""Styled text as Telegram's entities, by the rules that its server has for what lies within what.

Code has no other look, and lies within nothing but a quote; no entity lies within one of its own
type. What breaks a rule is dropped by the server, or refused with all of its message.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from telegram.constants import MessageEntityType

from telegram_bot import links
from untrusted.styled_text import Look, Span, StyledText

TYPES = {
    Look.BOLD: MessageEntityType.BOLD,
    Look.HEADING: MessageEntityType.BOLD,
    Look.ITALIC: MessageEntityType.ITALIC,
    Look.STRIKE: MessageEntityType.STRIKETHROUGH,
    Look.CODE: MessageEntityType.CODE,
    Look.PRE: MessageEntityType.PRE,
    Look.LINK: MessageEntityType.TEXT_LINK,
    Look.QUOTE: MessageEntityType.BLOCKQUOTE,
}
EMPHASIS = {Look.BOLD, Look.HEADING, Look.ITALIC, Look.STRIKE}


@dataclass(frozen=True)
class Entity:
    """One of Telegram's entities, counted in characters of the whole text."""

    type: MessageEntityType
    start: int
    end: int
    # The address of a link, the language of code.
    argument: str = ""
    # Whether what follows belongs to it, as it does to a heading.
    keeps_with_next: bool = False


@dataclass(frozen=True)
class FormattedText:
    """A text of any length with its entities, outer ones first."""

    text: str
    entities: tuple[Entity, ...] = ()


def formatted(styled: StyledText) -> FormattedText:
    """Make entities of a styled text; an address that can be no link is read in the text."""
    written = _spell_out(styled)
    spans = list(_allowed(written.spans))
    code = [span for span in spans if span.look is Look.CODE]
    cut = (part for span in spans for part in _without_code(span, code))
    trimmed = (_trimmed(part, written.text) for part in cut)
    entities = [_entity(part) for part in trimmed if part.start < part.end]
    entities.sort(key=lambda entity: (entity.start, -entity.end))
    return FormattedText(written.text, tuple(entities))


def _spell_out(styled: StyledText) -> StyledText:
    """Put addresses that Telegram takes for no link behind the words that led there."""
    is_refused = {
        span
        for span in styled.spans
        if span.look is Look.LINK and not links.is_accepted(span.argument)
    }
    if not is_refused:
        return styled
    added = sorted((span.end, _addition(span, styled.text)) for span in is_refused)
    places = [place for place, _ in added]
    moved = [0, *accumulate(len(words) for _, words in added)]

    def now(place: int) -> int:
        return place + moved[bisect_right(places, place)]

    kept = (span for span in styled.spans if span not in is_refused)
    spans = tuple(replace(span, start=now(span.start), end=now(span.end)) for span in kept)
    cuts = [0, *places, len(styled.text)]
    words = [*(word for _, word in added), ""]
    pieces = (styled.text[cuts[at] : cuts[at + 1]] + words[at] for at in range(len(words)))
    return StyledText("".join(pieces), spans)


def _addition(span: Span, text: str) -> str:
    address = links.spelled_out(span.argument)
    return f" ({address})" if address and address not in text[span.start : span.end] else ""


def _allowed(spans: Sequence[Span]) -> Iterator[Span]:
    """Leave out what lies within another entity in which it may not be."""
    around: list[Span] = []
    for span in spans:
        while around and around[-1].end <= span.start:
            around.pop()
        types = {TYPES[one.look] for one in around}
        # A link leads somewhere; that it is of code is only its look.
        is_code_of_link = span.look is Look.CODE and MessageEntityType.TEXT_LINK in types
        if TYPES[span.look] not in types and not is_code_of_link:
            around.append(span)
            yield span


def _without_code(span: Span, code: Sequence[Span]) -> Iterator[Span]:
    """Cut emphasis where code is."""
    if span.look not in EMPHASIS:
        yield span
        return
    first, last = (bisect_left(code, edge, key=_start) for edge in (span.start, span.end))
    start = span.start
    for at in range(first, last):
        yield replace(span, start=start, end=code[at].start)
        start = code[at].end
    yield replace(span, start=start)


def _start(span: Span) -> int:
    return span.start


def _trimmed(span: Span, text: str) -> Span:
    """Leave out spaces at its ends, but those that indent code."""
    words = text[span.start : span.end]
    end = span.start + len(words.rstrip())
    start = span.start if span.look is Look.PRE else span.end - len(words.lstrip())
    return replace(span, start=start, end=end)


def _entity(span: Span) -> Entity:
    argument = span.argument if span.look in {Look.LINK, Look.PRE} else ""
    keeps_with_next = span.look is Look.HEADING
    return Entity(TYPES[span.look], span.start, span.end, argument, keeps_with_next)
