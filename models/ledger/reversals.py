"""Charges that are given back because no answer came of them, and those that stand all the same."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.base import utc_now
from models.ledger.entries import lock_account
from models.ledger.write_offs import room_today, write_off
from models.schema.ledger import EntryKind, Transaction, WriteOffReason
from models.schema.model_calls import ModelCall
from models.schema.standing_charges import StandingCharge
from models.schema.users import User


@dataclass(frozen=True)
class GivenBack:
    """What became of charges without an answer: the micros that went back, and those that stand."""

    micros: int
    standing_micros: int


def refund_job(
    db: Session, job_id: UUID, *, attempt: int | None = None, reason: WriteOffReason
) -> GivenBack:
    """Give back what a job's calls were charged, as far as the day's cap goes.

    A call's charge goes back whole or not at all; one that does not fit stands for good, until
    somebody gives it back by hand. The caller has locked the account. Told twice, nothing changes.
    """
    charges = _charges_of(db, job_id, attempt)
    if not charges:
        return GivenBack(0, 0)
    user = lock_account(db, charges[0][1].user_id)
    stands = _standing(db, job_id)
    back = standing = 0
    for call, charge in charges:
        micros = -charge.amount_micros
        if call.id in stands or not _give_back(db, user, call, charge, reason):
            standing += micros
        else:
            back += micros
    db.flush()
    return GivenBack(back, standing)


def refund_by_hand(db: Session, user_id: UUID) -> int:
    """Give all standing charges of an account back, whatever the cap; return the micros.

    For somebody of ours who has looked at what happened.
    """
    user = lock_account(db, user_id)
    wanted = (
        select(StandingCharge, ModelCall, Transaction)
        .join(ModelCall, ModelCall.id == StandingCharge.call_id)
        .join(Transaction, Transaction.call_id == ModelCall.id)
        .where(
            StandingCharge.user_id == user_id,
            StandingCharge.given_back_at.is_(None),
            Transaction.kind == EntryKind.CHARGE,
        )
    )
    total = 0
    for stands, call, charge in db.execute(wanted.order_by(StandingCharge.id)).all():
        entry = _refund(call, charge)
        cost = charge.provider_cost_micros or 0
        write_off(db, user, entry, WriteOffReason.BY_HAND, carried_micros=cost)
        stands.given_back_at = utc_now()
        total += entry.amount_micros
    db.flush()
    return total


def standing_micros(db: Session, user_id: UUID, since: datetime | None = None) -> int:
    """Add up what stands of a person's charges without an answer, of all time or since then."""
    total = select(func.coalesce(func.sum(StandingCharge.charged_micros), 0)).where(
        StandingCharge.user_id == user_id, StandingCharge.given_back_at.is_(None)
    )
    if since is not None:
        total = total.where(StandingCharge.created_at >= since)
    return int(db.scalar(total) or 0)


def charged(db: Session, job_id: UUID) -> int:
    """Return what a job has cost its person by now, in micros."""
    total = select(-func.coalesce(func.sum(Transaction.amount_micros), 0))
    return int(db.scalar(total.where(Transaction.job_id == job_id)) or 0)


def charged_by_call(db: Session, call_id: UUID) -> int:
    """Return what a call has cost its user by now, in micros."""
    total = select(-func.coalesce(func.sum(Transaction.amount_micros), 0))
    return int(db.scalar(total.where(Transaction.call_id == call_id)) or 0)


def _charges_of(
    db: Session, job_id: UUID, attempt: int | None
) -> list[tuple[ModelCall, Transaction]]:
    """List a job's calls with their charges that were not given back, in the order of the calls."""
    refund = aliased(Transaction)
    wanted = (
        select(ModelCall, Transaction)
        .join(Transaction, Transaction.call_id == ModelCall.id)
        .where(
            ModelCall.job_id == job_id,
            Transaction.kind == EntryKind.CHARGE,
            Transaction.amount_micros < 0,
            ~select(refund.id).where(refund.reverses_id == Transaction.id).exists(),
        )
        .order_by(ModelCall.id)
    )
    if attempt is not None:
        wanted = wanted.where(ModelCall.attempt == attempt)
    return [(call, charge) for call, charge in db.execute(wanted)]


def _standing(db: Session, job_id: UUID) -> set[UUID]:
    stands = select(StandingCharge.call_id).where(StandingCharge.job_id == job_id)
    return set(db.scalars(stands))


def _give_back(
    db: Session, user: User, call: ModelCall, charge: Transaction, reason: WriteOffReason
) -> bool:
    """Give a charge back if it fits into what is left of the day; else note that it stands.

    Tells whether it went back.
    """
    cost, room = charge.provider_cost_micros or 0, room_today(db, user)
    if cost <= room.left_micros:
        write_off(db, user, _refund(call, charge), reason, carried_micros=cost, room=room)
        return True
    db.add(
        StandingCharge(
            user_id=user.id,
            call_id=call.id,
            job_id=call.job_id,
            reason=reason,
            charged_micros=-charge.amount_micros,
        )
    )
    return False


def _refund(call: ModelCall, charge: Transaction) -> Transaction:
    return Transaction(
        amount_micros=-charge.amount_micros,
        # It goes back to where it came from.
        promotional_micros=-charge.promotional_micros,
        reference=f"refund:{call.id}",
        call_id=call.id,
        reverses_id=charge.id,
        job_id=call.job_id,
        model=call.model,
    )
