"""Tells everyone who watches how a turn goes on, without ever holding it up."""

import queue
import threading
import time
from dataclasses import dataclass
from uuid import UUID

import redis
import structlog

from gateways.event_streams import Streams
from untrusted import rendering
from untrusted.helper import Failed

log = structlog.get_logger()

# Words that arrive closer together than this are told together.
COALESCE_SECONDS = 0.03


@dataclass(frozen=True)
class _Words:
    text: str


@dataclass(frozen=True)
class _Step:
    kind: str
    data: dict[str, str]


class Teller:
    """Publishes a turn's events from a thread of its own, and keeps the text said so far.

    It is the `Watcher` that a runtime wants: its methods only put the event on a queue.
    """

    def __init__(self, streams: Streams, conversation_id: UUID, job_id: UUID, attempt: int) -> None:
        self._streams = streams
        self._address = (conversation_id, job_id, attempt)
        self._queue: queue.SimpleQueue[_Words | _Step | None] = queue.SimpleQueue()
        self._said: list[str] = []
        self._has_steps = False
        self._tail = ""
        self._is_down = False
        # Whether its blocks could not be rendered, so that all was told as words from then on.
        self.is_plain = False
        self._thread = threading.Thread(target=self._publish, name=f"tell-{job_id}", daemon=True)
        self._thread.start()

    @property
    def job_id(self) -> UUID:
        return self._address[1]

    @property
    def said(self) -> str:
        """All the text so far."""
        return "".join(self._said)

    @property
    def has_shown(self) -> bool:
        """Whether the person has seen anything of the attempt: words, or a tool in use."""
        return self._has_steps or bool(self.said.strip())

    def working(self) -> None:
        """Say that the attempt has begun."""
        self._queue.put(_Step("working", {}))

    def tool(self, name: str) -> None:
        self._has_steps = True
        self._queue.put(_Step("tool", {"name": name}))

    def text(self, delta: str) -> None:
        self._said.append(delta)
        self._queue.put(_Words(delta))

    def close(self) -> None:
        """Publish what is left and end the thread."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def tell(self, kind: str, **data: object) -> None:
        """Publish one event; without Redis it is lost, which the page mends from PostgreSQL."""
        try:
            self._streams.append(*self._address, kind, **data)
        except redis.RedisError as error:
            if not self._is_down:
                log.warning("live.lost", job_id=str(self.job_id), error=str(error))
            self._is_down = True
        else:
            self._is_down = False

    def _publish(self) -> None:
        while (item := self._queue.get()) is not None:
            words = ""
            while item is not None:
                if isinstance(item, _Words):
                    words += item.text
                else:
                    self._tell_words(words)
                    words = ""
                    self.tell(item.kind, **item.data)
                item = self._next_now()
            self._tell_words(words)
            time.sleep(COALESCE_SECONDS)

    def _next_now(self) -> _Words | _Step | None:
        try:
            item = self._queue.get_nowait()
        except queue.Empty:
            return None
        if item is None:
            self._queue.put(None)
        return item

    def _tell_words(self, words: str) -> None:
        if not words:
            return
        html, tail = self._advance(self._tail + words)
        if html:
            self.tell("block", html=html, tail=tail)
        else:
            self.tell("text", text=words)
        self._tail = tail

    def _advance(self, text: str) -> tuple[str, str]:
        """Render the blocks that are finished; once that fails, the rest is told as plain words."""
        if self.is_plain:
            return "", text
        try:
            return rendering.advance(text, job_id=self.job_id)
        except Failed as failure:
            log.warning("render.failed", job_id=str(self.job_id), why=str(failure))
            self.is_plain = True
            return "", text
