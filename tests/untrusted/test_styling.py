"""Answers as styled text, made by helpers: what each look covers, and what is drawn."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.answers import ANSWERS
from tests.running import some_of
from untrusted import styling
from untrusted.helper import Failed
from untrusted.inside import markdown
from untrusted.inside.styling import style
from untrusted.inside.tables import width
from untrusted.styled_text import Look, Span, StyledText
from untrusted.styling import MOST_SPANS

ADA = "ada"
PLAN = (
    "# Plan\n\nFirst *this*.\n\n- a\n  - b\n\n```python\nx = 1\n```\n\n| a |\n|-|\n| 1 |\n\nEnd. 🙂"
)


def looks_of(text: str) -> list[tuple[Look, str, str]]:
    """Each look with what it covers and its argument."""
    made = style(text)
    return [(one.look, made.text[one.start : one.end], one.argument) for one in made.spans]


def test_a_helper_reads_as_the_reader_does() -> None:
    assert styling.style(PLAN, owner=ADA) == style(PLAN)
    assert styling.style("| a | b", owner=ADA, is_growing=True) == StyledText("")


def test_prose_needs_no_helper_and_is_as_it_was() -> None:
    assert (
        styling.style("Hello, Ada.", owner=ADA) == StyledText("Hello, Ada.") == style("Hello, Ada.")
    )


@pytest.mark.parametrize("text", ["", "\n \n", "\ud800", "\0", "\r\n\r\n", "\u2028"])
def test_odd_texts_raise_nothing(text: str) -> None:
    assert not styling.style(text, owner=ADA).spans


def test_looks_lie_within_each_other_outer_ones_first() -> None:
    assert looks_of("> **a *b* `c`** [`d`](https://a.example)") == [
        (Look.QUOTE, "a b c d", ""),
        (Look.BOLD, "a b c", ""),
        (Look.ITALIC, "b", ""),
        (Look.CODE, "c", ""),
        (Look.LINK, "d", "https://a.example"),
        (Look.CODE, "d", ""),
    ]


def test_code_keeps_its_lines_and_its_language_and_has_spaces_for_tabs() -> None:
    assert looks_of("- x\n\n  ```Python title=a\n\n  \tx\n    y\n\n  ```") == [
        (Look.PRE, "\n    x\n  y", "Python")
    ]
    assert looks_of("```\n\n```") == []


def test_a_picture_is_the_link_to_it_here_and_on_the_web() -> None:
    text = "![a cat](https://a.example/c.png) Wow![x](https://b.example) \\![no](https://c.example)"
    assert style(text).text == "a cat Wowx !no"
    assert "!<a" not in markdown.render(text.partition("\\")[0])
    assert "!<a" in markdown.render("\\![no](https://c.example)")
    assert "look!" in markdown.render("look!https://a.example")


def test_a_link_without_words_shows_where_it_leads() -> None:
    assert style("[](https://a.example) [](/b) []()").text == "https://a.example  "


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", 0),
        ("abc", 3),
        ("漢字", 4),
        ("ａ", 2),
        ("e\u0301", 1),
        ("🙂", 2),
        ("❤️", 2),
        ("👩‍👩‍👧‍👦", 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("🇩🇪🇫🇷", 4),
        ("🇩", 2),
        ("1️⃣", 2),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 2),
        ("a\u200bb", 2),
        ("שלום", 4),
        ("กำ", 2),
    ],
)
def test_signs_take_one_column_or_two(text: str, columns: int) -> None:
    assert width(text) == columns


SPAN = ["bold", 0, 1, ""]


@pytest.mark.parametrize(
    "made",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        {},
        {"text": "a"},
        {"text": 1, "spans": []},
        {"text": "a", "spans": {}},
        {"text": "a", "spans": [1]},
        {"text": "a", "spans": [SPAN[:3]]},
        {"text": "a", "spans": [[*SPAN, 1]]},
        {"text": "a", "spans": [["huge", 0, 1, ""]]},
        {"text": "a", "spans": [[1, 0, 1, ""]]},
        {"text": "a", "spans": [["bold", 0, 2, ""]]},
        {"text": "a", "spans": [["bold", -1, 1, ""]]},
        {"text": "a", "spans": [["bold", 1, 1, ""]]},
        {"text": "a", "spans": [["bold", 0, 1.0, ""]]},
        {"text": "a", "spans": [["bold", 0, 1, None]]},
        {"text": "a", "spans": [SPAN] * (MOST_SPANS + 1)},
    ],
    ids=lambda made: repr(made)[:60],
)
def test_what_a_helper_cannot_have_meant_is_no_styled_text(made: bytes | dict[str, Any]) -> None:
    with pytest.raises(Failed):
        styling.read(made if isinstance(made, bytes) else json.dumps(made).encode())


def test_an_argument_that_is_too_long_is_left_out() -> None:
    made = {"text": "a", "spans": [["link", 0, 1, "h" * 5_000]]}
    assert styling.read(json.dumps(made).encode()).spans == (Span(Look.LINK, 0, 1),)


@settings(deadline=None)
@given(st.text(alphabet="ab*_~`#-|>![]()<>:/. \n\t1\\", max_size=120))
def test_spans_of_any_markdown_lie_within_the_text_and_within_each_other(text: str) -> None:
    made = style(text)
    around: list[Span] = []
    for span in made.spans:
        assert 0 <= span.start < span.end <= len(made.text)
        while around and around[-1].end <= span.start:
            around.pop()
        assert not around or span.end <= around[-1].end
        around.append(span)


@pytest.mark.parametrize("name", some_of(ANSWERS, every=8))
def test_hostile_answers_end_in_time(name: str) -> None:
    with suppress(Failed):
        styling.style(ANSWERS[name], owner=ADA)
    assert styling.style("**Hi**\n\nthere", owner=ADA).spans == (Span(Look.BOLD, 0, 2),)
