"""What is kept for a while and then goes, oldest first.

Nothing here is a record of money: the ledger, payments, what Stripe told and model calls stay.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select, true
from sqlalchemy.orm import Session, aliased

from models.base import Base
from models.channels import updates
from models.schema.alerts import Alert, AlertKind
from models.schema.channels import (
    ChannelLink,
    ChannelUpdate,
    Delivery,
    DeliveryStatus,
    UpdateStatus,
)
from models.schema.email_tokens import EmailToken
from models.schema.emails import Email, EmailStatus
from models.schema.free_credit import FreeCreditRefusal
from models.schema.ledger import Transaction
from models.schema.notifications import Notification, Push, PushStatus
from models.schema.scaling import ScalingDecision
from models.schema.sessions import UserSession
from models.schema.transcriptions import Transcription
from models.schema.workers import Worker

DELIVERIES_KEPT = timedelta(days=30)
# So long after it has expired, a code can still be told from one that never was.
LINKS_KEPT = timedelta(days=1)


def prune(db: Session, before: datetime, *, limit: int) -> dict[str, int]:
    """Delete up to `limit` rows of each kind that were over before then; return how many, by table.

    What still decides something stays, however old it is. Two at once do no harm.
    """
    pruned = {
        table.__tablename__: _delete(db, table, is_over, before, limit)
        for table, is_over in _over(before).items()
    }
    return {name: count for name, count in pruned.items() if count}


def prune_channels(db: Session, now: datetime, *, limit: int) -> dict[str, int]:
    """Delete up to `limit` rows each of what came in from messengers, went out to them, or links.

    Each is kept for a time of its own; what still waits stays. Returns how many went, by table.
    """
    expired = ChannelLink.expires_at < now - LINKS_KEPT
    sent = (Delivery.status != DeliveryStatus.WAITING) & (
        Delivery.finished_at < now - DELIVERIES_KEPT
    )
    handled = ChannelUpdate.status != UpdateStatus.WAITING
    pruned = {
        "channel_links": _delete(db, ChannelLink, expired, now - LINKS_KEPT, limit),
        "deliveries": _delete(db, Delivery, sent, now - DELIVERIES_KEPT, limit),
        "channel_updates": _delete(db, ChannelUpdate, handled, now - updates.KEPT, limit),
    }
    return {name: count for name, count in pruned.items() if count}


def _over(before: datetime) -> Mapping[type[Base], ColumnElement[bool]]:
    """What is over, of each table."""
    newer = aliased(Alert)
    told_again = exists().where(
        newer.user_id == Alert.user_id, newer.kind == Alert.kind, newer.id > Alert.id
    )
    has_had_credit = exists().where(Transaction.user_id == FreeCreditRefusal.user_id)
    return {
        Email: Email.status != EmailStatus.QUEUED,
        EmailToken: EmailToken.expires_at < before,
        # That credits run low is told once until more come, however long that takes.
        Alert: (Alert.kind != AlertKind.BALANCE) | told_again,
        Notification: Notification.dispatched_at.is_not(None),
        Push: Push.status != PushStatus.WAITING,
        UserSession: (UserSession.expires_at < before) | (UserSession.revoked_at < before),
        # Whoever has no credit yet reads the reason.
        FreeCreditRefusal: FreeCreditRefusal.user_id.is_(None) | has_had_credit,
        Transcription: true(),
        Worker: Worker.seen_at < before,
        ScalingDecision: true(),
    }


def _delete(
    db: Session, table: type[Base], is_over: ColumnElement[bool], before: datetime, limit: int
) -> int:
    key = table.__table__.c["id"]
    # Keys are in the order of their making, so only what is old enough is read.
    oldest = select(key).where(key < first_id(before), is_over).order_by(key).limit(limit)
    locked = oldest.with_for_update(skip_locked=True, of=table)
    gone = delete(table).where(key.in_(locked)).returning(key)
    return len(db.scalars(gone.execution_options(synchronize_session=False)).all())


def first_id(at: datetime) -> UUID:
    """The smallest id that can have been made at a time: a UUIDv7 begins with its milliseconds."""
    return UUID(int=int(at.timestamp() * 1000) << 80)
