"""Write-offs: charges that are given back, and costs of providers that are at our expense.

All of them are written here, each with its reason, and all that a person can bring about counts
against one cap: so much of what providers get do we carry for one person in one day. Whoever finds
a way to make answers fail gets no more out of it than that.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, case, func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.ledger.entries import record
from models.periods import day_of
from models.schema.ledger import EntryKind, Transaction, WriteOffReason
from models.schema.users import User
from settings import get_settings

# Whose days caps are counted by: a person could move one of their own zone.
CAP_ZONE = "UTC"
# A charge is given back, or not made, for these as long as it fits into what is left of the day's
# cap.
CAPPED = frozenset(
    {
        WriteOffReason.JOB_FAILED,
        WriteOffReason.NOTHING_SHOWN,
        WriteOffReason.BEGUN_AGAIN,
        WriteOffReason.OUT_OF_CREDIT,
        WriteOffReason.WORKER_LOST,
        WriteOffReason.NOTHING_HEARD,
    }
)
# These nobody can be charged for: the hold is used up, or nobody knows what was used. They use the
# cap up too, and beyond it no further call is made: see `models.ledger.limits`.
UNCHARGEABLE = frozenset(
    {WriteOffReason.CALL_LOST, WriteOffReason.LATE_CALL, WriteOffReason.BEYOND_HOLD}
)


@dataclass(frozen=True)
class Room:
    """What may still be given back to a person today, of so much in all; and when that was."""

    left_micros: int
    cap_micros: int
    at: datetime


def write_off(
    db: Session,
    user: User,
    entry: Transaction,
    reason: WriteOffReason,
    *,
    carried_micros: int,
    room: Room | None = None,
) -> bool:
    """Append an entry that gives a locked account something back, or books a cost as ours.

    `carried_micros` is what a provider gets for it and the person does not pay. An entry for a
    CAPPED reason needs the `room` that it fits into. False if its reference is there already.
    """
    entry.kind = EntryKind.REFUND if entry.amount_micros else EntryKind.ABSORBED
    entry.reason, entry.carried_micros = reason, carried_micros
    if room is not None:
        # Of the day whose room was looked at, also in the very moment of midnight.
        entry.cap_micros, entry.created_at = room.cap_micros, room.at
    if reason in CAPPED and (room is None or carried_micros > room.left_micros):
        raise ValueError("More would be given back than fits into the day.")
    return record(db, user, entry)


def room_today(db: Session, user: User) -> Room:
    """Say what of the cap is left today for a locked account."""
    cap, now = get_settings().absorbed_daily_limit_micros, utc_now()
    used = select(carried_since(user.id, today_begins(now)))
    return Room(cap - int(db.scalar(used) or 0), cap, now)


def today_begins(now: datetime) -> datetime:
    """Return when the day that caps are counted by began."""
    return day_of(CAP_ZONE, now).begins


def carried_since(
    user_id: UUID | BindParameter[UUID], since: datetime | BindParameter[datetime]
) -> ColumnElement[int]:
    """Add up what we carried for a person since then, for reasons that count against the cap."""
    return _carried(func.sum(Transaction.carried_micros), user_id, since)


def unchargeable_since(
    user_id: UUID | BindParameter[UUID], since: datetime | BindParameter[datetime]
) -> ColumnElement[int]:
    """Do so, but return 0 if all of it could have been charged: then the cap bounds it already."""
    is_there = func.bool_or(Transaction.reason.in_(UNCHARGEABLE))
    total = case((is_there, func.sum(Transaction.carried_micros)), else_=0)
    return _carried(total, user_id, since)


def _carried(
    total: ColumnElement[int],
    user_id: UUID | BindParameter[UUID],
    since: datetime | BindParameter[datetime],
) -> ColumnElement[int]:
    wanted = select(func.coalesce(total, 0)).where(
        Transaction.user_id == user_id,
        Transaction.created_at >= since,
        Transaction.reason.is_not(None),
        Transaction.reason.in_(CAPPED | UNCHARGEABLE),
    )
    return wanted.scalar_subquery()
