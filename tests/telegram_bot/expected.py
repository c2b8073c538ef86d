"""The words that have to arrive, worked out from the HTML that the web shows of the same answer.

It knows nothing of the code under test: it reads the page's elements one by one, and adds what a
messenger draws in characters.
"""

import re
from html.parser import HTMLParser

BULLET, RULE = "•", "──────────"
BULLETS = re.compile("[•◦▪]")
# Rules, the lines of tables, and the marks of quotes within quotes.
DRAWN = re.compile("[─>]")
# What cannot be a link in Telegram, and is told in words.
UNLINKED = re.compile(r"mailto:|https?://(?:localhost|\[|[^/]*@)")

Attributes = dict[str, str | None]


def words_of(html: str, *, has_records: bool = False) -> str:
    """Return the words of a page as `bare` leaves them; of tables as lines if they have to be."""
    reader = _Words(has_records=has_records)
    reader.feed(html)
    reader.close()
    # The box of a task stands in for its bullet.
    return bare(re.sub(rf"{BULLET}(?=[☐☑])", "", "".join(reader.said)))


def bare(text: str) -> str:
    """Leave of a text what has to be the same: no spaces, and nothing that is only drawn."""
    return "".join(DRAWN.sub("", BULLETS.sub(BULLET, text)).split())


class _Words(HTMLParser):
    """Collects the words of a page."""

    def __init__(self, *, has_records: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._has_records = has_records
        self.said: list[str] = []
        self._numbers: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._head: list[str] = []
        self._column = self._rows = self._cell_start = 0
        self._is_language = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        getattr(self, f"_begin_{tag}", _nothing)(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        getattr(self, f"_end_{tag}", _nothing)({})

    def handle_data(self, data: str) -> None:
        if not self._is_language:
            self.said.append(data)

    def _begin_ul(self, _: Attributes) -> None:
        self._numbers.append(None)

    def _begin_ol(self, given: Attributes) -> None:
        self._numbers.append(int(given.get("start") or 1))

    def _end_ul(self, _: Attributes) -> None:
        self._numbers.pop()

    _end_ol = _end_ul

    def _begin_li(self, _: Attributes) -> None:
        number = self._numbers[-1]
        self.said.append(BULLET if number is None else f"{number}.")
        self._numbers[-1] = None if number is None else number + 1

    def _begin_hr(self, _: Attributes) -> None:
        self.said.append(RULE)

    def _begin_p(self, given: Attributes) -> None:
        self._is_language = given.get("class") == "code-head"

    def _end_p(self, _: Attributes) -> None:
        self._is_language = False

    def _begin_a(self, given: Attributes) -> None:
        self._links.append((given.get("href") or "", len(self.said)))

    def _end_a(self, _: Attributes) -> None:
        address, start = self._links.pop()
        words = "".join(self.said[start:])
        if not words and address.startswith("http"):
            self.said.append(address)
        told = address.removeprefix("mailto:").partition("?")[0]
        if words and UNLINKED.match(address) and told not in words:
            self.said.append(f" ({told})")

    def _begin_table(self, _: Attributes) -> None:
        self._head, self._rows = [], 0

    def _end_table(self, _: Attributes) -> None:
        if self._has_records and self._rows == 1:
            self.said += [f"{name}:" for name in self._head]

    def _begin_tr(self, _: Attributes) -> None:
        self._column = 0

    def _end_tr(self, _: Attributes) -> None:
        self._rows += 1

    def _begin_td(self, _: Attributes) -> None:
        self._cell_start = len(self.said)
        name = self._head[self._column] if self._has_records else ""
        self.said.append(f"{name}: " if name else "")
        self._column += 1

    def _begin_th(self, _: Attributes) -> None:
        self._cell_start = len(self.said)

    def _end_th(self, _: Attributes) -> None:
        if self._has_records:
            self._head.append("".join(self.said[self._cell_start :]))
            del self.said[self._cell_start :]


def _nothing(_: Attributes) -> None:
    """An element of which nothing is to be read."""
