"""The formatting of texts: what a bot may ask for, and what Telegram finds by itself."""

import re
from typing import Any, cast
from urllib.parse import urlsplit

from embedded.fake_telegram.errors import Body, bad_request
from embedded.fake_telegram.texts import Cleaned, cleaned, trimmed, utf16_length

MOST_ENTITIES = 100
LARGEST_NUMBER = 1_000_000
STYLES = frozenset({"bold", "italic", "underline", "strikethrough", "spoiler"})
CODE = frozenset({"code", "pre"})
QUOTES = frozenset({"blockquote", "expandable_blockquote"})
LINKS = frozenset({"text_link", "text_mention", "custom_emoji", "date_time"})
# Telegram finds them by itself, so a bot's own are left out.
FOUND = {
    "url": re.compile(r"https?://[^\s<>\"']*[\w/#=&-]"),
    "email": re.compile(r"(?<![\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "mention": re.compile(r"(?<![\w@./])@[A-Za-z]\w{3,31}\b"),
    "hashtag": re.compile(r"(?<![\w&/])#\w*[^\W\d]\w*"),
    "bot_command": re.compile(r"(?<![\w/<>.:])/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])"),
}
NOT_OURS = frozenset({*FOUND, "cashtag", "phone_number", "bank_card_number"})
SCHEMES = frozenset({"http", "https", "tg", "ton", "mailto"})


def formatted(text: str, raw: Any) -> tuple[str, list[Body]]:
    """Clean a text and its entities, and add those that Telegram finds; refuse invalid ones.

    Of more than a hundred entities the rest is dropped, without a word.
    """
    entities = [_read(one) for one in _listed(raw)]
    clean = cleaned(text)
    asked = sorted(filter(None, entities), key=lambda one: (one["offset"], -one["length"]))
    asked = [_checked(one, text, clean) for one in asked if one["length"]]
    _refuse_overlaps(asked)
    moved = [_moved(one, clean.places) for one in asked[:MOST_ENTITIES]]
    first = moved[0]["offset"] if moved else len(clean.text)
    kept, taken = trimmed(clean.text, first)
    cut = [_cut(one, taken, utf16_length(kept)) for one in moved]
    ours = [one for one in cut if one["length"] > 0]
    return kept, sorted([*ours, *_found(kept, ours)], key=lambda one: one["offset"])


def _listed(raw: Any) -> list[Any]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise bad_request("can't parse entities JSON object")
    return cast(list[Any], raw)


def _read(raw: Any) -> Body | None:
    if not isinstance(raw, dict):
        raise _malformed("expected an Object")
    entity = cast(Body, raw)
    for name in ("offset", "length"):
        if type(entity.get(name)) is not int:
            raise _malformed(f'Can\'t find field "{name}"')
    kind = entity.get("type")
    if kind in NOT_OURS:
        return None
    if kind not in STYLES | CODE | QUOTES | LINKS:
        raise _malformed("Unsupported type specified")
    kept = {name: entity[name] for name in ("type", "offset", "length")}
    if kind == "text_link":
        kept["url"] = _url(entity.get("url"))
    return {**kept, **{name: entity[name] for name in ("language", "user") if name in entity}}


def _url(raw: Any) -> str:
    if not isinstance(raw, str) or not raw:
        raise _malformed('Can\'t find field "url"')
    try:
        parts = urlsplit(raw if "://" in raw or raw.startswith("mailto:") else f"http://{raw}")
    except ValueError as odd:
        raise bad_request(f"entity URL '{raw}' is invalid: Wrong HTTP URL") from odd
    if parts.scheme not in SCHEMES or not (parts.netloc or parts.path):
        raise bad_request(f"entity URL '{raw}' is invalid: Unsupported URL protocol")
    return parts.geturl()


def _checked(entity: Body, text: str, clean: Cleaned) -> Body:
    offset, length = entity["offset"], entity["length"]
    for name, number in (("offset", offset), ("length", length)):
        if not 0 <= number <= LARGEST_NUMBER:
            raise bad_request(f"receive an entity with incorrect {name} {number}")
    begin, end, last = offset, offset + length, clean.given_length
    if begin > last:
        raise bad_request(f"entity begins after the end of the text at UTF-16 offset {begin}")
    if begin not in clean.places:
        at = _byte_offset(text, begin)
        raise bad_request(f"entity begins in a middle of a UTF-16 symbol at byte offset {at}")
    if end > last:
        told = f"ends after the end of the text at UTF-16 offset {end}"
        raise bad_request(f"entity beginning at UTF-16 offset {begin} {told}")
    if end not in clean.places:
        told = f"ends in a middle of a UTF-16 symbol at byte offset {_byte_offset(text, end)}"
        raise bad_request(f"entity beginning at UTF-16 offset {begin} {told}")
    return entity


def _byte_offset(text: str, utf16_offset: int) -> int:
    """Return where the character after the one that an offset splits begins, in bytes."""
    units = 0
    for at, char in enumerate(text):
        if units >= utf16_offset:
            return len(text[:at].encode())
        units += utf16_length(char)
    return len(text.encode())


def _refuse_overlaps(entities: list[Body]) -> None:
    around: list[Body] = []
    for entity in entities:
        while around and _end(around[-1]) <= entity["offset"]:
            around.pop()
        for outer in around:
            if _end(entity) > _end(outer) or not _may_contain(outer, entity):
                where = f"at UTF-16 offsets {outer['offset']} and {entity['offset']}"
                kinds = f"{outer['type']} and {entity['type']}"
                raise bad_request(f"can't parse entities: {kinds} {where} may not overlap")
        around.append(entity)


def _may_contain(outer: Body, inner: Body) -> bool:
    """Tell whether one may lie within the other; of two that share a place, either way round."""
    has_same_place = (outer["offset"], outer["length"]) == (inner["offset"], inner["length"])
    return _holds(outer["type"], inner["type"]) or (
        has_same_place and _holds(inner["type"], outer["type"])
    )


def _holds(outer: str, inner: str) -> bool:
    if outer in QUOTES:
        return inner not in QUOTES
    if outer in CODE or inner in CODE:
        return False
    return outer in STYLES or inner in STYLES


def _moved(entity: Body, places: dict[int, int]) -> Body:
    begin, end = places[entity["offset"]], places[_end(entity)]
    return {**entity, "offset": begin, "length": end - begin}


def _cut(entity: Body, taken: int, length: int) -> Body:
    begin = entity["offset"] - taken
    return {**entity, "offset": begin, "length": min(begin + entity["length"], length) - begin}


def _found(text: str, ours: list[Body]) -> list[Body]:
    """Find addresses, commands and the like where no code or link is."""
    taken = [(one["offset"], _end(one)) for one in ours if one["type"] in CODE | LINKS]
    found: list[Body] = []
    for kind, pattern in FOUND.items():
        for match in pattern.finditer(text):
            begin = utf16_length(text[: match.start()])
            end = begin + utf16_length(match[0])
            if all(end <= first or begin >= last for first, last in taken):
                taken.append((begin, end))
                found.append({"type": kind, "offset": begin, "length": end - begin})
    return found


def _end(entity: Body) -> int:
    return entity["offset"] + entity["length"]


def _malformed(words: str) -> Exception:
    return bad_request(f"can't parse MessageEntity: {words}")
