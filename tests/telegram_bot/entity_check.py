"""Judges a message as Telegram's server would: by its text and its entities alone.

The rules are those of the Bot API's documentation ("Formatting options", "MessageEntity"), and of
what its server is known to refuse or to drop.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from channels.outbound import Part

MOST_UNITS = 4096
MOST_ENTITIES = 100
MONOSPACE = {"pre", "code"}
KNOWN = {"bold", "italic", "strikethrough", "blockquote", "text_link", *MONOSPACE}
SPACES = " \n\t"


def faults(part: Part) -> list[str]:
    """Tell what is wrong with a message; an empty list if Telegram takes all of it as it is."""
    units = part.text.encode("utf-16-le")
    found: list[str] = []
    if not 0 < len(units) // 2 <= MOST_UNITS:
        found.append(f"{len(units) // 2} units")
    if len(part.formatting) > MOST_ENTITIES:
        found.append(f"{len(part.formatting)} entities")
    if part.text != part.text.rstrip(SPACES) or not part.text.strip(SPACES):
        found.append("spaces at the end")
    starts_with_code = any(one["offset"] == 0 and one["type"] == "pre" for one in part.formatting)
    if not starts_with_code and part.text != part.text.lstrip(SPACES):
        found.append("spaces at the beginning")
    for one in part.formatting:
        found += _faults_of(one, units)
    for one, other in combinations(part.formatting, 2):
        found += _faults_of_two(one, other)
    return found


def covered(part: Part, kind: str) -> list[str]:
    """Return what entities of a type cover, as Telegram reads it."""
    units = part.text.encode("utf-16-le")
    return [
        _covered(one, units).decode("utf-16-le") for one in part.formatting if one["type"] == kind
    ]


def _covered(entity: Mapping[str, Any], units: bytes) -> bytes:
    start = entity["offset"] * 2
    return units[start : start + entity["length"] * 2]


def _faults_of(entity: Mapping[str, Any], units: bytes) -> list[str]:
    kind, offset, length = entity["type"], entity["offset"], entity["length"]
    if kind not in KNOWN:
        return [f"{kind} is no type"]
    if offset < 0 or length <= 0 or (offset + length) * 2 > len(units):
        return [f"{kind} at {offset} of {length} is out of the text"]
    try:
        words = _covered(entity, units).decode("utf-16-le")
    except UnicodeDecodeError:
        return [f"{kind} at {offset} cuts a pair"]
    found = _faults_of_fields(entity)
    if not words.strip(SPACES):
        found.append(f"{kind} at {offset} covers nothing")
    if kind != "pre" and words != words.strip(SPACES):
        found.append(f"{kind} at {offset} has spaces at its ends: {words!r}")
    return found


def _faults_of_fields(entity: Mapping[str, Any]) -> list[str]:
    fields, kind = set(entity) - {"type", "offset", "length"}, entity["type"]
    if kind == "text_link":
        return _faults_of_address(entity["url"]) if fields == {"url"} else [f"a link has {fields}"]
    return [f"{kind} has {fields}"] if fields - ({"language"} if kind == "pre" else set()) else []


def _faults_of_address(url: str) -> list[str]:
    parts = urlsplit(url)
    if url.startswith("tg://resolve?"):
        return []
    if parts.scheme not in {"http", "https"} or "." not in (parts.hostname or ""):
        return [f"{url} is no address for a link"]
    return []


def _faults_of_two(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    first, second = sorted((one, other), key=lambda each: (each["offset"], -each["length"]))
    end, other_end = (each["offset"] + each["length"] for each in (first, second))
    if second["offset"] >= end:
        return []
    kinds = f"{first['type']} and {second['type']} at {second['offset']}"
    if other_end > end:
        return [f"{kinds} overlap"]
    found: list[str] = []
    if first["type"] == second["type"]:
        found.append(f"{kinds} are within each other")
    if first["type"] in MONOSPACE:
        found.append(f"{kinds}: within code is nothing")
    if second["type"] in MONOSPACE and first["type"] != "blockquote":
        found.append(f"{kinds}: code is within quotes alone")
    return found
