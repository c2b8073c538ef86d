"""The secret link under which a calendar reads a user's reminders."""

import secrets
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.schema.reminders import CalendarFeed
from models.schema.users import User


def renew(db: Session, user_id: UUID) -> str:
    """Make a new link and return its secret, which is told this once; the one before is void."""
    ledger.lock_account(db, user_id)
    secret = secrets.token_urlsafe(32)
    feed = db.get(CalendarFeed, user_id) or CalendarFeed(user_id=user_id)
    feed.secret_hash, feed.created_at = _hashed(secret), utc_now()
    db.add(feed)
    db.flush()
    return secret


def revoke(db: Session, user_id: UUID) -> None:
    """Let no calendar read a user's reminders any more."""
    db.execute(delete(CalendarFeed).where(CalendarFeed.user_id == user_id))


def find(db: Session, user_id: UUID) -> CalendarFeed | None:
    """Return a user's link, without its secret; None if there is none."""
    return db.get(CalendarFeed, user_id)


def reader(db: Session, secret: str) -> User | None:
    """Return whose reminders a link shows; None if it is nobody's any more."""
    wanted = select(User).join(CalendarFeed, CalendarFeed.user_id == User.id)
    return db.scalar(wanted.where(CalendarFeed.secret_hash == _hashed(secret)))


def _hashed(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
