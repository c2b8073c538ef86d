"""Markdown from a model, made into HTML that is safe to show.

Two walls: the parser passes no HTML through, and the result is cleaned against a list of what may
stay. Rendering happens once, when a text is written, never while a page is drawn.
"""

import html
import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import (
    get_lexer_by_name,  # pyright: ignore[reportUnknownVariableType]
)
from pygments.util import ClassNotFound

# Highlighting takes time in proportion; a longer block is shown plain.
HIGHLIGHT_MAX_CHARS = 20_000
TEXT_TAGS = {"a", "br", "code", "del", "em", "s", "span", "strong"}
BLOCK_TAGS = {"blockquote", "hr", "li", "ol", "p", "pre", "ul"}
HEADING_TAGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
TABLE_TAGS = {"table", "tbody", "td", "th", "thead", "tr"}
ALLOWED_TAGS = TEXT_TAGS | BLOCK_TAGS | HEADING_TAGS | TABLE_TAGS
# Lines as the parser counts them.
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
ALLOWED_ATTRIBUTES = {
    "a": {"href", "title", "target"},
    "code": {"class"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"style"},
    "th": {"style"},
}


def render(text: str) -> str:
    """Make safe HTML of a whole Markdown text."""
    return _clean(_parser().render(text))


def split_stable(text: str) -> tuple[str, str]:
    """Split a growing text into the blocks that can no longer change, and the rest.

    The last block is never stable: a list, a table or a paragraph may go on with the next word.
    """
    if "\n" not in text:
        return "", text
    starts = [
        token.map[0] for token in _block_parser().parse(text) if token.level == 0 and token.map
    ]
    if not starts or starts[-1] == 0:
        return "", text
    lines = LINE.findall(text)
    at = starts[-1]
    # A heading's underline or a list's next item may still reclaim what has no blank line between.
    if at > len(lines) or lines[at - 1].strip():
        return "", text
    return "".join(lines[:at]), "".join(lines[at:])


def _clean(unsafe: str) -> str:
    return nh3.clean(
        unsafe,
        tags=ALLOWED_TAGS,
        attributes=ALLOWED_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        filter_style_properties={"text-align"},
    )


@lru_cache(maxsize=1)
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(nowrap=True)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": True, "highlight": _highlight}
    # Pictures from elsewhere would tell their server who reads them.
    return MarkdownIt("gfm-like", options).disable("image")


@lru_cache(maxsize=1)
def _block_parser() -> MarkdownIt:
    # Where blocks begin does not depend on what is in their lines.
    return MarkdownIt("gfm-like").disable(["inline", "linkify"])


def _highlight(code: str, language: str, _: str) -> str:
    if not language or len(code) > HIGHLIGHT_MAX_CHARS:
        return html.escape(code)
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return html.escape(code)
    return str(highlight(code, lexer, _formatter()))
