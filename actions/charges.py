"""What follows from a charge, once it is in the books."""

from uuid import UUID

from sqlalchemy.orm import Session

from actions import billing_emails, wakeups
from models.database import after_commit
from models.ledger import alerts
from models.payments import auto_topup


def follow_up(db: Session, user_id: UUID, charged_micros: int) -> None:
    """Tell a user of the limits that a charge has reached, and top up after the commit if due."""
    if charged_micros:
        billing_emails.tell_alerts(db, alerts.raise_due(db, user_id))
    if auto_topup.due(db, user_id):
        after_commit(db, lambda: wakeups.top_up(user_id))
