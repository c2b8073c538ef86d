"""Answers as messages: every word arrives, and Telegram takes every entity."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from telegram.constants import MessageEntityType

from channels.outbound import Part
from telegram_bot.entities import Entity, FormattedText
from telegram_bot.formatting import GROWING_CHARS, preview, render
from telegram_bot.splitting import VISIBLE, split
from tests.hostile.answers import ANSWERS
from tests.processor import no_more_than
from tests.running import some_of
from tests.telegram_bot.entity_check import covered, faults
from tests.telegram_bot.expected import bare, words_of
from tests.telegram_bot.markdown_cases import CASES, FAMILY, FLAG, LIMIT, LINES
from untrusted.inside import markdown

NOTHING = Part("…")
# More than a helper takes.
HUGE = "*a*\n" * 1_100_000
MARKS = st.sampled_from(
    [
        *("**", "*", "_", "~~", "`", "```\n", "```py\n", "\n", "\n\n", "- ", "  - ", "1. ", "> "),
        *("# ", "|", "|-|-|\n", "[", "](https://a.example)", "](x)", "![", "---\n", "    ", "\t"),
        *("- [x] ", "<b>", "&amp;", "\\", "  \n", "https://a.example/x", "word", "é", "漢", "🙂"),
        *(FAMILY, FLAG, "e\u0301", "\u200b", "\u202e", "\u2028", "\r", "\x00", "שלום"),
    ]
)

assert len(CASES) >= 60
assert set(LINES) <= set(CASES)


def text_of(parts: list[Part]) -> str:
    return "".join(part.text for part in parts)


@pytest.mark.parametrize("name", CASES)
def test_every_word_arrives_and_every_entity_is_sound(name: str) -> None:
    html = markdown.render(CASES[name], has_colours=False)
    with capture_logs() as lines:
        parts = render(CASES[name])
    assert [fault for part in parts for fault in faults(part)] == []
    expected = words_of(html, has_records=name in LINES)
    if expected:
        assert bare(text_of(parts)) == expected
    assert parts
    # Nothing was sent as plain text for want of something better.
    assert "telegram.sent_plain" not in str(lines)


@pytest.mark.parametrize("name", CASES)
def test_a_preview_is_one_sound_message_of_the_end(name: str) -> None:
    part = preview(CASES[name])
    assert faults(part) == []
    end = part.text.removeprefix("…\n")
    assert part == NOTHING or bare(end) in bare(text_of(render(CASES[name])))


@settings(deadline=None)
@given(st.lists(MARKS, max_size=60).map("".join))
def test_any_markdown_is_delivered_whole(text: str) -> None:
    parts = render(text)
    assert [fault for part in parts for fault in faults(part)] == []
    assert faults(preview(text)) == []
    html = markdown.render(text, has_colours=False)
    # Words may be added, to a row of a table or where an address cannot be a link.
    if "<table" not in html and "href" not in html and VISIBLE.search(words_of(html)):
        assert bare(text_of(parts)) == words_of(html)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_at_all_is_delivered(text: str) -> None:
    assert [fault for part in render(text) for fault in faults(part)] == []
    assert faults(preview(text)) == []


PLACES = st.tuples(st.integers(0, 9_000), st.integers(1, 9_000))
KINDS = st.sampled_from([MessageEntityType.BOLD, MessageEntityType.PRE])
WORDS = st.lists(
    st.sampled_from(["a" * 700, "word ", "\n", "\n\n", "😀", FAMILY, "é" * 40]), max_size=60
).map("".join)


@settings(deadline=None)
@given(WORDS, st.lists(PLACES, max_size=200), KINDS)
def test_entities_at_any_place_are_cut_soundly(
    text: str, places: list[tuple[int, int]], kind: MessageEntityType
) -> None:
    end, entities = 0, list[Entity]()
    for start, length in sorted(places):
        if end <= start < start + length <= len(text):
            entities.append(Entity(kind, start, start + length))
            end = start + length
    parts = split(FormattedText(text, tuple(entities)))
    assert "".join(text_of(parts).split()) == "".join(text.split())
    assert [fault for part in parts for fault in faults(part)] == []


def only(text: str) -> Part:
    (part,) = render(text)
    return part


def test_each_look_is_an_entity() -> None:
    part = only("**b** *i* ~~s~~ `c` [l](https://a.example)\n\n> q\n\n```py\np\n```\n\n# h")
    assert part.text == "b i s c l\n\nq\n\np\n\nh"
    assert part.formatting == (
        {"type": "bold", "offset": 0, "length": 1},
        {"type": "italic", "offset": 2, "length": 1},
        {"type": "strikethrough", "offset": 4, "length": 1},
        {"type": "code", "offset": 6, "length": 1},
        {"type": "text_link", "offset": 8, "length": 1, "url": "https://a.example"},
        {"type": "blockquote", "offset": 11, "length": 1},
        {"type": "pre", "offset": 14, "length": 1, "language": "py"},
        {"type": "bold", "offset": 17, "length": 1},
    )


def test_offsets_count_units_of_utf_16() -> None:
    part = only("😀 **𝄞**")
    assert part.formatting == ({"type": "bold", "offset": 3, "length": 2},)


def test_lists_are_drawn_in_characters() -> None:
    text = "Buy:\n\n- milk\n  or oat milk\n  1. cold\n- [x] bread\n- jam\n\n3. a\n\n   b\n4. c"
    assert only(text).text == (
        "Buy:\n\n• milk\n    or oat milk\n    1. cold\n☑ bread\n• jam\n\n3. a\n\n    b\n\n4. c"
    )


def test_a_table_is_aligned_in_letters_of_one_width() -> None:
    part = only("| Name | Age | |\n|---|--:|:-:|\n| Ada | 36 | 🙂 |\n| 名前 | 7 | x |")
    assert part.text.split("\n") == [
        "Name  Age",
        "────  ───  ──",
        "Ada    36  🙂",
        "名前    7  x",
    ]
    assert covered(part, "pre") == [part.text]


def test_a_table_too_wide_for_a_phone_is_lines_with_the_names_of_its_columns() -> None:
    part = only(f"| A | B |\n|---|---|\n| {'x' * 40} | **1** |\n| y | |")
    assert part.text == f"A: {'x' * 40}\nB: 1\n\nA: y\nB:"
    assert covered(part, "bold") == ["A:", "B:", "1", "A:", "B:"]


def test_a_link_keeps_its_address_and_an_unsafe_one_is_words() -> None:
    part = only("[a](https://a.example/?x=[1]&y=(2)) [b](javascript:alert(1)) [c](/logout)")
    assert part.text == "a [b](javascript:alert(1)) c"
    assert [one["url"] for one in part.formatting] == ["https://a.example/?x=%5B1%5D&y=(2)"]


def test_an_address_that_telegram_refuses_is_told() -> None:
    part = only("> **[site](http://localhost:8000/a)** and [mail](mailto:ada@example.org)")
    assert part.text == "site (http://localhost:8000/a) and mail (ada@example.org)"
    assert covered(part, "blockquote") == [part.text]
    assert covered(part, "text_link") == []


def test_telegrams_own_addresses_show_somebody_and_do_nothing_else() -> None:
    part = only("[a](tg://resolve?domain=ada) [b](tg://proxy?server=x.example) [c](tg://user?id=1)")
    assert [one["url"] for one in part.formatting] == ["tg://resolve?domain=ada"]


def test_code_that_is_longer_than_a_message_is_opened_again_in_each() -> None:
    code = "".join(f"    line_{number}()\n" for number in range(2_000))
    parts = render(f"Look:\n\n```python\n{code}```\n\nEnd.")
    assert parts[0].text.startswith("Look:\n\n    line_0()\n")
    assert parts[-1].text.endswith("\n\nEnd.")
    for part in parts:
        (entity,) = part.formatting
        assert (entity["type"], entity["language"]) == ("pre", "python")
    # No line is cut, and each keeps its indent.
    lines = "\n".join(covered(part, "pre")[0] for part in parts).split("\n")
    assert lines == code.rstrip("\n").split("\n")


def test_a_message_ends_with_a_paragraph_if_it_can() -> None:
    paragraphs = [f"{number} " + "word " * 250 for number in range(9)]
    parts = render("\n\n".join(paragraphs))
    assert [part.text.count("\n\n") for part in parts] == [2, 2, 2]
    assert all(part.text[0].isdigit() for part in parts)


def test_an_entity_that_fits_into_a_message_is_not_cut() -> None:
    bold = ("bold words " * 100).strip()
    parts = render("a " * 1_900 + f"**{bold}** and " + "b " * 1_400)
    assert [covered(part, "bold") for part in parts] == [[], [bold]]


def test_a_heading_is_not_the_last_of_a_message() -> None:
    first, second = render("word " * 700 + "\n\n# Heading\n\n" + "text " * 200)
    assert first.text.endswith("word")
    assert second.text.startswith("Heading\n\ntext")


def test_no_more_than_a_hundred_entities_are_in_a_message() -> None:
    parts = render(" ".join(f"**{number}**" for number in range(250)))
    assert [len(part.formatting) for part in parts] == [100, 100, 50]


@pytest.mark.parametrize("sign", [FAMILY, FLAG, "👍🏽", "e\u0301", "1️⃣", "क्षि"])
def test_a_sign_of_several_characters_is_not_cut(sign: str) -> None:
    for before in range(3):
        parts = render("a" * before + sign * 2_500)
        assert len(parts) > 1
        for part in parts:
            assert part.text.lstrip("a").replace(sign, "") == ""


def test_a_preview_shows_the_end_and_that_there_is_more_before() -> None:
    part = preview("\n\n".join(f"{number} " + "word " * 200 for number in range(20)) + "\n\n**en")
    assert part.text.startswith("…\n")
    assert part.text.endswith("**en")
    assert part.text.removeprefix("…\n")[0].isdigit()
    assert LIMIT / 2 < len(part.text) <= LIMIT


def test_a_preview_leaves_out_what_has_only_begun() -> None:
    assert preview("Look:\n\n| a | b").text == "Look:"
    assert preview("Look:\n\n- one\n-").text == "Look:\n\n• one"
    assert preview("##") == preview("") == preview("\n") == NOTHING


def test_of_a_very_long_text_only_the_end_is_read_for_a_preview() -> None:
    text = "**a** b\n\n" * (2 * GROWING_CHARS // 9)
    with no_more_than(2):
        part = preview(text)
    assert faults(part) == []
    assert part.text.endswith("a b")


def test_what_no_helper_takes_is_sent_plain_and_cut_the_same_way() -> None:
    with capture_logs() as lines:
        parts = render(HUGE + "\ud800")
    assert [line["event"] for line in lines] == ["telegram.sent_plain"]
    assert "*a*" not in str(lines)
    assert text_of(parts[:2]).startswith("*a*\n*a*\n")
    assert sum(part.text.count("*a*") for part in parts) == 1_100_000
    assert all(faults(part) == [] for part in (*parts[:2], *parts[-2:]))
    assert parts[-1].text.endswith("\ufffd")


@pytest.mark.parametrize("text", ["\u200b", "\u200b\u200d\ufeff", "\u2800 \u3000", "\u202e\u00a0"])
def test_what_telegram_takes_for_nothing_is_not_sent(text: str) -> None:
    assert render(text) == [NOTHING]
    assert preview(text) == NOTHING
    assert text not in [part.text for part in render("a" * LIMIT + text)]


def test_halves_of_pairs_are_no_text() -> None:
    assert only("a\ud800 **b**").text == "a? b"


@pytest.mark.parametrize("name", some_of(ANSWERS, every=6))
def test_hostile_answers_are_sent_all_the_same(name: str) -> None:
    parts = render(ANSWERS[name])
    assert parts
    for part in parts[:20]:
        assert faults(part) == []
