"""Accounts that were logged in on one device, as its cookie tells."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.schema.abuse import SharedDevice
from models.schema.users import User


def note(db: Session, user_id: UUID, others: Collection[UUID]) -> None:
    """Note that an account was logged in where others were; those that have gone do not count."""
    there = db.scalars(select(User.id).where(User.id.in_(others), User.id != user_id)).all()
    pairs = [(user_id, one) for one in there] + [(one, user_id) for one in there]
    if pairs:
        rows = [{"user_id": one, "other_user_id": other} for one, other in sorted(pairs)]
        db.execute(insert(SharedDevice).values(rows).on_conflict_do_nothing())
