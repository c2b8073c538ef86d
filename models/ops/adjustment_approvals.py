"""Adjustments of credits that need two owners: one asks, another approves or refuses."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import jobs
from models.base import utc_now
from models.errors import NotFound, Refused
from models.ledger.entries import record
from models.ops import admin_actions
from models.ops.admin_actions import Change, Order
from models.people.admin_roles import Permission
from models.schema.admins import AdminActionKind
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, EntryNote, Transaction
from models.schema.pending_adjustments import AdjustmentStatus, PendingAdjustment
from models.schema.users import User

APPROVED_WITHIN = timedelta(days=7)


class NotEnoughToTake(Refused):
    """More would be taken from an account than the `available_micros` that it has."""

    code = "not_enough_to_take"


class OwnRequest(Refused):
    """Whoever asked for an adjustment would approve it."""

    code = "own_request"


class AlreadyDecided(Refused):
    """An adjustment was approved or refused before, or nobody did so in time."""

    code = "already_decided"


def ask(db: Session, order: Order, user: User, micros: int) -> PendingAdjustment:
    """Let an adjustment wait for another owner; the caller has begun the action.

    Refused beyond what the account has free.
    """
    _refuse_too_much(user, micros)
    asked = PendingAdjustment(
        id=order.key,
        user_id=user.id,
        amount_micros=micros,
        reason=order.reason.strip(),
        asked_by_id=order.admin.id,
        asked_by_email=order.admin.email,
        expires_at=utc_now() + APPROVED_WITHIN,
    )
    db.add(asked)
    change = Change({"asked_micros": None}, {"asked_micros": micros})
    admin_actions.note(db, order, AdminActionKind.ADJUSTMENT_ASKED, user.id, change=change)
    return asked


def approve(db: Session, order: Order, adjustment_id: UUID) -> Sequence[Job]:
    """Do what another owner asked for; return messages that go on.

    Refused to whoever asked, after the time for it, and beyond what the account has free by now.
    """
    asked = _find(db, adjustment_id)
    user = admin_actions.begin(db, order, asked.user_id, needs=Permission.ACT_MONEY)
    if user is None:
        return ()
    asked = _lock_open(db, adjustment_id)
    if asked.asked_by_id == order.admin.id:
        raise OwnRequest
    before = credits_of(user)
    book(db, user, asked.amount_micros, reference=f"admin:{asked.id}")
    _decide(asked, AdjustmentStatus.APPROVED, order)
    after = {**credits_of(user), "approved_micros": asked.amount_micros}
    change = Change(before, {**after, "asked_by": asked.asked_by_email})
    admin_actions.note(db, order, AdminActionKind.ADJUSTMENT_APPROVED, user.id, change=change)
    return jobs.resume(db, user.id) if asked.amount_micros > 0 and not user.is_frozen else ()


def refuse(db: Session, order: Order, adjustment_id: UUID) -> None:
    """Decide against an adjustment; whoever asked may do so too."""
    asked = _find(db, adjustment_id)
    user = admin_actions.begin(db, order, asked.user_id, needs=Permission.ACT_MONEY)
    if user is None:
        return
    asked = _lock_open(db, adjustment_id)
    _decide(asked, AdjustmentStatus.REFUSED, order)
    change = Change(
        {"asked_micros": asked.amount_micros},
        {"asked_micros": None, "asked_by": asked.asked_by_email},
    )
    admin_actions.note(db, order, AdminActionKind.ADJUSTMENT_REFUSED, user.id, change=change)


def list_open(db: Session, user_id: UUID | None = None) -> Sequence[PendingAdjustment]:
    """List what waits for a word, the oldest first: of all accounts, or of one."""
    waits = (
        PendingAdjustment.status == AdjustmentStatus.ASKED,
        PendingAdjustment.expires_at > utc_now(),
    )
    wanted = select(PendingAdjustment).where(*waits).order_by(PendingAdjustment.created_at)
    if user_id is not None:
        wanted = wanted.where(PendingAdjustment.user_id == user_id)
    return db.scalars(wanted.limit(100)).all()


def is_asked(db: Session, key: UUID) -> bool:
    """Tell whether what was ordered under a key waits, or has waited, for another owner."""
    return db.get(PendingAdjustment, key) is not None


def book(db: Session, user: User, micros: int, *, reference: str) -> None:
    """Give a locked account credits, or take them; refuse more than it has free."""
    _refuse_too_much(user, micros)
    kind = EntryKind.GRANT if micros > 0 else EntryKind.ADJUSTMENT
    entry = Transaction(
        kind=kind, amount_micros=micros, reference=reference, note=EntryNote.BY_ADMIN
    )
    record(db, user, entry)


def _refuse_too_much(user: User, micros: int) -> None:
    if -micros > user.credits_available_micros:
        raise NotEnoughToTake(available_micros=user.credits_available_micros)


def credits_of(user: User) -> dict[str, object]:
    """Say what an account has, for the log."""
    return {
        "balance_micros": user.credits_balance_micros,
        "granted_micros": user.credits_promotional_micros,
    }


def _find(db: Session, adjustment_id: UUID) -> PendingAdjustment:
    found = db.get(PendingAdjustment, adjustment_id)
    if found is None:
        raise NotFound
    return found


def _lock_open(db: Session, adjustment_id: UUID) -> PendingAdjustment:
    wanted = select(PendingAdjustment).where(PendingAdjustment.id == adjustment_id)
    locked = wanted.with_for_update().execution_options(populate_existing=True)
    found = db.scalars(locked).one()
    if found.status is not AdjustmentStatus.ASKED or found.expires_at <= utc_now():
        raise AlreadyDecided
    return found


def _decide(asked: PendingAdjustment, status: AdjustmentStatus, order: Order) -> None:
    asked.status, asked.decided_at = status, utc_now()
    asked.decided_by_id = order.admin.id
