"""The end of a freeze that money going back had begun, once nothing is owed any more."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import freezes, ledger
from models.ledger import AuditFinding
from models.ledger.auditing import FROZEN
from models.payments.table import Dispute, DisputeStatus, Payment, Refund
from models.users import User

FROZEN_BY_DISPUTE = (
    "Sending is closed for now: a bank took a payment back after its credits had been used. You can"
    " read and download everything. Please write to us, and we will put it right."
)
FROZEN_BY_REFUND = (
    "Sending is closed for now: a payment was given back after its credits had been used. You can"
    " read and download everything. Please write to us, and we will put it right."
)


def thaw(db: Session, user: User) -> None:
    """Let a locked account spend again if refunds or disputes froze it, and none is open any more.

    What somebody has unfrozen by hand is forgiven. What an audit found keeps it frozen.
    """
    if user.spending_frozen_reason not in {FROZEN_BY_DISPUTE, FROZEN_BY_REFUND}:
        return
    since = freezes.last_end(db, user.id) or user.created_at
    refunds = exists().where(
        Refund.payment_id == Payment.id,
        Refund.failed_at.is_(None),
        Refund.absorbed_micros > 0,
        Refund.created_at > since,
    )
    disputes = exists().where(
        Dispute.payment_id == Payment.id,
        Dispute.status != DisputeStatus.WON,
        Dispute.absorbed_micros > 0,
        Dispute.created_at > since,
    )
    owed = select(Payment.id).where(Payment.user_id == user.id, refunds | disputes).limit(1)
    if db.scalar(owed) is not None:
        return
    ledger.unfreeze(user)
    found = ledger.open_findings().where(
        AuditFinding.user_id == user.id, AuditFinding.created_at > since
    )
    if db.scalar(found.limit(1)) is not None:
        ledger.freeze(user, FROZEN)
