"""How the queue did lately: throughput, waits and run times, by model, channel and failure code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Float, Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from models.ops.retention import first_id
from models.schema.failure_codes import FailureCode

POINTS = (0.5, 0.95, 0.99)
HOUR = timedelta(hours=1)
# Of more than so many only the newest are looked at, so that it takes no longer when more are sent.
SAMPLE = 2_000
# They are looked for by when they were asked; one that took longer than this is left out.
LONGEST = timedelta(days=1)


@dataclass(frozen=True)
class Percentiles:
    """How many seconds half of them took at most, and 95 and 99 in a hundred; None without any."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True)
class Performance:
    """How jobs did that were over: all, or those of one model or channel."""

    name: str
    completed: int
    failed: int
    cancelled: int
    waits: Percentiles
    runs: Percentiles

    @property
    def count(self) -> int:
        return self.completed + self.failed + self.cancelled

    @property
    def completion_percent(self) -> float | None:
        """How many in a hundred were answered, of those that nobody stopped."""
        tried = self.completed + self.failed
        return 100 * self.completed / tried if tried else None


@dataclass(frozen=True)
class Failures:
    """How many failed for one reason, and when the last did."""

    code: FailureCode
    count: int
    last_at: datetime


@dataclass(frozen=True)
class QueueStats:
    """The jobs that ended within `length`: all of them, by model and channel, and the failures."""

    whole: Performance
    models: Sequence[Performance]
    # "" for those whose question was deleted since.
    channels: Sequence[Performance]
    failures: Sequence[Failures]
    # Shorter than was asked for where more than SAMPLE ended.
    length: timedelta

    @property
    def per_hour(self) -> float:
        return self.whole.count / (self.length / HOUR)


_ENDED = text("""
    WITH newest AS MATERIALIZED (
        SELECT message_id, model, status, failure_code, created_at, started_at, finished_at
        FROM jobs WHERE id >= :first AND finished_at > :since ORDER BY id DESC LIMIT :most
    ), ended AS (
        SELECT newest.model, coalesce(messages.channel, '') AS channel, status, failure_code,
               finished_at, extract(epoch FROM started_at - newest.created_at)::float8 AS waited,
               extract(epoch FROM finished_at - started_at)::float8 AS ran
        FROM newest LEFT JOIN messages ON messages.id = newest.message_id
    )
    SELECT grouping(model, channel, failure_code) AS of_what, model, channel, failure_code,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           min(finished_at) AS first_at, max(finished_at) AS last_at,
           percentile_cont(:points) WITHIN GROUP (ORDER BY waited) AS waits,
           percentile_cont(:points) WITHIN GROUP (ORDER BY ran) AS runs
    FROM ended GROUP BY GROUPING SETS ((), (model), (channel), (failure_code))
""").bindparams(bindparam("points", type_=ARRAY(Float)))
# What PostgreSQL says of a row: a bit for each column that it is not grouped by.
ALL, BY_MODEL, BY_CHANNEL, BY_CODE = 0b111, 0b011, 0b101, 0b110


def read(db: Session, now: datetime, length: timedelta) -> QueueStats:
    """Read how the jobs did that ended within `length`, or the newest SAMPLE of them."""
    since = now - length
    first = first_id(since - LONGEST)
    given = {"since": since, "first": first, "most": SAMPLE, "points": list(POINTS)}
    rows = db.execute(_ENDED, given).all()
    (all_,) = (row for row in rows if row.of_what == ALL)
    whole = _performance("", all_)
    failed = (row for row in rows if row.of_what == BY_CODE and row.failed)
    return QueueStats(
        whole,
        _by_count(_performance(row.model, row) for row in rows if row.of_what == BY_MODEL),
        _by_count(_performance(row.channel, row) for row in rows if row.of_what == BY_CHANNEL),
        sorted(
            (Failures(FailureCode(one.failure_code), one.failed, one.last_at) for one in failed),
            key=lambda one: -one.count,
        ),
        now - all_.first_at if whole.count >= SAMPLE else length,
    )


def _by_count(found: Iterable[Performance]) -> Sequence[Performance]:
    return sorted(found, key=lambda one: -one.count)


def _performance(name: str, row: Row[Any]) -> Performance:
    none = (None,) * len(POINTS)
    waits, runs = (Percentiles(*(side or none)) for side in (row.waits, row.runs))
    return Performance(name, row.completed, row.failed, row.cancelled, waits, runs)
