"""Notifications as they are written down: told once, and held until they are over.

They are over when a way has reached its user, or a mail was written for them; nobody wants to hear
of something for as long as a messenger or a push service is away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import new_id
from models.schema.channels import Delivery, DeliveryStatus
from models.schema.notifications import (
    Notification,
    Push,
    PushStatus,
    PushSubscription,
    Topic,
)

# How soon it is looked whether a way has reached its user, and when none is waited for any longer.
LOOK_AFTER = timedelta(seconds=30)
PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class New:
    """Something that a user is to be told, not written down yet."""

    user_id: UUID
    topic: Topic
    content: dict[str, Any]
    ready_at: datetime
    reference: str
    message_id: UUID | None = None


def add_all(db: Session, new: Sequence[New]) -> Mapping[str, Notification]:
    """Write down what users are to be told; return, by reference, what was not there before."""
    if not new:
        return {}
    rows = [{"id": new_id(), **vars(one)} for one in new]
    added = db.scalars(
        insert(Notification)
        .on_conflict_do_nothing(index_elements=[Notification.reference])
        .returning(Notification.id),
        rows,
    ).all()
    written = db.scalars(select(Notification).where(Notification.id.in_(added)))
    return {one.reference: one for one in written}


def take_due(db: Session) -> Notification | None:
    """Lock the notification that is due and has waited longest; None if there is none."""
    return db.scalar(
        select(Notification)
        .where(
            Notification.dispatched_at.is_(None),
            Notification.ready_at <= func.clock_timestamp(),
        )
        .order_by(Notification.ready_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def take_collected(db: Session, user_id: UUID) -> Sequence[Notification]:
    """Lock what waits for the collected mail of a user and is due, the first one first."""
    return db.scalars(
        select(Notification)
        .where(
            Notification.user_id == user_id,
            Notification.collected_at.is_not(None),
            Notification.dispatched_at.is_(None),
            Notification.ready_at <= func.clock_timestamp(),
        )
        .order_by(Notification.id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def has_arrived(db: Session, told: Notification) -> bool | None:
    """Tell whether a browser or a messenger has taken it; None while that may still come."""
    states = [*_states_of_pushes(db, told), *_states_of_deliveries(db, told)]
    if PushStatus.SENT in states:
        return True
    return None if PushStatus.WAITING in states else False


def _states_of_pushes(db: Session, told: Notification) -> Sequence[str]:
    return db.scalars(
        select(Push.status)
        .join(PushSubscription, PushSubscription.id == Push.subscription_id)
        .where(PushSubscription.user_id == told.user_id, Push.reference == told.reference)
    ).all()


def _states_of_deliveries(db: Session, told: Notification) -> Sequence[DeliveryStatus]:
    return db.scalars(
        select(Delivery.status).where(
            Delivery.user_id == told.user_id,
            Delivery.created_at >= told.created_at,
            Delivery.reference.startswith(f"{told.reference}:", autoescape=True),
        )
    ).all()


def close(notification: Notification, at: datetime) -> None:
    """Note that a notification is over; its words go."""
    notification.dispatched_at, notification.content = at, None


def postpone(notification: Notification, until: datetime) -> None:
    """Hold a notification until then."""
    notification.ready_at = until
