"""Answers as HTML, made by helpers: coloured, or plain when that takes too long."""

from html import unescape
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.untrusted.test_markdown import assert_harmless
from untrusted import rendering
from untrusted.helper import Failed
from untrusted.inside import markdown

JOB = UUID(int=1)
POEM = "Roses are red,\nViolets are blue,\n\nSugar <is> sweet"
# There is no time for all of its colours.
MUCH_CODE = "*See:*\n\n" + ("```python\n" + "x = (1)\n" * 1_500 + "```\n\n") * 20
# What begins blocks, and what may stand in a line.
ANYTHING = st.one_of(
    st.sampled_from(" -+>#=:.)(12a\"'!?,;{}$%^ÄÅ漢🙂\u2028\u200d"), st.characters(codec="utf-8")
)
# What no renderer ends in time.
ENDLESS = "a\n" * 1_000_000


def test_a_helper_renders_as_the_renderer_does() -> None:
    text = "# Plan\n\nFirst *this*.\n\n```python\nx = 1\n```\n\n| a |\n|-|\n| 1 |\n\nEnd. 🙂"
    assert rendering.render(text, job_id=JOB) == markdown.render(text)


@pytest.mark.parametrize("text", ["", "\n \n", "\ud800", "\0", "\r\n\r\n"])
def test_odd_texts_raise_nothing(text: str) -> None:
    assert_harmless(rendering.render(text, job_id=JOB))
    made = rendering.advance(text, job_id=JOB)
    assert (made.closed, made.html) == (0, "")
    assert_harmless(made.tail)


def test_all_code_of_an_answer_shares_a_time_and_is_plain_afterwards() -> None:
    with capture_logs() as lines:
        made = rendering.render(MUCH_CODE, job_id=JOB)
    assert lines == []
    assert "<em>See:</em>" in made
    blocks = made.split('<p class="code-head">python</p>')[1:]
    assert len(blocks) == 20
    assert "<span" in blocks[0]
    assert "<span" not in blocks[-1]


def test_without_time_code_is_not_coloured() -> None:
    made = rendering.render("*a*\n\n```python\nx = 1\n```", job_id=JOB, has_time=False)
    assert "<em>a</em>" in made
    assert "<code>x = 1\n</code>" in made


def test_what_cannot_be_rendered_is_shown_as_it_is_and_logged_without_words() -> None:
    with capture_logs() as lines:
        made = rendering.render(ENDLESS, job_id=JOB)
    assert made.startswith("<p>a<br>\na<br>\n")
    assert_harmless(made[:2_000] + "</p>")
    (line,) = [line for line in lines if line["event"] == "render.failed"]
    assert line["job_id"] == str(JOB)
    assert "a\\n" not in str(line)


def test_plain_text_is_paragraphs_with_their_line_breaks() -> None:
    assert rendering.plain(POEM) == (
        "<p>Roses are red,<br>\nViolets are blue,</p>\n<p>Sugar &lt;is&gt; sweet</p>\n"
    )
    assert rendering.plain("<script>\r\n\r\n\r\n&") == "<p>&lt;script&gt;</p>\n<p>&amp;</p>\n"


def test_an_answer_grows_block_by_block() -> None:
    grown = rendering.Growing(6, "<p>One.</p>\n", "<p><em>Two</em></p>\n")
    assert rendering.advance("One.\n\n*Two*", job_id=JOB) == grown
    poem = rendering.Growing(0, "", "<p>One.<br>\nstill</p>\n")
    assert rendering.advance("One.\nstill", job_id=JOB) == poem
    # Where words may go on, a space at the end is kept.
    spaced = rendering.Growing(3, "<p>🙂</p>\n", "<p>🙂 </p>\n")
    assert rendering.advance("🙂\n\n🙂 ", job_id=JOB) == spaced


def _without_spaces(html: str) -> str:
    return "".join(unescape(html).split())


@settings(deadline=None, max_examples=1000)
@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from(" -+>#=:.)(12a\"'!?,;{}$%^ÄÅ漢🙂\u2028\u200d"), st.characters()
        )
    )
)
def test_prose_needs_no_renderer(text: str) -> None:
    if rendering.PROSE.fullmatch(text):
        # But for spaces, and for what is written as it is or by name.
        drawn, written = markdown.render(text), rendering.paragraph(text)
        assert _without_spaces(drawn) == _without_spaces(written)


def test_growing_fails_rather_than_being_late() -> None:
    with pytest.raises(Failed):
        rendering.advance("a\n\n" + ENDLESS, job_id=JOB)
