"""Money of payments that goes back to who paid, and refunds that fail at Stripe.

Each refund is known by Stripe's own id, so its events may come in any order and as often as they
like: one that has failed stays so.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import utc_now
from models.payments.auto_unfreeze import lift
from models.payments.failures import stop_after_return
from models.payments.stripe_effects import TooEarly, share
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, EntryNote, FreezeReason
from models.schema.payments import Payment, Refund
from models.schema.users import User


def made(db: Session, user: User, payment: Payment, refund_id: str, back_micros: int) -> bool:
    """Take the credits of a refund back, once; `back_micros` is the money that goes back.

    What had been used up already is at our expense, and freezes spending. Topping up by itself
    ends, which would charge the same money again; returns whether it has now. Raises TooEarly, also
    while refunds are known of more than was paid: one of those has failed and we were not told yet.
    """
    if db.get(Refund, refund_id) is not None:
        return False
    back = _back_so_far(db, payment) + back_micros
    due = max(share(payment, back) - payment.returned_micros, 0)
    if back > (payment.charged_micros or 0):
        raise TooEarly(f"refund {refund_id}")
    taken = 0
    if due:
        taken = ledger.clawback(
            db,
            user,
            EntryKind.PAYMENT_REFUND,
            due,
            reference=_reference(refund_id),
            note=EntryNote.PAYMENT_REFUNDED,
        )
    _keep(db, payment, Refund(id=refund_id, back_micros=back_micros), taken, due - taken)
    if taken < due:
        ledger.freeze(user, FreezeReason.REFUND)
    db.flush()
    return due > 0 and stop_after_return(db, user.id)


def failed(
    db: Session, user: User, payment: Payment, refund_id: str, back_micros: int
) -> list[Job]:
    """Give back what a refund took, as its money did not arrive; return the messages that go on.

    It may be told before the refund was: then that takes nothing any more. Raises TooEarly.
    """
    share(payment, back_micros)
    refund = db.get(Refund, refund_id, populate_existing=True)
    if refund is None:
        gone = Refund(id=refund_id, back_micros=back_micros, failed_at=utc_now())
        _keep(db, payment, gone, 0, 0)
        return []
    if refund.failed_at is not None:
        return []
    refund.failed_at = utc_now()
    if refund.taken_micros or refund.absorbed_micros:
        reference = _reference(refund_id)
        ledger.give_back(db, user, reference, refund.absorbed_micros, EntryNote.REFUND_FAILED)
    payment.returned_micros -= refund.taken_micros + refund.absorbed_micros
    payment.absorbed_micros -= refund.absorbed_micros
    db.flush()
    lift(db, user)
    return jobs.resume(db, user.id)


def _keep(db: Session, payment: Payment, refund: Refund, taken: int, absorbed: int) -> None:
    refund.payment_id = payment.id
    refund.taken_micros, refund.absorbed_micros = taken, absorbed
    payment.returned_micros += taken + absorbed
    payment.absorbed_micros += absorbed
    db.add(refund)
    db.flush()


def _back_so_far(db: Session, payment: Payment) -> int:
    alive = select(func.coalesce(func.sum(Refund.back_micros), 0)).where(
        Refund.payment_id == payment.id, Refund.failed_at.is_(None)
    )
    return int(db.scalar(alive) or 0)


def _reference(refund_id: str) -> str:
    return f"payment-refund:{refund_id}"
