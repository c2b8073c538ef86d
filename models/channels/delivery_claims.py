"""Deliveries that a process has claimed: theirs for a while, until they are sent or given up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session

from models.database import clock
from models.schema.channels import Delivery, DeliveryKind, DeliveryStatus
from models.schema.jobs import Job

FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
# After this an answer is old news, and stands on the website.
GIVEN_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that a process has claimed; `attempt` proves that it is still theirs."""

    id: UUID
    attempt: int
    channel: str
    address: str
    account_id: UUID | None
    user_id: UUID | None
    kind: DeliveryKind
    job_id: UUID | None
    message_id: UUID | None
    content: dict[str, Any]
    preview_id: str | None
    sent_ids: tuple[str, ...]
    failures: int


# From lane to lane through the index: behind the first of one hundreds may wait. An answer is no
# concern before a worker has its job; of one that waits for credits the user is told once.
_CLAIM = text("""
    WITH RECURSIVE waiting AS NOT MATERIALIZED (
        SELECT id, channel, address, lane, number FROM deliveries
        WHERE status = 'waiting' AND channel = ANY (:channels)
    ), heads AS (
        (SELECT * FROM waiting ORDER BY channel, address, lane, number LIMIT 1)
        UNION ALL
        SELECT next.* FROM heads CROSS JOIN LATERAL (
            SELECT * FROM waiting AS w
            WHERE (w.channel, w.address, w.lane) > (heads.channel, heads.address, heads.lane)
            ORDER BY channel, address, lane, number LIMIT 1
        ) AS next
    ), due AS (
        SELECT this.id FROM heads JOIN deliveries AS this ON this.id = heads.id
        LEFT JOIN jobs ON jobs.id = this.job_id
        WHERE this.status = 'waiting' AND this.ready_at <= clock_timestamp()
          AND (this.kind <> 'answer' OR jobs.status NOT IN ('pending', 'paused')
               OR (jobs.status = 'paused' AND NOT this.has_told_paused))
        ORDER BY this.ready_at LIMIT :most FOR UPDATE OF this SKIP LOCKED
    )
    UPDATE deliveries SET attempts = attempts + 1, ready_at = clock_timestamp() + :lease
    FROM due WHERE deliveries.id = due.id
    RETURNING deliveries.id, attempts, channel, address, channel_account_id, user_id, kind, job_id,
              message_id, content, preview_id, sent_ids, failures
""")


def claim(
    db: Session, channels: Iterable[str], lease: timedelta, *, most: int
) -> list[ClaimedDelivery]:
    """Take the first delivery of each lane that can be sent; until `lease` ends it is theirs.

    At most `most` of them.
    """
    given = {"channels": list(channels), "lease": lease, "most": most}
    claimed: list[ClaimedDelivery] = []
    for row in db.execute(_CLAIM, given).mappings():
        values: dict[str, Any] = dict(row)
        values["account_id"] = values.pop("channel_account_id")
        values["attempt"] = values.pop("attempts")
        values["kind"] = DeliveryKind(values["kind"])
        values["sent_ids"] = tuple(values["sent_ids"])
        claimed.append(ClaimedDelivery(**values))
    return claimed


def renew(db: Session, claimed: ClaimedDelivery, lease: timedelta) -> bool:
    """Keep a claimed delivery for longer; False if it is not one's own any more."""
    kept = db.scalar(
        update(Delivery)
        .where(*_is_still(claimed))
        .values(ready_at=func.clock_timestamp() + lease)
        .returning(Delivery.id)
    )
    return kept is not None


def note_preview(db: Session, claimed: ClaimedDelivery, preview_id: str | None) -> None:
    """Note in which message the answer grows; None when it is gone."""
    db.execute(update(Delivery).where(*_is_still(claimed)).values(preview_id=preview_id))


def note_sent(
    db: Session, claimed: ClaimedDelivery, sent_ids: tuple[str, ...], lease: timedelta
) -> bool:
    """Note the parts that the messenger has taken for good, in order, and keep the lease.

    False if the delivery is not one's own any more: then nothing more must be sent of it.
    """
    kept = db.scalar(
        update(Delivery)
        .where(*_is_still(claimed))
        .values(sent_ids=list(sent_ids), ready_at=func.clock_timestamp() + lease)
        .returning(Delivery.id)
    )
    return kept is not None


def finish(
    db: Session, claimed: ClaimedDelivery, status: DeliveryStatus, failure: str | None = None
) -> None:
    """Note how a claimed delivery ended; what its content said is dropped."""
    db.execute(
        update(Delivery)
        .where(*_is_still(claimed))
        .values(
            status=status,
            failure=failure,
            finished_at=func.clock_timestamp(),
            content=_without_words(claimed),
        )
    )


def put_off(
    db: Session, claimed: ClaimedDelivery, failure: str, wait: timedelta | None = None
) -> bool:
    """Try a claimed delivery again later, or give it up once it is old news.

    That is a day after it was written, or its job was over; what its content said is dropped then.
    It waits for `wait`, or each time twice as long. Returns whether it was given up.
    """
    kept = db.scalar(select(Delivery).where(*_is_still(claimed)).with_for_update())
    if kept is None:
        return False
    now = clock(db)
    kept.failure, kept.failures = failure[:500], kept.failures + 1
    if now - _news_since(db, kept, now) > GIVEN_UP_AFTER:
        kept.status, kept.finished_at = DeliveryStatus.FAILED, now
        kept.content = _without_words(claimed)
    else:
        kept.ready_at = now + (wait or retry_delay(kept.failures))
    db.flush()
    return kept.status is DeliveryStatus.FAILED


def _news_since(db: Session, kept: Delivery, now: datetime) -> datetime:
    """Return since when it could be sent: an answer, and what it answers, may wait for credits."""
    ends = select(Job.finished_at)
    if kept.job_id is not None:
        ends = ends.where(Job.id == kept.job_id)
    elif kept.message_id is not None:
        ends = ends.where(Job.message_id == kept.message_id)
    else:
        return kept.created_at
    return max([kept.created_at, *(ended or now for ended in db.scalars(ends))])


def await_job(db: Session, claimed: ClaimedDelivery, *, has_told_paused: bool = False) -> None:
    """Give a claimed answer back until its job goes on."""
    told = {"has_told_paused": True} if has_told_paused else {}
    db.execute(
        update(Delivery).where(*_is_still(claimed)).values(ready_at=func.clock_timestamp(), **told)
    )


def retry_delay(failures: int) -> timedelta:
    """Return how long to wait after so many failures: each time twice as long, up to minutes."""
    return min(FIRST_RETRY * 2 ** min(failures - 1, 20), LONGEST_RETRY)


def _without_words(claimed: ClaimedDelivery) -> dict[str, object]:
    return {"code": claimed.content.get("code", "")}


def _is_still(claimed: ClaimedDelivery) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.id == claimed.id,
        Delivery.attempts == claimed.attempt,
        Delivery.status == DeliveryStatus.WAITING,
    )
