"""Payments that their payer's bank takes back."""

from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import utc_now
from models.payments.auto_unfreeze import lift
from models.payments.failures import stop_after_return
from models.payments.stripe_effects import share
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, EntryNote, FreezeReason
from models.schema.payments import Dispute, DisputeStatus, Payment
from models.schema.users import User

# Somebody only asks; no money has moved.
INQUIRY = "warning_"


def opened(
    db: Session, user: User, payment: Payment, dispute_id: str, back_micros: int, status: str
) -> bool:
    """Take the credits of a disputed payment back, once per dispute; an inquiry takes nothing.

    What had been used up already is at our expense, and freezes spending. Topping up by itself
    ends, which would charge the same money again; returns whether it has now.
    """
    if status.startswith(INQUIRY) or db.get(Dispute, dispute_id) is not None:
        return False
    _take(db, user, payment, dispute_id, back_micros)
    return stop_after_return(db, user.id)


def closed(
    db: Session, user: User, payment: Payment, dispute_id: str, back_micros: int, status: str
) -> list[Job]:
    """End a dispute: one that was won gives everything back, one that was lost stays.

    Returns the messages that go on with what came back.

    It may be told before the beginning was: then that changes nothing any more.
    """
    is_lost = status == "lost"
    dispute = db.get(Dispute, dispute_id, populate_existing=True)
    if dispute is None:
        kept = back_micros if is_lost else 0
        dispute = _take(db, user, payment, dispute_id, kept)
    elif dispute.status is not DisputeStatus.OPEN:
        return []
    elif not is_lost:
        _undo(db, user, dispute)
    dispute.status = DisputeStatus.LOST if is_lost else DisputeStatus.WON
    dispute.closed_at = utc_now()
    db.flush()
    if is_lost:
        return []
    lift(db, user)
    return jobs.resume(db, user.id)


def _take(db: Session, user: User, payment: Payment, dispute_id: str, micros: int) -> Dispute:
    due = min(share(payment, micros), payment.amount_micros - payment.returned_micros)
    taken = 0
    if due:
        taken = ledger.clawback(
            db,
            user,
            EntryKind.CHARGEBACK,
            due,
            reference=_reference(dispute_id),
            note=EntryNote.PAYMENT_DISPUTED,
        )
    dispute = Dispute(
        id=dispute_id,
        payment_id=payment.id,
        status=DisputeStatus.OPEN,
        taken_micros=taken,
        absorbed_micros=due - taken,
    )
    db.add(dispute)
    if taken < due:
        ledger.freeze(user, FreezeReason.DISPUTE)
    db.flush()
    return dispute


def _undo(db: Session, user: User, dispute: Dispute) -> None:
    if dispute.taken_micros or dispute.absorbed_micros:
        reference = _reference(dispute.id)
        ledger.give_back(db, user, reference, dispute.absorbed_micros, EntryNote.DISPUTE_WON)


def _reference(dispute_id: str) -> str:
    return f"dispute:{dispute_id}"
