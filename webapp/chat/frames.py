"""What a live stream is made of: server-sent events, and the cursor from which one goes on."""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gateways import values
from gateways.values import BadValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LINE_END = re.compile(r"\r\n|\r|\n")
HEARTBEAT = ": still here\nevent: beat\ndata:\n\n"


@dataclass(frozen=True)
class Cursor:
    """How far a browser has read: an event's id, and the job it was about if there was one.

    Of that job's answer it has the HTML of the first `closed` characters for good.
    """

    event_id: str
    job_id: UUID | None
    closed: int = 0

    @classmethod
    def parse(cls, given: str) -> "Cursor":
        """Read a cursor back from a browser; one that makes no sense means now."""
        event_id, _, job = given.partition("@")
        job_id, _, closed = job.partition("+")
        try:
            when, count = values.stream_id(event_id)
            if not job:
                return cls(f"{when}-{count}", None)
            return cls(f"{when}-{count}", values.uuid(job_id), values.integer(closed))
        except BadValue:
            return cls.now()

    @classmethod
    def now(cls) -> "Cursor":
        return cls(f"{time.time_ns() // 1_000_000}-0", None)

    @property
    def moment(self) -> datetime:
        return EPOCH + timedelta(milliseconds=values.stream_id(self.event_id)[0])

    def __str__(self) -> str:
        return f"{self.event_id}@{self.job_id}+{self.closed}" if self.job_id else self.event_id


def frame(kind: str, data: str, cursor: Cursor | None = None) -> str:
    """Write one event."""
    lines = [f"id: {cursor}"] if cursor else []
    lines += [f"event: {kind}", *(f"data: {line}" for line in LINE_END.split(data))]
    return "\n".join(lines) + "\n\n"
