"""Notifications as they are written down: told once, and held until quiet hours end."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import new_id
from models.schema.notifications import Notification, Topic


def add(
    db: Session,
    user_id: UUID,
    topic: Topic,
    content: dict[str, Any],
    *,
    ready_at: datetime,
    reference: str,
) -> Notification | None:
    """Write down what a user is to be told; None if it was written down before."""
    added = db.scalar(
        insert(Notification)
        .values(
            id=new_id(),
            user_id=user_id,
            topic=topic,
            content=content,
            ready_at=ready_at,
            reference=reference,
        )
        .on_conflict_do_nothing(index_elements=[Notification.reference])
        .returning(Notification.id)
    )
    return db.get(Notification, added) if added else None


def take_due(db: Session) -> Notification | None:
    """Lock the notification that may be told now and has waited longest; None if there is none."""
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


def close(notification: Notification, at: datetime) -> None:
    """Note that a notification is in the outboxes of its ways; its words go."""
    notification.dispatched_at, notification.content = at, None


def postpone(notification: Notification, until: datetime) -> None:
    """Hold a notification for longer: the user has other quiet hours by now."""
    notification.ready_at = until
