"""How the queue did lately: throughput, waits and run times, by model and by failure code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, cast, func, select
from sqlalchemy.orm import Session

from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus

POINTS = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Percentiles:
    """How many seconds half of them took at most, and 95 and 99 in a hundred; None without any."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True)
class Performance:
    """How jobs did that were over: of all, or of one model."""

    model: str
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
    """The jobs that ended since a moment: all of them, by model, and the failures."""

    whole: Performance
    models: Sequence[Performance]
    failures: Sequence[Failures]
    per_hour: float


def read(db: Session, now: datetime, length: timedelta) -> QueueStats:
    """Read how the jobs did that ended within `length`."""
    lately = Job.finished_at > now - length
    whole = _performance("", *db.execute(select(*_columns()).where(lately)).one())
    by_model = select(Job.model, *_columns()).where(lately).group_by(Job.model)
    models = [_performance(*row) for row in db.execute(by_model)]
    failed = (
        select(Job.failure_code, func.count(), func.max(Job.finished_at))
        .where(lately, Job.status == JobStatus.FAILED)
        .group_by(Job.failure_code)
        .order_by(func.count().desc())
    )
    return QueueStats(
        whole,
        sorted(models, key=lambda one: -one.count),
        [
            Failures(code, count, last)
            for code, count, last in db.execute(failed)
            if code is not None and last is not None
        ],
        whole.count / (length / timedelta(hours=1)),
    )


def _columns() -> Sequence[ColumnElement[Any]]:
    waited = Job.started_at - Job.created_at
    ran = Job.finished_at - Job.started_at
    return (
        *(
            func.count().filter(Job.status == status)
            for status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)
        ),
        *(_percentile(point, waited) for point in POINTS),
        *(_percentile(point, ran) for point in POINTS),
    )


def _percentile(point: float, took: ColumnElement[timedelta]) -> ColumnElement[float]:
    seconds = cast(func.extract("epoch", took), Float)
    return func.percentile_cont(point).within_group(seconds)


def _performance(model: str, *values: float | None) -> Performance:
    completed, failed, cancelled = (int(one or 0) for one in values[:3])
    return Performance(
        model, completed, failed, cancelled, Percentiles(*values[3:6]), Percentiles(*values[6:9])
    )
