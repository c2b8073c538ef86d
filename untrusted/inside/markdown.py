"""Markdown from a model, made into HTML that is safe to show.

Two walls: the parser passes no HTML through, and the result is cleaned against a list of what may
stay. Rendering happens once, when a text is written, never while a page is drawn. The product calls
it through `untrusted.rendering`.
"""

import html
import re
from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from untrusted.inside.highlighting import Ink

LANGUAGE_MAX_CHARS = 24
ALLOWED_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "div", "pre"),
    *("a", "code", "em", "s", "span", "strong"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
ALLOWED_ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "span": {"class"},
    "td": {"align"},
    "th": {"align"},
}
# The line ends that the parser knows; Python's own splitlines knows more.
LINES = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")
# "[ ] " and "[x] " at the start of a list item.
TASK = re.compile(r"\[([ xX])\] ")
# The mark of a list, a heading, a rule or a fence, with nothing after it yet.
MARK = re.compile(r"[-=+*#_`~]+|\d{1,9}[.)]?")
ITEM_OPENS = ["list_item_open", "paragraph_open"]


def render(text: str, *, has_colours: bool = True) -> str:
    """Make safe HTML of a whole Markdown text."""
    ink = Ink() if has_colours else None
    return clean(_parser().render(text, {"ink": ink}))


def clean(made: str) -> str:
    """Leave of HTML what may be shown, whatever the parser let through: the second wall."""
    return _cleaner().clean(made)


def parse(text: str, *, is_growing: bool = False) -> Sequence[Token]:
    """Return the tokens of a Markdown text, of which the HTML is made too."""
    return _parser().parse(_without_beginning(text) if is_growing else text, {})


def render_growing(text: str) -> tuple[int, str, str]:
    """Render a text that is still being written.

    Return how many of its characters are blocks that can no longer change, the safe HTML of these,
    and that of the rest, which is to be rendered again with what follows.
    """
    env: MutableMapping[str, Any] = {"ink": Ink()}
    tokens = _parser().parse(_without_beginning(text), env)
    lines = LINES.findall(text)
    at, line = _last_block(tokens)
    # A heading's underline or a list's next item may still reclaim what has no blank line between.
    if not 0 < line < len(lines) or lines[line - 1].strip():
        at = line = 0
    closed = sum(map(len, lines[:line]))
    return closed, _clean(tokens[:at], env), _clean(tokens[at:], env)


def _without_beginning(text: str) -> str:
    """Leave out a last line that may yet become a list, a heading, a rule or a row of a table.

    As it stands it would be taken for something else, and flicker.
    """
    before, end, last = text.rpartition("\n")
    begun = last.strip(" \t>")
    is_cell = begun.startswith("|") and not begun[1:].endswith("|")
    return before + end if is_cell or MARK.fullmatch(begun) else text


def _last_block(tokens: Sequence[Token]) -> tuple[int, int]:
    """Return which token begins the last block, and the line where it begins."""
    starts = [(at, one.map[0]) for at, one in enumerate(tokens) if one.level == 0 and one.map]
    return starts[-1] if starts else (0, 0)


def _clean(tokens: Sequence[Token], env: MutableMapping[str, Any]) -> str:
    parser = _parser()
    return _cleaner().clean(parser.renderer.render(list(tokens), parser.options, env))


@lru_cache(maxsize=1)
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=ALLOWED_TAGS,
        attributes=ALLOWED_ATTRIBUTES,
        allowed_classes={"div": {"code-block"}, "p": {"code-head"}},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # Pictures from elsewhere would tell their server who reads them.
    # A line break that somebody wrote is one: poems and addresses have them.
    rules = {"html": False, "linkify": True, "breaks": True}
    parser = MarkdownIt("gfm-like", rules).disable("image")
    if parser.linkify is not None:
        # Only what has a scheme is a link: README.md is a file, not a host.
        names_alone = {"fuzzy_link": False, "fuzzy_email": False}
        parser.linkify.set(names_alone)  # pyright: ignore[reportUnknownMemberType]
    parser.core.ruler.before("text_join", "images", _link_images)
    parser.core.ruler.push("tasks", _mark_tasks)
    parser.core.ruler.push("alignment", _align_without_style)
    parser.add_render_rule("fence", _show_fence)
    parser.add_render_rule("code_block", _show_fence)
    return parser


def _link_images(state: StateCore) -> None:
    """Leave nothing of a picture but the link to it: its mark would stand there as a character."""
    for token in state.tokens:
        for mark, link in pairwise(token.children or []):
            is_link = link.type == "link_open" and not link.markup
            if is_link and mark.type == "text" and mark.content.endswith("!"):
                mark.content = mark.content[:-1]


def _mark_tasks(state: StateCore) -> None:
    """Show the boxes of task lists as characters: they are for reading, not for ticking."""
    for index, token in enumerate(state.tokens):
        if token.type != "inline" or not token.children:
            continue
        if [before.type for before in state.tokens[index - 2 : index]] != ITEM_OPENS:
            continue
        first = token.children[0]
        box = TASK.match(first.content)
        if box:
            mark = "☐ " if box[1] == " " else "☑ "
            first.content = mark + first.content[box.end() :]


def _align_without_style(state: StateCore) -> None:
    """Name a cell's alignment by an attribute: pages of ours allow no inline styles."""
    for token in state.tokens:
        style = token.attrs.pop("style", None)
        if isinstance(style, str):
            token.attrs["align"] = style.removeprefix("text-align:")


def _show_fence(
    _renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    _options: Any,
    env: MutableMapping[str, Any],
) -> str:
    token = tokens[index]
    language = (token.info.split() or [""])[0][:LANGUAGE_MAX_CHARS]
    ink: Ink | None = env["ink"]
    code = ink.colour(token.content, language) if ink else html.escape(token.content)
    head = f'<p class="code-head">{html.escape(language)}</p>'
    return f'<div class="code-block">{head}<pre><code>{code}</code></pre></div>\n'
