"""Publishes how a turn goes on to everyone who watches, without ever holding it up."""

import queue
import threading
import time
from uuid import UUID

import redis
import structlog

from gateways.event_streams import Streams
from gateways.live_events import AttemptBegan, LiveEvent, TextAdded, ThoughtShown, ToolUsed

log = structlog.get_logger()

# Words that arrive closer together than this are published together.
COALESCE_SECONDS = 0.03


class EventPublisher:
    """Publishes a turn's events from a thread of its own, and keeps the text said so far.

    It is the `Watcher` that a runtime wants: its methods only put the event on a queue.
    """

    def __init__(self, streams: Streams, conversation_id: UUID, job_id: UUID, attempt: int) -> None:
        self._streams = streams
        self._address = (conversation_id, job_id, attempt)
        # Text and other events, in their order; None ends the thread.
        self._queue: queue.SimpleQueue[str | LiveEvent | None] = queue.SimpleQueue()
        self._said: list[str] = []
        self._has_steps = False
        # So many characters of the text have been published.
        self._published = 0
        self._is_down = False
        self._thread = threading.Thread(target=self._run, name=f"events-{job_id}", daemon=True)
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
        self._queue.put(AttemptBegan())

    def tool(self, name: str) -> None:
        self._has_steps = True
        self._queue.put(ToolUsed(name))

    def thought(self, words: str) -> None:
        self._queue.put(ThoughtShown(words))

    def text(self, delta: str) -> None:
        self._said.append(delta)
        self._queue.put(delta)

    def close(self) -> None:
        """Publish what is left and end the thread."""
        self._queue.put(None)
        self._thread.join(timeout=10)

    def publish(self, event: LiveEvent) -> None:
        """Publish one event; without Redis it is lost, which the page mends from PostgreSQL."""
        try:
            self._streams.append(*self._address, event)
        except redis.RedisError as error:
            if not self._is_down:
                log.warning("live.lost", job_id=str(self.job_id), error=str(error))
            self._is_down = True
        else:
            self._is_down = False

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            words: list[str] = []
            while item is not None:
                if isinstance(item, str):
                    words.append(item)
                else:
                    self._publish_words(words)
                    words = []
                    self.publish(item)
                item = self._next_now()
            self._publish_words(words)
            time.sleep(COALESCE_SECONDS)

    def _next_now(self) -> str | LiveEvent | None:
        try:
            item = self._queue.get_nowait()
        except queue.Empty:
            return None
        if item is None:
            self._queue.put(None)
        return item

    def _publish_words(self, words: list[str]) -> None:
        text = "".join(words)
        if text:
            self.publish(TextAdded(self._published, text))
            self._published += len(text)
