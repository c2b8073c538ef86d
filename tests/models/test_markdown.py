"""Markdown: what it draws, and that nothing dangerous comes through."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.markdown import render, split_stable

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](https://tracker.example/pixel.png)",
    '<a href="https://x" onclick="alert(1)">x</a>',
    "<svg/onload=alert(1)>",
    "<style>body{display:none}</style>",
    '```"><script>alert(1)</script>\nx\n```',
    "<iframe src='https://x'></iframe>",
]
DANGER = re.compile(
    r"<(script|img|svg|iframe|style|object)|<[^>]* on\w+=|href=\"(javascript|data):", re.I
)
pieces = st.lists(
    st.sampled_from(
        [
            *HOSTILE,
            "# Title\n",
            "word ",
            "\n\n",
            "- item\n",
            "```py\n",
            "|a|b|\n|-|-|\n",
            "\r\n",
            "> ",
        ]
    )
).map("".join)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    assert not DANGER.search(render(text))


@given(st.one_of(st.text(), pieces))
def test_nothing_dangerous_is_ever_drawn(text: str) -> None:
    assert not DANGER.search(render(text))


def test_the_usual_things_are_drawn() -> None:
    drawn = render(
        "# Hi\n\n**bold** `code`\n\n|a|b|\n|-|-|\n|1|2|\n\n1. one\n\n```python\nx = 1\n```"
    )

    for part in (
        "<h1>Hi</h1>",
        "<strong>bold</strong>",
        "<td>1</td>",
        "<ol>",
        'class="language-python"',
    ):
        assert part in drawn
    assert '<span class="n">x</span>' in drawn


def test_links_tell_nobody_where_they_were_clicked() -> None:
    drawn = render("https://example.org")
    assert 'href="https://example.org"' in drawn
    assert "noopener" in drawn
    assert "nofollow" in drawn


@given(st.one_of(st.text(), pieces))
def test_splitting_loses_and_adds_nothing(text: str) -> None:
    assert "".join(split_stable(text)) == text


@pytest.mark.parametrize(
    ("text", "stable"),
    [
        ("one\n\ntwo", "one\n\n"),
        ("one", ""),
        ("```\na\n\nb", ""),
        ("one\n\n```\na\n\nb", "one\n\n"),
        ("- a\n\n- b\n\n", ""),
        ("- a\n\n- b\n\nafter", "- a\n\n- b\n\n"),
        ("|a|\n|-|\n|1|\n", ""),
    ],
)
def test_only_whole_blocks_are_stable(text: str, stable: str) -> None:
    assert split_stable(text)[0] == stable


@given(pieces)
def test_drawing_block_by_block_shows_what_drawing_at_once_shows(text: str) -> None:
    words: list[str] = []
    tail, drawn = "", ""
    for at in range(0, len(text), 7):
        stable, tail = split_stable(tail + text[at : at + 7])
        drawn += render(stable) if stable else ""
        words.append(stable)
    assert "".join(words) + tail == text
    assert not DANGER.search(drawn)
