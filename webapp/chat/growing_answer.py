"""Answers that are still being written, as HTML: each piece is rendered once for all who watch.

A worker publishes Markdown. A stream collects it and has the end of the answer rendered again at
most every so often: the blocks that can no longer change, once, and the unfinished last one. What
that costs in a second is bounded however long the answer or its last block grows.
"""

import threading
import time
from dataclasses import dataclass
from uuid import UUID

import structlog
from cachetools import LRUCache, TTLCache, cached

from untrusted import rendering
from untrusted.helper import Failed

log = structlog.get_logger()

# So often the end of an answer is rendered; one longer than so many characters less often.
INTERVAL_SECONDS = 0.15
CHARS_AN_INTERVAL = 4096
# Of the latest renderings, and of the attempts that cannot be rendered.
KEPT_CHARS = 8 * 1024 * 1024
KEPT_ATTEMPTS = 10_000
KEPT_SECONDS = 3600
# The paragraph of what cannot be rendered (assets/chat.css).
PLAIN = "plain-text"


@dataclass(frozen=True)
class Rendered:
    """The end of an answer: its first `closed` characters are blocks that stay, `html` is theirs.

    `tail` is the HTML of the rest. If that is plain text, all that follows will be, too. A rough
    one is not known to be what the renderer makes of the rest.
    """

    closed: int = 0
    html: str = ""
    tail: str = ""
    is_plain: bool = False
    is_rough: bool = False


_plain_attempts: TTLCache[tuple[UUID, int], bool, float] = TTLCache(
    KEPT_ATTEMPTS, KEPT_SECONDS, time.monotonic
)
_renderings: LRUCache[tuple[UUID, int, int, int], Rendered] = LRUCache(
    KEPT_CHARS, getsizeof=lambda one: len(one.html) + len(one.tail) + 1
)


def _place(job_id: UUID, attempt: int, start: int, text: str) -> tuple[UUID, int, int, int]:
    # What stands between two places of an attempt is always the same.
    return job_id, attempt, start, len(text)


# Of those who ask for the same at the same time one renders, and the others wait for it.
@cached(_renderings, key=_place, condition=threading.Condition())
def render(job_id: UUID, attempt: int, _start: int, text: str) -> Rendered:
    """Render what an attempt has written from character `_start` on; it raises nothing."""
    if (job_id, attempt) not in _plain_attempts:
        try:
            made = rendering.advance(text, job_id=job_id)
            return Rendered(made.closed, made.html, made.tail)
        except Failed as failure:
            log.warning("render.failed", job_id=str(job_id), why=str(failure))
            if failure.why == "busy":
                # It is not the answer's fault: with its next words it is tried again.
                return Rendered(0, "", rendering.paragraph(text, PLAIN), is_rough=True)
    _plain_attempts[job_id, attempt] = True
    return Rendered(0, "", rendering.paragraph(text, PLAIN), is_plain=True)


class GrowingAnswer:
    """An attempt's answer as one browser has it, and what the browser is still to be sent."""

    def __init__(self, job_id: UUID, attempt: int, text: str, shown: Rendered) -> None:
        self.job_id, self._attempt = job_id, attempt
        # Characters whose blocks the browser has for good, and what follows them.
        self.closed = shown.closed
        self._tail = [text[shown.closed :]]
        self.length = len(text)
        self._is_waiting = False
        self._settle(shown)
        # What comes first is shown at once.
        self._next_at = 0.0

    def add(self, text: str) -> bool:
        """Take more of the answer; tell whether a browser may just append it to what it has."""
        is_first = self.length == self.closed
        self.length += len(text)
        if self._is_plain:
            return True
        self._tail.append(text)
        pattern = rendering.PROSE if is_first else rendering.INERT
        if self._is_prose and not self._is_waiting and pattern.fullmatch(text):
            return True
        self._is_waiting = True
        return False

    def wait_seconds(self) -> float | None:
        """Return how long the next rendering should wait; None if there is nothing new."""
        return max(self._next_at - time.monotonic(), 0) if self._is_waiting else None

    def render(self) -> Rendered:
        """Render what is new, for the browser to show in place of the end that it has."""
        tail = "".join(self._tail)
        made = render(self.job_id, self._attempt, self.closed, tail)
        self.closed += made.closed
        self._tail = [tail[made.closed :]]
        self._is_waiting = False
        self._settle(made)
        return made

    def _settle(self, shown: Rendered) -> None:
        tail = self._tail[0]
        self._is_plain = shown.is_plain
        self._is_prose = not shown.is_rough and rendering.PROSE.fullmatch(tail) is not None
        share = max(1.0, len(tail) / CHARS_AN_INTERVAL)
        self._next_at = time.monotonic() + INTERVAL_SECONDS * share
