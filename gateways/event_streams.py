"""What happens to a job, told live: a Redis stream per job and a channel per conversation.

Each event is appended and published by one script, so its id on the channel is its id in the
stream: a reader subscribes first, then reads the stream, then drops live ids that it has seen.
Nothing here is the truth; if Redis loses it all, pages are drawn again from PostgreSQL.
"""

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import redis

from gateways import live_events
from gateways.live_events import LiveEvent

# Kept longer than any job may run, so that a phone that slept can catch up.
EXPIRES_SECONDS = 3600
MAX_EVENTS = 20_000
STOP_CHANNEL = "stop"

# KEYS: stream, channel. ARGV: payload, longest length, seconds to keep it.
APPEND = """
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'e', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', KEYS[2], id .. ' ' .. ARGV[1])
return id
"""


@dataclass(frozen=True)
class Event:
    """One step of a job's life, with its place in the job's stream."""

    id: str
    job_id: UUID
    attempt: int
    payload: LiveEvent


def connect(url: str, *, waits: bool = False, as_text: bool = True) -> redis.Redis:
    """Make a client; with `waits` one whose reads may block for as long as they like."""
    # redis-py 8 retries a blocking read that outlasts its socket timeout, for most of a minute.
    timeout = None if waits else 5
    return redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
        url, decode_responses=as_text, socket_timeout=timeout, health_check_interval=30
    )


class Streams:
    """Writes and reads events. Every method may raise redis.RedisError."""

    def __init__(self, redis_url: str) -> None:
        self.url = redis_url
        self.client = connect(redis_url)
        self._append = self.client.register_script(APPEND)

    def append(self, conversation_id: UUID, job_id: UUID, attempt: int, event: LiveEvent) -> str:
        """Tell everyone who watches; return the event's id."""
        kind, data = live_events.encode(event)
        payload = json.dumps(
            {"job": str(job_id), "attempt": attempt, "kind": kind, "data": data},
            separators=(",", ":"),
        )
        keys = [_stream(job_id), self.channel(conversation_id)]
        return cast(str, self._append(keys=keys, args=[payload, MAX_EVENTS, EXPIRES_SECONDS]))

    def read(self, job_id: UUID, after: str = "0") -> list[Event]:
        """Return what has been told of a job since the event `after`, as far as we can read it."""
        entries = cast(
            list[tuple[str, dict[str, str]]],
            self.client.xrange(_stream(job_id), min=f"({after}" if after != "0" else "-"),
        )
        found = (_event(entry_id, fields["e"]) for entry_id, fields in entries)
        return [event for event in found if event is not None]

    def is_heard(self, conversation_id: UUID) -> bool:
        """Tell whether a web process hears what is told of a conversation, for a browser of its."""
        channel = self.channel(conversation_id)
        heard = cast(list[tuple[str, int]], self.client.pubsub_numsub(channel))  # pyright: ignore[reportUnknownMemberType]
        return any(count > 0 for _, count in heard)

    @staticmethod
    def parse(payload: str) -> Event | None:
        """Read an event as it comes over the channel; None if we cannot."""
        entry_id, _, body = payload.partition(" ")
        return _event(entry_id, body)

    @staticmethod
    def channel(conversation_id: UUID) -> str:
        return f"c:{conversation_id}"

    def send_stop(self, job_id: UUID) -> None:
        """Ask whichever worker runs this job to stop at once; the row says so already."""
        self.client.publish(STOP_CHANNEL, str(job_id))  # pyright: ignore[reportUnknownMemberType]

    def stops(self) -> Generator[UUID | None]:
        """Yield the jobs that somebody asks to stop, and None about once a second between."""
        with connect(self.url, waits=True).pubsub() as listening:  # pyright: ignore[reportUnknownMemberType]
            listening.subscribe(STOP_CHANNEL)
            while True:
                heard = cast(dict[str, object] | None, listening.get_message(timeout=1.0))
                asked = heard is not None and heard["type"] == "message"
                yield UUID(str(heard["data"])) if heard and asked else None


def _stream(job_id: UUID) -> str:
    return f"ev:{job_id}"


def _event(entry_id: str, body: str) -> Event | None:
    told: dict[str, Any] = json.loads(body)
    payload = live_events.decode(told["kind"], told["data"])
    return Event(entry_id, UUID(told["job"]), told["attempt"], payload) if payload else None
