"""The end of a freeze that money going back had begun, once nothing is owed any more."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models import ledger
from models.ledger import freezes
from models.schema.audits import AuditFinding
from models.schema.ledger import FreezeReason
from models.schema.payments import Dispute, DisputeStatus, Payment, Refund
from models.schema.users import User

# What ends by itself once nothing is owed any more.
OWING = frozenset({FreezeReason.DISPUTE, FreezeReason.REFUND})


def lift(db: Session, user: User) -> None:
    """Let a locked account spend again if refunds or disputes froze it, and none is open any more.

    What somebody has unfrozen by hand is forgiven. What an audit found keeps it frozen.
    """
    if user.spending_frozen_reason not in OWING:
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
        ledger.freeze(user, FreezeReason.AUDIT)
