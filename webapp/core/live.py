"""Live events in this process: one reader of Redis, however many browsers look.

A browser's stream has a `Listener`, a bounded queue that the reader fills. When the reader has
(again) begun to hear a conversation's channel, each of its listeners gets `RESYNC`: whatever was
told before may have been missed. When Redis goes away each gets `DEAF`. Who reads too slowly is
dropped, and comes back by itself.
"""

import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum
from typing import Any, Literal, cast
from uuid import UUID, uuid4

import redis
import structlog
from flask import Flask, current_app

from gateways.event_streams import Event, Streams
from gateways.live_events import LiveEvent
from settings import Settings
from webapp.core.own_stack import on_own_stack

log = structlog.get_logger("live")

# Some thirty seconds of an answer.
QUEUE_LENGTH = 1000
# A wish is heard by a wake-up; should that get lost, after so long.
LOOK_SECONDS = 1.0
RETRY_SECONDS = 0.5


class Signal(Enum):
    RESYNC = "resync"
    DEAF = "deaf"


RESYNC: Literal[Signal.RESYNC] = Signal.RESYNC
DEAF: Literal[Signal.DEAF] = Signal.DEAF


class Listener:
    """What one browser's stream still has to be told."""

    __slots__ = ("_length", "_told", "_waiting", "is_dropped", "is_synced")

    def __init__(self, length: int) -> None:
        # A list and a flag take a third of what the smallest queue does, of which there would be
        # thousands that are empty.
        self._waiting: list[Event | Signal] = []
        self._told = threading.Event()
        self._length = length
        self.is_synced = False
        # Too slow: what it missed is only in the job's stream.
        self.is_dropped = False

    def next(self, timeout_seconds: float) -> Event | Signal | None:
        """Return what was told next, waiting for it; None when nothing came in time."""
        if not self._waiting:
            # Cleared before the second look: what is told in between sets it again.
            self._told.clear()
            if not self._waiting and not self.is_dropped:
                self._told.wait(timeout_seconds)
        return self._waiting.pop(0) if self._waiting else None

    def sync(self) -> None:
        """Say that from here on nothing is missed."""
        self.is_synced = True
        self.offer(RESYNC)

    def deafen(self) -> None:
        """Say that what is told is missed from here on, until `sync`."""
        if self.is_synced:
            self.is_synced = False
            # Whoever follows rests shorter now, since PostgreSQL has to be looked at instead.
            self.offer(DEAF)

    def offer(self, heard: Event | Signal) -> None:
        """Add something, without ever waiting for the browser."""
        if len(self._waiting) < self._length:
            self._waiting.append(heard)
            self._told.set()
        else:
            self.is_dropped = True

    def drop(self) -> None:
        """End the stream, which need not wait for anything to be told."""
        self.is_dropped = True
        self._told.set()


