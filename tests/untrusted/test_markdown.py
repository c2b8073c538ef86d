"""What a model writes becomes HTML that can do no harm, block by block."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from untrusted.inside.markdown import clean, render, render_growing

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](  JaVaScRiPt:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](vbscript:x)",
    "<javascript:alert(1)>",
    '[a](https://x.example "onmouseover=alert(1)")',
    '[a](https://x.example/"onmouseover="alert(1))',
    "![x](https://tracker.example/pixel.png)",
    "<svg/onload=alert(1)>",
    "<iframe src='https://x.example'></iframe>",
    "<style>*{display:none}</style>",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "| a |\n|:-:|\n| <b onclick=x> |",
    "<!-- --><a href=javascript:x>",
    "\x00<script>\x00",
    "[x]: javascript:alert(1)\n\n[x]",
]
TAG = re.compile(r"<(/?)([a-zA-Z0-9]+)([^<>]*)>")
HARMLESS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "div", "pre"),
    *("a", "code", "em", "s", "span", "strong"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
MARKS = [
    *("<", ">", '"', "'", "`", "```", "\n", "\n\n", " ", "    ", "*", "**", "_", "- ", "1. "),
    *("|", "\n|-|-|\n", "# ", "> ", "[", "](", ")", "javascript:", "&lt;script&gt;", "on", "="),
    *("\r", "\x0b", "\u2028", "é", "🙂", "---", "===", "~~~", "https://a.example"),
]
HOSTILE = st.lists(st.sampled_from([*ATTACKS, *MARKS]), max_size=24).map("".join)


def assert_harmless(made: str) -> None:
    for _, tag, rest in TAG.findall(made):
        assert tag in HARMLESS
        # What is in quotes is a value; what is left are names.
        names = re.sub(r'"[^"]*"', "", rest)
        assert not re.search(r"\bon\w+|\bsrc\b|\bid\b|\bname\b", names, re.IGNORECASE)
        for address in re.findall(r'href="([^"]*)"', rest):
            assert re.match(r"https?:|mailto:", address)
    assert "<" not in TAG.sub("", made)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_becomes_text(attack: str) -> None:
    assert_harmless(render(attack))


def test_the_first_wall_shows_markup_as_text() -> None:
    assert "&lt;b&gt;bold&lt;/b&gt;" in render("<b>bold</b>")
    assert ">a cat</a>" in render("![a cat](https://tracker.example/pixel.png)")


@pytest.mark.parametrize(
    "made",
    [
        '<a href="javascript:alert(1)">click</a>',
        '<a href="data:text/html;base64,PHNjcmlwdD4=">click</a>',
        '<a href="https://x.example" onclick="alert(1)">click</a>',
        '<a href="/logout">click</a>',
        '<p id="composer" onmouseover="alert(1)">x</p>',
        '<img src="https://tracker.example/pixel.png">',
        "<script>alert(1)</script>",
        "<iframe src='https://x.example'></iframe>",
        "<svg onload=alert(1)>",
        '<form action="https://x.example"><input name="password"></form>',
    ],
)
def test_the_second_wall_stands_alone(made: str) -> None:
    assert_harmless(clean(made))


@settings(deadline=None)
@given(HOSTILE)
def test_nothing_makes_it_write_what_runs(text: str) -> None:
    assert_harmless(render(text))


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_harmless(text: str) -> None:
    assert_harmless(render(text))


def test_the_usual_markdown_is_shown() -> None:
    made = render(
        "# Title\n\nSome **bold**, *slanted* and ~~gone~~ `code`.\n\n- one\n- two\n\n"
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n> said\n\n1. x\n2. y\n"
    )
    for part in ("<h1>Title</h1>", "<strong>bold</strong>", "<em>slanted</em>", "<s>gone</s>"):
        assert part in made
    for part in ("<code>code</code>", "<li>one</li>", "<blockquote>", "<ol>"):
        assert part in made
    assert '<td align="right">2</td>' in made


def test_links_open_elsewhere_and_tell_nothing() -> None:
    made = render("[here](https://x.example/a?b=c&d) and https://y.example")
    assert made.count('target="_blank"') == 2
    assert made.count('rel="noopener noreferrer nofollow"') == 2
    assert 'href="https://y.example"' in made


def test_a_file_name_is_no_link() -> None:
    assert "<a" not in render("See README.md and notes.zip, or ask ada@example.org")


def test_a_link_that_is_relative_leads_nowhere() -> None:
    assert "href" not in render("[out](/logout)")


def test_code_is_coloured_and_names_its_language() -> None:
    made = render("```python\ndef f():\n    return 1\n```")
    assert '<div class="code-block"><p class="code-head">python</p><pre><code>' in made
    assert '<span class="k">def</span>' in made


def test_code_of_no_known_language_is_kept_as_it_is() -> None:
    made = render("```martian\n<a> & b\n```\n\n    indented\n")
    assert "&lt;a&gt; &amp; b\n" in made
    assert "indented\n" in made


def test_leading_blank_lines_of_code_stay() -> None:
    assert "<code>\n\n" in render("```python\n\n\nx = 1\n```").replace('<span class="w">', "")


def test_boxes_of_a_task_list_are_shown() -> None:
    made = render("- [ ] buy milk\n- [x] pay rent\n\n[ ] not a list")
    assert "<li>☐ buy milk</li>" in made
    assert "<li>☑ pay rent</li>" in made
    assert "[ ] not a list" in made


def test_pictures_from_elsewhere_are_not_loaded() -> None:
    assert "<img" not in render("![x](https://tracker.example/pixel.png)")


def split_stable(text: str) -> tuple[str, str]:
    closed, _, _ = render_growing(text)
    return text[:closed], text[closed:]


@settings(deadline=None)
@given(HOSTILE)
def test_both_halves_make_the_whole(text: str) -> None:
    finished, tail = split_stable(text)
    assert finished + tail == text


@settings(deadline=None)
@given(st.text(alphabet="ab*-#`|> \n\r\x0b\u2028\t1.", max_size=80))
def test_both_halves_make_the_whole_of_any_text(text: str) -> None:
    finished, tail = split_stable(text)
    assert finished + tail == text


@settings(deadline=None)
@given(HOSTILE)
def test_what_is_told_block_by_block_is_harmless_and_complete(text: str) -> None:
    told, tail, finished_so_far = "", "", ""
    for at in range(0, len(text), 7):
        tail += text[at : at + 7]
        closed, html, end = render_growing(tail)
        assert_harmless(end)
        told += html
        finished_so_far, tail = finished_so_far + tail[:closed], tail[closed:]
    assert finished_so_far + tail == text
    assert_harmless(told)


def test_a_finished_paragraph_is_stable_and_the_next_is_not() -> None:
    assert split_stable("One.\n\nTw") == ("One.\n\n", "Tw")
    assert split_stable("One.\n\n") == ("", "One.\n\n")
    assert split_stable("One.\nstill one") == ("", "One.\nstill one")


@pytest.mark.parametrize(
    "unfinished",
    [
        "```python\nx = 1\n\n\ny = 2\n",
        "- a\n\n- b\n\n  inside\n\n",
        "1. a\n\n2. b\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n",
        "> said\n\n",
        "~~~\n\n- a\n\n# b\n",
    ],
)
def test_code_lists_and_tables_are_never_cut(unfinished: str) -> None:
    assert split_stable("Before.\n\n" + unfinished) == ("Before.\n\n", unfinished)


def test_line_breaks_of_a_poem_stay() -> None:
    poem = "Roses are red,\nViolets are blue,\n**Sugar** is sweet"
    assert render(poem).count("<br>") == 2
    assert render("- one\n  and more\n- two").count("<br>") == 1


def test_code_is_not_coloured_when_there_is_no_time_for_it() -> None:
    made = render("```python\nx = 1\n```", has_colours=False)
    assert "<code>x = 1\n</code>" in made


def test_code_without_colours_is_shown_as_it_is() -> None:
    made = render("```html\n<b>x</b>\n```", has_colours=False)
    assert "<code>&lt;b&gt;x&lt;/b&gt;\n</code>" in made


def test_a_language_that_is_not_on_the_list_is_plain() -> None:
    assert "<code>`x`\n</code>" in render("```janet\n`x`\n```")


def test_blocks_told_one_by_one_look_like_the_whole() -> None:
    text = (
        "# Plan\n\nFirst *this*.\n\n- a\n- b\n\n```sh\nls\n\npwd\n```\n\n| a |\n|-|\n| 1 |\n\nEnd."
    )
    told, tail = "", ""
    for character in text:
        closed, html, _ = render_growing(tail + character)
        told, tail = told + html, (tail + character)[closed:]
    told += render(tail)
    assert told == render(text)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("Before:\n-", "<p>Before:</p>\n"),
        ("Before:\n3.", "<p>Before:</p>\n"),
        ("- a\n  -", "<ul>\n<li>a</li>\n</ul>\n"),
        ("Before\n| a | b", "<p>Before</p>\n"),
        ("##", ""),
        ("Before\n``", "<p>Before</p>\n"),
    ],
)
def test_what_has_just_begun_is_not_taken_for_something_else(text: str, end: str) -> None:
    assert render_growing(text) == (0, "", end)


def test_code_that_has_no_end_yet_looks_as_it_will() -> None:
    _, _, end = render_growing("```python\nx = 1\n")
    assert end == render("```python\nx = 1\n```")
