"""What goes out to messengers, in order: the outbox of chats.

A delivery is written in the transaction that causes it. The messaging process claims the first one
of each lane for a while (a lease), talks to the messenger without a transaction, and notes each
part as soon as it was taken. So everything is sent, in order, and a part is sent twice only where
the messenger had taken it and we could not write that down.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import new_id
from models.database import clock
from models.schema.channels import (
    ChannelAccount,
    Delivery,
    DeliveryKind,
    DeliveryStatus,
    Lane,
)
from models.schema.chat import Message
from models.schema.jobs import Job

FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
# After this an answer is old news, and stands on the website.
GIVEN_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Recipient:
    """Where something goes: a chat, and the user that it belongs to, if any."""

    channel: str
    address: str
    user_id: UUID | None = None
    account_id: UUID | None = None

    @classmethod
    def of(cls, account: ChannelAccount) -> "Recipient":
        return cls(account.channel, account.address, account.user_id, account.id)


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


def expect_answer(db: Session, account: ChannelAccount, job: Job) -> None:
    """Send the answer of a job, as it grows and when it is whole; once for each job and account."""
    reference = f"answer:{job.id}:{account.id}"
    _add(db, Recipient.of(account), DeliveryKind.ANSWER, reference, job_id=job.id)


def expect_question(db: Session, account: ChannelAccount, message: Message) -> None:
    """Show what the user wrote elsewhere; once for each message and account."""
    reference = f"question:{message.id}:{account.id}"
    _add(db, Recipient.of(account), DeliveryKind.QUESTION, reference, message_id=message.id)


def notify(
    db: Session,
    to: Recipient,
    content: dict[str, object],
    *,
    reference: str,
    lane: Lane = Lane.REPLIES,
) -> None:
    """Send a sentence of the product, with its `code`, `text` and `rows` of buttons.

    Once for each `reference`.
    """
    _add(db, to, DeliveryKind.NOTICE, reference, lane=lane, content=content)


def acknowledge(db: Session, to: Recipient, press_id: str, words: str = "") -> None:
    """Let the messenger know that a button's press was seen, and show a few words if there are."""
    content = {"press_id": press_id, "text": words}
    reference = f"press:{to.channel}:{press_id}"
    _add(db, to, DeliveryKind.ACKNOWLEDGEMENT, reference, lane=Lane.REPLIES, content=content)


def leave(db: Session, to: Recipient, *, reference: str) -> None:
    """Leave a group after what waits for it has been said."""
    _add(db, to, DeliveryKind.LEAVING, reference, lane=Lane.REPLIES)


def _add(
    db: Session,
    to: Recipient,
    kind: DeliveryKind,
    reference: str,
    *,
    lane: Lane = Lane.CONVERSATION,
    **rest: object,
) -> None:
    db.execute(
        insert(Delivery)
        .values(
            id=new_id(),
            channel=to.channel,
            address=to.address,
            channel_account_id=to.account_id,
            user_id=to.user_id,
            lane=lane,
            kind=kind,
            reference=reference,
            status=DeliveryStatus.WAITING,
            ready_at=func.clock_timestamp(),
            created_at=func.clock_timestamp(),
            **rest,
        )
        .on_conflict_do_nothing(index_elements=[Delivery.reference])
    )


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


def has_waiting(db: Session) -> bool:
    """Tell whether anything is to be sent, now or later."""
    wanted = select(Delivery.id).where(Delivery.status == DeliveryStatus.WAITING)
    return db.scalar(wanted.limit(1)) is not None


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
            content={"code": claimed.content.get("code", "")},
        )
    )


def put_off(
    db: Session, claimed: ClaimedDelivery, failure: str, wait: timedelta | None = None
) -> bool:
    """Try a claimed delivery again later, or give it up a day after it was written.

    It waits for `wait`, or each time twice as long. Returns whether it was given up.
    """
    kept = db.scalar(select(Delivery).where(*_is_still(claimed)).with_for_update())
    if kept is None:
        return False
    now = clock(db)
    kept.failure, kept.failures = failure[:500], kept.failures + 1
    if now - kept.created_at > GIVEN_UP_AFTER:
        kept.status, kept.finished_at = DeliveryStatus.FAILED, now
    else:
        kept.ready_at = now + (wait or retry_delay(kept.failures))
    db.flush()
    return kept.status is DeliveryStatus.FAILED


def await_job(db: Session, claimed: ClaimedDelivery, *, has_told_paused: bool = False) -> None:
    """Give a claimed answer back until its job goes on."""
    told = {"has_told_paused": True} if has_told_paused else {}
    db.execute(
        update(Delivery).where(*_is_still(claimed)).values(ready_at=func.clock_timestamp(), **told)
    )


def cancel_all(db: Session, account: ChannelAccount) -> None:
    """Send nothing more of what waits for a messenger account."""
    db.execute(
        update(Delivery)
        .where(
            Delivery.channel_account_id == account.id,
            Delivery.status == DeliveryStatus.WAITING,
        )
        .values(status=DeliveryStatus.CANCELLED, finished_at=func.clock_timestamp(), content={})
    )


def cancel_conversation(db: Session, conversation_id: UUID) -> None:
    """Send nothing more of what was asked and answered in a conversation."""
    asked = select(Message.id).where(Message.conversation_id == conversation_id)
    answered = select(Job.id).where(Job.conversation_id == conversation_id)
    _cancel(db, or_(Delivery.message_id.in_(asked), Delivery.job_id.in_(answered)))


def cancel_message(db: Session, message_id: UUID, job_ids: Collection[UUID]) -> None:
    """Send nothing more of a message and of what these jobs answered to it."""
    _cancel(db, or_(Delivery.message_id == message_id, Delivery.job_id.in_(job_ids)))


def _cancel(db: Session, which: ColumnElement[bool]) -> None:
    db.execute(
        update(Delivery)
        .where(which, Delivery.status == DeliveryStatus.WAITING)
        .values(status=DeliveryStatus.CANCELLED, finished_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )


def retry_delay(failures: int) -> timedelta:
    """Return how long to wait after so many failures: each time twice as long, up to minutes."""
    return min(FIRST_RETRY * 2 ** min(failures - 1, 20), LONGEST_RETRY)


def _is_still(claimed: ClaimedDelivery) -> tuple[ColumnElement[bool], ...]:
    return (
        Delivery.id == claimed.id,
        Delivery.attempts == claimed.attempt,
        Delivery.status == DeliveryStatus.WAITING,
    )
