"""Formatted text in messages: cut where it is least felt, with whole entities in each.

A message has 4,096 units of UTF-16 and 100 entities at most. An entity that is longer than a
message is closed in one and opened again in the next.
"""

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from telegram.constants import MessageEntityType, MessageLimit

from channels.outbound import Part
from telegram_bot import borders
from telegram_bot.entities import Entity, FormattedText

TEXT_LIMIT = MessageLimit.MAX_TEXT_LENGTH.value
ENTITY_LIMIT = MessageLimit.MESSAGE_ENTITIES.value
MORE_BEFORE = "…\n"
# What a message needs at least one of: Telegram takes the others for nothing, or takes them out.
VISIBLE = re.compile(
    r"[^\s\x00-\x20\x7f\xa0\u030a\u0333\u033f\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f\u2800"
    r"\u3000\ufeff\ufffc\U000e0000-\U000e007f]"
)


def split(formatted: FormattedText) -> list[Part]:
    """Cut a text into messages, in order; none for a text in which there is nothing to see."""
    parts = list[Part]()
    text, ahead, start = formatted.text, _Ahead(formatted.entities), 0
    while start < len(text):
        start = _skip_spaces(text, start, ahead.of(start))
        entities = ahead.of(start)
        end = _end(text, start, entities)
        part = _part(text, start, end, entities)
        if part is not None:
            parts.append(part)
        start = end
    return parts


def last_part(formatted: FormattedText) -> Part | None:
    """Make one message of the end of a text; None if there is nothing to see."""
    text, entities = formatted.text.rstrip(), formatted.entities
    start, before = 0, ""
    if units(text) > TEXT_LIMIT:
        room = text[-TEXT_LIMIT:].encode("utf-16-le")[-2 * (TEXT_LIMIT - len(MORE_BEFORE)) :]
        earliest = len(text) - len(room.decode("utf-16-le", "ignore"))
        border = borders.first_border(text, earliest, (earliest + len(text)) // 2)
        start = borders.after_sign(text, earliest) if border is None else border
        before = MORE_BEFORE
    return _part(text, _skip_spaces(text, start, entities), len(text), entities, before=before)


class _Ahead:
    """The entities that one message after the other may have, each looked at a few times only."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self._later = deque(entities)
        self._near: list[Entity] = []

    def of(self, start: int) -> Sequence[Entity]:
        """Return those of a message that begins at `start`, which is never less than before."""
        self._near = [one for one in self._near if one.end > start]
        while self._later and self._later[0].start <= start + TEXT_LIMIT:
            one = self._later.popleft()
            if one.end > start:
                self._near.append(one)
        return self._near


def units(text: str) -> int:
    """Count as Telegram does, in units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2


def _end(text: str, start: int, entities: Sequence[Entity]) -> int:
    """Return where a message that begins at `start` ends."""
    room = text[start : start + TEXT_LIMIT].encode("utf-16-le")[: 2 * TEXT_LIMIT]
    # Half of a pair at the end is left out.
    latest = start + len(room.decode("utf-16-le", "ignore"))
    if len(entities) > ENTITY_LIMIT:
        latest = min(latest, max(entities[ENTITY_LIMIT].start, start + 1))
    if latest >= len(text):
        return len(text)
    border = borders.last_border(text, start, latest, _blocked(text, start, latest, entities))
    if border is None:
        anywhere = bytes(latest - start + 1)
        border = borders.last_border(text, start, latest, anywhere)
    return borders.before_sign(text, start, latest) if border is None else border


def _blocked(text: str, start: int, end: int, entities: Sequence[Entity]) -> bytearray:
    """Tell of each place from `start` to `end` whether it is within an entity that fits whole."""
    blocked = bytearray(end - start + 1)
    for one in entities[:ENTITY_LIMIT]:
        first = max(one.start, start)
        if one.end - first > TEXT_LIMIT or units(text[first : one.end]) > TEXT_LIMIT:
            continue
        last = one.end
        if one.keeps_with_next:
            last += len(text[last:end]) - len(text[last:end].lstrip())
        inside = range(first + 1 - start, min(last - start, len(blocked)))
        blocked[inside.start : inside.stop] = b"\x01" * len(inside)
    return blocked


def _skip_spaces(text: str, start: int, entities: Sequence[Entity]) -> int:
    """Return where the next message begins: code that begins there keeps its indent."""
    while start < len(text) and text[start].isspace():
        code = next((one for one in entities if _is_code_at(one, text, start)), None)
        if code is not None and (text[start] != "\n" or code.start == start):
            break
        start += 1
    return start


def _is_code_at(entity: Entity, text: str, at: int) -> bool:
    """Tell whether a place is in code of which there is more than spaces to come."""
    is_in = entity.type == MessageEntityType.PRE and entity.start <= at < entity.end
    return is_in and bool(text[at : entity.end].strip())


def _part(
    text: str, start: int, end: int, entities: Sequence[Entity], *, before: str = ""
) -> Part | None:
    """Make a message of so many characters, with `before` in front; None if nothing is seen."""
    end = start + len(text[start:end].rstrip())
    words = text[start:end]
    if not VISIBLE.search(words):
        return None
    within = (one for one in entities if one.start < end and one.end > start)
    clipped = (_clipped(one, text, start, end) for one in within)
    kept = [one for one in clipped if one.start < one.end][-ENTITY_LIMIT:]
    formatting = (_written(one, text, start, units(before)) for one in kept)
    return Part(before + words, tuple(formatting))


def _clipped(entity: Entity, text: str, start: int, end: int) -> Entity:
    """Return what of an entity is in a message, without spaces at its ends."""
    first, last = max(entity.start, start), min(entity.end, end)
    words = text[first:last]
    if entity.type != MessageEntityType.PRE:
        first = last - len(words.lstrip())
    return replace(entity, start=first, end=max(entity.start, start) + len(words.rstrip()))


def _written(entity: Entity, text: str, start: int, shift: int) -> dict[str, Any]:
    """Write an entity down as Telegram reads it."""
    written: dict[str, Any] = {
        "type": entity.type.value,
        "offset": shift + units(text[start : entity.start]),
        "length": units(text[entity.start : entity.end]),
    }
    if entity.argument:
        name = "url" if entity.type == MessageEntityType.TEXT_LINK else "language"
        written[name] = entity.argument
    return written