class _Audience:
    """Who listens to which channel, and the channels where that has changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, set[Listener]] = {}
        self.changed: deque[str] = deque()

    def add(self, channel: str, listener: Listener) -> None:
        with self._lock:
            self._listeners.setdefault(channel, set()).add(listener)
        self.changed.append(channel)

    def remove(self, channel: str, listener: Listener) -> None:
        with self._lock:
            left = self._listeners[channel]
            left.discard(listener)
            if not left:
                del self._listeners[channel]
        self.changed.append(channel)

    def of(self, channel: str) -> list[Listener]:
        with self._lock:
            return list(self._listeners.get(channel, ()))

    def channels(self) -> list[str]:
        with self._lock:
            return list(self._listeners)

    def all(self) -> list[Listener]:
        with self._lock:
            return [one for listeners in self._listeners.values() for one in listeners]


class Hub:
    """Hands what is told of conversations to those who look at them."""

    def __init__(self, streams: Streams, queue_length: int = QUEUE_LENGTH) -> None:
        self.streams = streams
        self._queue_length = queue_length
        self._audience = _Audience()
        # Whatever comes on this channel of our own wakes the reader.
        self._wake_channel = f"hub:{uuid4()}"
        self._starting = threading.Lock()
        self._reader: threading.Thread | None = None
        self._over = threading.Event()

    @contextmanager
    def listening(self, conversation_id: UUID) -> Generator[Listener]:
        """Listen to a conversation; `RESYNC` comes as soon as nothing can be missed any more."""
        channel, listener = self.streams.channel(conversation_id), Listener(self._queue_length)
        self._audience.add(channel, listener)
        try:
            if self._over.is_set():
                listener.drop()
            self._start()
            on_own_stack(self._wake_reader)
            yield listener
        finally:
            self._audience.remove(channel, listener)
            self._wake_reader()

    def announce(self, conversation_id: UUID, job_id: UUID, event: LiveEvent) -> None:
        """Tell everyone who looks of a job that no worker has; it never raises."""
        try:
            self.streams.append(conversation_id, job_id, 0, event)
        except redis.RedisError as error:
            log.warning("live.lost", job_id=str(job_id), error=str(error))

    def told(self, job_id: UUID) -> list[Event]:
        """Return what has been told of a job; nothing while Redis is away."""
        try:
            return self.streams.read(job_id)
        except redis.RedisError as error:
            log.warning("live.unread", job_id=str(job_id), error=str(error))
            return []

    def close(self) -> None:
        """End the reader, and the streams that listen."""
        self._over.set()
        for listener in self._audience.all():
            listener.drop()
        self._wake_reader()
        with self._starting:
            reader = self._reader
        if reader is not None:
            reader.join(timeout=5)

    def _start(self) -> None:
        with self._starting:
            if self._reader is None:
                reader = threading.Thread(target=self._read, name="live", daemon=True)
                # It may fail for want of threads: whoever listens next tries again.
                reader.start()
                self._reader = reader

    def _wake_reader(self) -> None:
        try:
            self.streams.client.publish(self._wake_channel, "")  # pyright: ignore[reportUnknownMemberType]
        except redis.RedisError:
            # The reader looks by itself too, and is connecting anew just now.
            return

    def _read(self) -> None:
        client: Any = self.streams.client
        while not self._over.is_set():
            try:
                with client.pubsub() as pubsub:
                    reading = _Reading(self._audience, pubsub)
                    reading.begin(self._wake_channel)
                    while not self._over.is_set():
                        reading.go_on()
            except redis.RedisError as error:
                log.warning("live.unheard", error=str(error))
            except Exception:
                log.exception("live.crashed")
            self._deafen()
            self._over.wait(RETRY_SECONDS)

    def _deafen(self) -> None:
        if not self._over.is_set():
            for listener in self._audience.all():
                listener.deafen()


class _Reading:
    """One connection of the reader's, which no other thread touches."""

    def __init__(self, audience: _Audience, pubsub: Any) -> None:
        self._audience = audience
        self._pubsub = pubsub
        self._asked_for: set[str] = set()
        self._heard: set[str] = set()

    def begin(self, wake_channel: str) -> None:
        self._asked_for.update(self._audience.channels())
        self._pubsub.subscribe(wake_channel, *self._asked_for)

    def go_on(self) -> None:
        """Hand on what came, then follow those who came and went."""
        message = cast(dict[str, str] | None, self._pubsub.get_message(timeout=LOOK_SECONDS))
        if message is not None and message["channel"] in self._asked_for:
            self._take(message["type"], message["channel"], message["data"])
        while self._audience.changed:
            self._follow(self._audience.changed.popleft())

    def _take(self, kind: str, channel: str, payload: str) -> None:
        if kind == "message":
            event = Streams.parse(payload)
            if event is None:
                return
            for listener in self._audience.of(channel):
                listener.offer(event)
        elif kind == "subscribe":
            # Also when the connection was lost and came back without our doing.
            self._heard.add(channel)
            for listener in self._audience.of(channel):
                listener.sync()

    def _follow(self, channel: str) -> None:
        listeners = self._audience.of(channel)
        if listeners and channel not in self._asked_for:
            self._asked_for.add(channel)
            self._pubsub.subscribe(channel)
        elif not listeners and channel in self._asked_for:
            self._asked_for.discard(channel)
            self._heard.discard(channel)
            self._pubsub.unsubscribe(channel)
        elif channel in self._heard:
            for listener in listeners:
                if not listener.is_synced:
                    listener.sync()


def install(app: Flask, settings: Settings) -> None:
    """Give `app` a hub of its own; it connects when somebody listens."""
    app.extensions["hub"] = Hub(Streams(settings.redis_url.get_secret_value()))


def hub() -> Hub:
    """Return the hub of the site that is asked."""
    return cast(Hub, current_app.extensions["hub"])
