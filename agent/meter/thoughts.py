"""What a model thinks before it answers, as one short line of it is shown while it lasts."""

import re
import time
from collections.abc import Callable

from agent.quoting import printable

LONGEST_CHARS = 140
# People read no faster.
REST_SECONDS = 0.7
# Of longer thoughts only the end is looked at.
KEPT_CHARS = 2_000
# Some providers give each part of a summary a title.
TITLE = re.compile(r"^\s*\*\*(.+?)\*\*\s*$", re.MULTILINE)
# A sentence that is whole, or a line.
SENTENCE = re.compile(r"[^\n.!?。!?]+(?:[.!?。!?]+(?=\s|$)|(?=\n))")
MARKS = re.compile(r"[*_`#>]+")


class Thoughts:
    """The thoughts of one call; tells `show` what they are about by now, now and then."""

    def __init__(self, show: Callable[[str], object]) -> None:
        self._show = show
        self._text = ""
        self._shown: str = ""
        self._at = float("-inf")

    def add(self, text: str) -> None:
        """Take the next piece."""
        self._text = (self._text + text)[-KEPT_CHARS:]
        now = time.monotonic()
        if now - self._at < REST_SECONDS:
            return
        line = summary(self._text)
        if line and line != self._shown:
            self._shown, self._at = line, now
            self._show(line)


def summary(text: str) -> str:
    """Say in one line what thoughts are about: their last title, or else their last sentence."""
    found: list[str] = TITLE.findall(text) or SENTENCE.findall(text)
    line = printable(" ".join(MARKS.sub("", found[-1]).split())) if found else ""
    return line if len(line) <= LONGEST_CHARS else f"{line[: LONGEST_CHARS - 1].rstrip()}…"
