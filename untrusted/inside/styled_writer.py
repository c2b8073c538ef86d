"""Writes styled text block by block: the gaps between blocks, and what their lines begin with."""

from dataclasses import dataclass

from untrusted.styled_text import Look, Span, StyledText

BULLETS = "•◦▪"
INDENT = "    "
# Of a quote within a quote; the outer one has a look of its own.
QUOTE_MARK = "> "


@dataclass
class _Container:
    """A list or a quote that is open."""

    # What a line within it begins with.
    prefix: str
    is_quote: bool = False
    # Whether what is in it stands without blank lines in between.
    is_tight: bool = False
    # The next number of an ordered list; None for bullets.
    number: int | None = None
    bullet: str = ""
    # Of an item that has no line yet.
    mark: str | None = None
    # Where an outer quote begins; None as long as nothing of it is written.
    start: int | None = None


class Writer:
    """A styled text in the making."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self.length = 0
        self._spans: list[Span] = []
        self._containers: list[_Container] = []
        # What is due before the next block, when it is not what the next block's place asks for.
        self._gap: str | None = None

    def finish(self) -> StyledText:
        """Return what was written."""
        # Of two with the same ends the outer one was closed last.
        self._spans.reverse()
        self._spans.sort(key=lambda span: (span.start, -span.end))
        return StyledText("".join(self._pieces), tuple(self._spans))

    def open_list(self, *, first_number: int | None, is_tight: bool) -> None:
        """Open a list, of bullets if it has no first number."""
        self._keep_gap()
        depth = sum(not one.is_quote for one in self._containers)
        bullet = BULLETS[min(depth, len(BULLETS) - 1)]
        one = _Container(INDENT, is_tight=is_tight, number=first_number, bullet=bullet)
        self._containers.append(one)

    def open_item(self) -> None:
        """Open an item of the innermost list; its mark stands before its first line."""
        items = self._containers[-1]
        if items.number is None:
            items.mark = f"{items.bullet} "
        else:
            items.mark = f"{items.number}. "
            items.number += 1

    def drop_bullet(self) -> None:
        """Leave out the bullet of an item that brings a mark of its own."""
        items = self._containers[-1] if self._containers else None
        if items and items.mark is not None and items.number is None:
            items.mark = ""

    def open_quote(self) -> None:
        """Open a quote: the outermost one is a span, those within have a mark before each line."""
        is_outer = not any(one.is_quote for one in self._containers)
        if is_outer:
            self.write_marks()
        self._keep_gap()
        self._containers.append(_Container("" if is_outer else QUOTE_MARK, is_quote=True))

    def close(self) -> None:
        """Close the innermost list or quote."""
        closed = self._containers.pop()
        if closed.start is not None:
            self.span(Look.QUOTE, closed.start)

    def write_marks(self) -> None:
        """Give the marks that wait for a line one of their own."""
        if any(one.mark is not None for one in self._containers):
            self.begin()
            self._gap = "\n"

    def begin(self) -> None:
        """Begin a block of lines."""
        self._begin_alone()
        self.put(self._prefix())
        for one in self._containers:
            one.mark = None

    def begin_pre(self) -> None:
        """Begin a block that keeps its lines as they are, at the edge."""
        self.write_marks()
        self._begin_alone()

    def leave_blank_line(self) -> None:
        """See to it that a blank line stands before the next block."""
        self._gap = "\n\n"

    def break_line(self) -> None:
        """Go on in a new line of the same block."""
        self.put("\n" + self._prefix())

    def put(self, text: str) -> None:
        """Write a piece of a line."""
        self._pieces.append(text)
        self.length += len(text)

    def span(self, look: Look, start: int, argument: str = "") -> None:
        """Give all from `start` on a look."""
        if start < self.length:
            self._spans.append(Span(look, start, self.length, argument))

    def _begin_alone(self) -> None:
        if self.length:
            self.put(self._due_gap() if self._gap is None else self._gap)
        self._gap = None
        for one in self._containers:
            if one.is_quote and not one.prefix and one.start is None:
                one.start = self.length

    def _keep_gap(self) -> None:
        """Let the gap before a container be that of the place where it stands."""
        if self._gap is None:
            self._gap = self._due_gap()

    def _due_gap(self) -> str:
        return "\n" if self._containers and self._containers[-1].is_tight else "\n\n"

    def _prefix(self) -> str:
        quotes = (at for at, one in enumerate(self._containers) if one.is_quote)
        # A quote stands at the edge, whatever it is in.
        inside = self._containers[next(quotes, 0) :]
        return "".join(one.prefix if one.mark is None else one.mark for one in inside)
