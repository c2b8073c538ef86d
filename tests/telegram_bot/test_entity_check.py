"""The judge of messages: each kind of fault is one."""

from typing import Any

import pytest

from channels.outbound import Part
from tests.telegram_bot.entity_check import covered, faults

BOLD: dict[str, Any] = {"type": "bold", "offset": 0, "length": 2}


def _part(text: str, *entities: dict[str, Any]) -> Part:
    return Part(text, entities)


@pytest.mark.parametrize(
    "part",
    [
        _part(""),
        _part(" a"),
        _part("a\n"),
        _part("a" * 4097),
        _part("😀" * 2049),
        _part("a" * 101, *({"type": "bold", "offset": at, "length": 1} for at in range(101))),
        _part("a", BOLD),
        _part("ab", {**BOLD, "offset": -1}),
        _part("ab", {**BOLD, "length": 0}),
        _part("ab", {**BOLD, "type": "big"}),
        _part("ab", {**BOLD, "url": "https://a.example"}),
        _part("ab", {**BOLD, "language": "py"}),
        _part("ab", {**BOLD, "type": "text_link"}),
        _part("ab", {**BOLD, "type": "text_link", "url": "javascript:alert(1)"}),
        _part("ab", {**BOLD, "type": "text_link", "url": "http://localhost/"}),
        _part("a😀", BOLD),
        _part("😀a", {**BOLD, "offset": 1}),
        _part("a  b", {**BOLD, "offset": 1}),
        _part("a b", BOLD),
        _part("abcd", {**BOLD, "length": 3}, {"type": "italic", "offset": 2, "length": 2}),
        _part("abcd", {**BOLD, "length": 3}, BOLD),
        _part("abcd", {**BOLD, "type": "code"}, BOLD),
        _part("abcd", {**BOLD, "length": 3}, {**BOLD, "type": "code"}),
    ],
    ids=repr,
)
def test_a_fault_is_found(part: Part) -> None:
    assert faults(part)


@pytest.mark.parametrize(
    "part",
    [
        _part("a" * 4096),
        _part("ab", BOLD, {**BOLD, "type": "italic"}),
        _part("ab", {**BOLD, "type": "blockquote"}, {**BOLD, "type": "code"}),
        _part("  x = 1", {"type": "pre", "offset": 0, "length": 7, "language": "py"}),
        _part("😀", BOLD),
        _part("ab", {**BOLD, "type": "text_link", "url": "https://a.example"}),
    ],
    ids=repr,
)
def test_what_telegram_takes_has_none(part: Part) -> None:
    assert faults(part) == []


def test_what_an_entity_covers_is_counted_in_units() -> None:
    assert covered(_part("😀ab", {**BOLD, "offset": 2}), "bold") == ["ab"]
