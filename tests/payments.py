"""Payments in tests: what Stripe would tell of them, and credits to spend."""

from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_events
from gateways.stripe_events import Notice
from models import payments
from models.base import new_id, utc_now
from models.schema.ledger import EntryKind, Transaction
from models.schema.payments import Payment
from models.schema.users import User
from tests import factories

GRANT = 1_000_000
TEN = 10_000_000
NOW = utc_now()


def notice(payment: Payment, happening: str, event_id: str = "", **more: object) -> Notice:
    given: dict[str, object] = {
        "payment_id": payment.id,
        "intent_id": f"pi_{payment.id}",
        "currency": "usd",
        "bought_cents": payment.amount_micros // 10_000,
        "paid_cents": payment.amount_micros // 10_000,
        **more,
    }
    return Notice(event_id or f"evt_{new_id()}", happening, happening, NOW, **given)  # pyright: ignore[reportArgumentType]


def refund(payment: Payment, cents: int, name: str = "re_1", *, fails: bool = False) -> Notice:
    """Money that goes back, or a refund that failed; Stripe names the payment by its own id."""
    happening = "refund_failed" if fails else "refunded"
    about = {"refund_id": name, "back_cents": cents}
    return replace(notice(payment, happening), payment_id=None, **about)  # pyright: ignore[reportArgumentType]


def dispute(
    payment: Payment, happening: str, status: str, cents: int, name: str = "du_1"
) -> Notice:
    about = {"dispute_id": name, "dispute_status": status, "back_cents": cents}
    return replace(notice(payment, happening), payment_id=None, **about)  # pyright: ignore[reportArgumentType]


def bought(db: Session, user: User, micros: int = TEN) -> Payment:
    payment = payments.begin(db, user.id, micros)
    db.commit()
    stripe_events.take_in(notice(payment, "paid"))
    db.refresh(payment)
    db.refresh(user)
    return payment


def spend(db: Session, user: User, micros: int) -> UUID:
    """Let a message cost so much."""
    job = factories.running(db, user)
    factories.charge(db, job, micros)
    factories.answer(db, job)
    db.commit()
    return job.id


def kinds(db: Session, user: User) -> list[tuple[EntryKind, int, int]]:
    found = db.execute(
        sa.select(Transaction.kind, Transaction.amount_micros, Transaction.promotional_micros)
        .where(Transaction.user_id == user.id)
        .order_by(Transaction.id)
    )
    return [(row[0], row[1], row[2]) for row in found]
