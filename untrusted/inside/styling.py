"""Markdown from a model as styled text, for channels that show no HTML.

It walks through the tokens of the parser that makes the web's HTML, so that an answer says the same
on both. What such a channel has no look for is drawn in characters: lists, rules, tables.
"""

from collections.abc import Sequence
from typing import cast, get_args

from markdown_it.token import Token

from untrusted.inside.markdown import LANGUAGE_MAX_CHARS, parse
from untrusted.inside.styled_writer import Writer
from untrusted.inside.tables import Alignment, lay_out
from untrusted.styled_text import Look, StyledText

RULE = "──────────"
BOXES = ("☐ ", "☑ ")
TAB_COLUMNS = 4
# What a phone shows in one line in letters of one width; a wider table becomes lines.
TABLE_COLUMNS = 42
LOOKS = {"strong": Look.BOLD, "em": Look.ITALIC, "s": Look.STRIKE, "link": Look.LINK}
WEB = ("https://", "http://")
LIST_ENDS = {"bullet_list_close", "ordered_list_close"}
CELLS = {"th_open", "td_open"}

Cell = Sequence[Token]


def style(text: str, *, is_growing: bool = False) -> StyledText:
    """Make styled text of Markdown, leaving out the beginning of a block that is still growing."""
    return _Walk(parse(text, is_growing=is_growing)).styled()


class _Walk:
    """One walk through the tokens of a text."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._writer = Writer()
        # Of the table that is being read.
        self._alignments: list[Alignment] = []
        self._rows: list[list[Cell]] = []

    def styled(self) -> StyledText:
        for at, token in enumerate(self._tokens):
            self._take(at, token)
        return self._writer.finish()

    def _take(self, at: int, token: Token) -> None:
        match token.type:
            case "inline":
                self._take_inline(at, token.children or [])
            case "bullet_list_open":
                self._writer.open_list(first_number=None, is_tight=self._is_tight(at))
            case "ordered_list_open":
                first = int(token.attrs.get("start", 1))
                self._writer.open_list(first_number=first, is_tight=self._is_tight(at))
            case "list_item_open":
                self._writer.open_item()
            case "list_item_close":
                self._writer.write_marks()
            case "blockquote_open":
                self._writer.open_quote()
            case "blockquote_close" | "bullet_list_close" | "ordered_list_close":
                self._writer.close()
            case _:
                self._take_block(token)

    def _take_block(self, token: Token) -> None:
        match token.type:
            case "fence" | "code_block":
                language = (token.info.split() or [""])[0][:LANGUAGE_MAX_CHARS]
                self._write_pre(token.content.rstrip("\n").expandtabs(TAB_COLUMNS), language)
            case "hr":
                self._writer.begin()
                self._writer.put(RULE)
            case "table_open":
                self._alignments, self._rows = [], []
            case "tr_open":
                self._rows.append([])
            case "th_open":
                self._alignments.append(_alignment(token))
            case "table_close":
                self._write_table()
            case _:
                """Paragraphs and headings are written with what is in them."""

    def _take_inline(self, at: int, children: Sequence[Token]) -> None:
        within = self._tokens[at - 1].type
        if within in CELLS:
            self._rows[-1].append(children)
            return
        if children and children[0].content.startswith(BOXES):
            self._writer.drop_bullet()
        self._writer.begin()
        start = self._writer.length
        self._write_inline(children)
        if within == "heading_open":
            self._writer.span(Look.HEADING, start)

    def _is_tight(self, at: int) -> bool:
        """Whether no blank lines are between the items of the list that a token opens."""
        level = self._tokens[at].level
        for later in range(at + 1, len(self._tokens)):
            token = self._tokens[later]
            if token.type == "paragraph_open" and token.level == level + 2:
                return token.hidden
            if token.type in LIST_ENDS and token.level == level:
                break
        return True

    def _write_inline(self, children: Sequence[Token]) -> None:
        writer, begun = self._writer, list[tuple[int, str]]()
        for token in children:
            name, _, side = token.type.rpartition("_")
            if side == "open":
                begun.append((writer.length, str(token.attrs.get("href", ""))))
            elif side == "close":
                start, address = begun.pop()
                if start == writer.length and address.startswith(WEB):
                    # It would lead there, and there would be nothing to press.
                    writer.put(address)
                writer.span(LOOKS[name], start, address)
            elif token.type in {"softbreak", "hardbreak"}:
                writer.break_line()
            else:
                start = writer.length
                writer.put(token.content)
                if token.type == "code_inline":
                    writer.span(Look.CODE, start)

    def _write_pre(self, lines: str, language: str = "") -> None:
        if lines.strip():
            self._writer.begin_pre()
            start = self._writer.length
            self._writer.put(lines)
            self._writer.span(Look.PRE, start, language)

    def _write_table(self) -> None:
        rows = [[_plain(cell) for cell in row] for row in self._rows]
        # Letters of one width have no room for links.
        has_links = any(_has_links(cell) for row in self._rows for cell in row)
        drawn = None if has_links else lay_out(rows, self._alignments, most_columns=TABLE_COLUMNS)
        if drawn is None:
            self._write_records()
        else:
            self._write_pre(drawn)

    def _write_records(self) -> None:
        """Write each row of a table as lines: what the column is called, and what is in the row."""
        head, *body = self._rows
        nothing: list[Cell] = [()] * len(head)
        for number, row in enumerate(body or [nothing]):
            if number:
                self._writer.leave_blank_line()
            self._writer.begin()
            for at, (name, cell) in enumerate(zip(head, row, strict=True)):
                if at:
                    self._writer.break_line()
                self._write_field(name, cell)

    def _write_field(self, name: Cell, cell: Cell) -> None:
        start = self._writer.length
        self._write_inline(name)
        if self._writer.length > start:
            self._writer.put(":")
            self._writer.span(Look.BOLD, start)
            self._writer.put(" ")
        self._write_inline(cell)


def _alignment(token: Token) -> Alignment:
    named = str(token.attrs.get("align"))
    return cast(Alignment, named) if named in get_args(Alignment) else "left"


def _plain(cell: Cell) -> str:
    return "".join(token.content for token in cell)


def _has_links(cell: Cell) -> bool:
    """Whether a cell leads somewhere that it does not say."""
    return any(token.type == "link_open" and not token.markup for token in cell)
