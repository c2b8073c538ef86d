"""A browser's end of the live stream: it shows what the events say, as the page's script does."""

import json
import re
from collections.abc import Iterator
from html import escape, unescape
from typing import Any

from werkzeug.test import TestResponse

from tests.webapp.browser import Browser

RUN = re.compile(r'<article id="job-([^"]+)"(.*?)>(.*?)</article>', re.DOTALL)
BLOCKS = re.compile(r'<div class="answer" data-blocks>(.*?)</div>\s*<div class="answer tail"', re.S)
TAIL = re.compile(r"data-tail>(.*?)</div>", re.DOTALL)


class Shown:
    """An answer on the screen."""

    def __init__(self, attributes: str, inside: str) -> None:
        blocks, tail = BLOCKS.search(inside), TAIL.search(inside)
        self.state = _attribute(attributes, "state")
        self.attempt = int(_attribute(attributes, "attempt"))
        self.html = blocks[1] if blocks else ""
        self.end = tail[1] if tail else ""
        self.inside = unescape(inside)

    @property
    def tail(self) -> str:
        """The words of the unfinished end."""
        return unescape(re.sub(r"<[^>]*>", "", self.end)).strip("\n")

    @property
    def whole(self) -> str:
        """All of the answer as HTML, as far as it matters."""
        return as_it_matters(self.html + self.end)


def as_it_matters(html: str) -> str:
    """Leave out spaces that nobody sees."""
    return re.sub(r"\s*(</?(?:p|div)[^>]*>)\s*", r"\1", html).strip()


class Screen:
    """What a person sees of a conversation; it outlives cuts of the stream."""

    def __init__(self) -> None:
        self.jobs: dict[str, Shown] = {}
        self.cursor = ""

    def take(self, kind: str, data: str, cursor: str) -> None:
        self.cursor = cursor or self.cursor
        if kind == "exchange":
            for job, attributes, inside in RUN.findall(data):
                self.jobs[job] = Shown(attributes, inside)
        elif kind in ("text", "answer", "tool", "thought"):
            told: dict[str, Any] = json.loads(data)
            shown = self.jobs.get(told["job"])
            if shown is not None and shown.attempt == told["attempt"]:
                _add(shown, kind, told)


class Stream:
    """One connection, read step by step."""

    def __init__(
        self, browser: Browser, path: str, screen: Screen, *, resumes: bool = True
    ) -> None:
        headers = {"Accept": "text/event-stream"}
        if screen.cursor and resumes:
            headers["Last-Event-ID"] = screen.cursor
        self.screen = screen
        self.answer: TestResponse = browser.get(path, headers=headers, buffered=False)
        self._frames = self._read()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()

    def until(self, kind: str) -> str:
        """Read on to the next event of this kind, and return its data."""
        for heard, data in self._frames:
            if heard == kind:
                return data
        raise AssertionError(f"the stream ended before {kind!r}")

    def next(self) -> tuple[str, str]:
        """Read one event."""
        return next(self._frames)

    def ends(self) -> bool:
        """Read to the end."""
        return all(True for _ in self._frames)

    def kinds(self) -> list[str]:
        """Read to the end, and return what kinds of events there were."""
        return [kind for kind, _ in self._frames]

    def _read(self) -> Iterator[tuple[str, str]]:
        waiting = ""
        for chunk in self.answer.iter_encoded():
            waiting += chunk.decode()
            while "\n\n" in waiting:
                frame, waiting = waiting.split("\n\n", 1)
                event = _parse(frame)
                if event is not None:
                    self.screen.take(*event)
                    yield event[0], event[1]


def _parse(frame: str) -> tuple[str, str, str] | None:
    fields: dict[str, list[str]] = {}
    for line in frame.split("\n"):
        name, _, value = line.partition(": ")
        fields.setdefault(name.rstrip(":"), []).append(value)
    if "event" not in fields:
        return None
    return fields["event"][0], "\n".join(fields["data"]), fields.get("id", [""])[0]


def _add(shown: Shown, kind: str, told: dict[str, Any]) -> None:
    if kind == "text":
        before, closes, after = (shown.end or "<p></p>").rpartition("</p>")
        shown.end = before + escape(told["text"], quote=False) + closes + after
        shown.state = "writing"
    elif kind == "answer":
        shown.html += told["html"]
        shown.end = told["tail"]
        shown.state = "writing"
    else:
        shown.state = "working"
        shown.inside = told["words"]


def _attribute(attributes: str, name: str) -> str:
    found = re.search(rf'data-{name}="([^"]*)"', attributes)
    assert found
    return found[1]
