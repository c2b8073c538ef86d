"""What goes out to messengers, in order: the outbox of chats.

A delivery is written in the transaction that causes it. The messaging process claims the first one
of each lane for a while (a lease: see `delivery_claims`), talks to the messenger without a
transaction, and notes each part as soon as it was taken. So everything is sent, in order, and a
part is sent twice only where the messenger had taken it and we could not write that down.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import is_any_of, new_id
from models.schema.channels import (
    ChannelAccount,
    Delivery,
    DeliveryKind,
    DeliveryStatus,
    Lane,
)
from models.schema.chat import Message
from models.schema.jobs import Job


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


def notice_reference(reference: str, account_id: UUID) -> str:
    """Name what a messenger account is told of something that has a reference."""
    return f"{reference}:{account_id}"


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


def has_waiting(db: Session) -> bool:
    """Tell whether anything is to be sent, now or later."""
    wanted = select(Delivery.id).where(Delivery.status == DeliveryStatus.WAITING)
    return db.scalar(wanted.limit(1)) is not None


def cancel_all(db: Session, account: ChannelAccount) -> None:
    """Send nothing more of what waits for a messenger account."""
    _cancel(db, Delivery.channel_account_id == account.id)


def cancel_conversation(db: Session, conversation_id: UUID) -> None:
    """Send nothing more of what was asked and answered in a conversation."""
    asked = select(Message.id).where(Message.conversation_id == conversation_id)
    answered = select(Job.id).where(Job.conversation_id == conversation_id)
    _cancel(db, or_(Delivery.message_id.in_(asked), Delivery.job_id.in_(answered)))


def cancel_message(db: Session, message_id: UUID, job_ids: Collection[UUID]) -> None:
    """Send nothing more of a message and of what these jobs answered to it."""
    _cancel(db, or_(Delivery.message_id == message_id, Delivery.job_id.in_(job_ids)))


def cancel_notices(db: Session, user_id: UUID, references: Collection[str]) -> None:
    """Say nothing more in a user's messengers of what has these references."""
    accounts = db.scalars(select(ChannelAccount.id).where(ChannelAccount.user_id == user_id)).all()
    names = [notice_reference(one, account) for one in references for account in accounts]
    _cancel(db, is_any_of(Delivery.reference, names))


def _cancel(db: Session, which: ColumnElement[bool]) -> None:
    db.execute(
        update(Delivery)
        .where(which, Delivery.status == DeliveryStatus.WAITING)
        .values(status=DeliveryStatus.CANCELLED, finished_at=func.clock_timestamp(), content={})
        .execution_options(synchronize_session=False)
    )
