"""What is to be deleted at Stripe of erased accounts: noted in their transaction, struck out later.

Stripe is asked again until it has done so, however often whoever asks dies in between.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import database
from models.schema.customer_deletions import CustomerDeletion
from models.schema.payments import BillingAccount

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=1)


def want(db: Session, user_id: UUID) -> None:
    """Note that the customer of an account is to be deleted at Stripe, if there is one."""
    billing = db.get(BillingAccount, user_id)
    if billing is None or billing.stripe_customer_id is None:
        return
    strike_out(db, billing.stripe_customer_id)


def strike_out(db: Session, customer_id: str) -> None:
    """Note that this customer is to be deleted at Stripe."""
    wanted = insert(CustomerDeletion).values(customer_id=customer_id)
    db.execute(wanted.on_conflict_do_nothing())


def claim_next(db: Session) -> str | None:
    """Take the customer that has waited longest; nobody else is given it for a while."""
    found = db.scalar(
        select(CustomerDeletion)
        .where(CustomerDeletion.due_at <= func.clock_timestamp())
        .order_by(CustomerDeletion.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return None
    # What fails is asked again later each time.
    wait = min(FIRST_WAIT * 2 ** min(found.attempts, 20), LONGEST_WAIT)
    found.attempts += 1
    found.due_at = database.clock(db) + wait
    db.flush()
    return found.customer_id


def note_done(db: Session, customer_id: str) -> None:
    """Strike out a customer whom Stripe has no more."""
    db.execute(delete(CustomerDeletion).where(CustomerDeletion.customer_id == customer_id))
