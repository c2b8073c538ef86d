"""The books are held against Stripe's: what one of both lacks is found, whichever it is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from actions import stripe_backfill, stripe_reconciliation
from gateways.stripe_payments import StripePayments
from models import ledger
from models.base import utc_now
from models.ledger import freezes
from models.payments.reconciliation import PAYMENTS, REFUNDS
from models.schema.audits import AuditFinding, Books
from models.schema.payments import Payment, PaymentStatus, Refund
from models.schema.users import User
from settings import get_settings
from tasks import audits
from tests.actions.test_automatic_charges import TEN, paid_by_hand
from tests.embedded.fake_stripe.served import ServedStripe


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Stripe told just now counts at once."""
    # Stripe counts in whole seconds.
    monkeypatch.setattr(stripe_reconciliation, "SETTLES_WITHIN", -timedelta(minutes=1))


@pytest.fixture
def payment(db: Session, ada: User, stripe: ServedStripe) -> Payment:
    """A payment that both have."""
    paid = paid_by_hand(db, ada, stripe, "4242")
    stripe_backfill.ask_stripe()
    db.refresh(paid)
    return paid


def broken() -> list[tuple[str, str, int]]:
    """Which rules are broken, by what, and by how much."""
    found = stripe_reconciliation.compare().broken
    return [(rule, one.subject, one.off_by_micros) for rule in found for one in found[rule]]


def refunded(payment: Payment, stripe: ServedStripe, cents: int) -> str:
    intent = payment.stripe_intent_id
    made = stripe.api("POST", "refunds", payment_intent=intent, amount=str(cents))
    return made.json()["id"]


def test_what_both_have_is_right(payment: Payment, stripe: ServedStripe) -> None:
    stays, fails = refunded(payment, stripe, 200), refunded(payment, stripe, 300)
    stripe.act(f"refunds/{fails}/failure")
    stripe_backfill.ask_stripe()

    assert stays
    assert broken() == []


def test_a_payment_that_nobody_was_told_of_is_found(
    db: Session, ada: User, stripe: ServedStripe
) -> None:
    payment = paid_by_hand(db, ada, stripe, "4242")

    assert broken() == [(PAYMENTS, f"payment:{payment.id}", -TEN)]


def test_a_top_up_that_nobody_paid_is_found(db: Session, ada: User, payment: Payment) -> None:
    made_up = Payment(
        user_id=ada.id,
        kind=payment.kind,
        status=PaymentStatus.PAID,
        amount_micros=TEN,
        charged_micros=TEN,
        paid_at=utc_now(),
    )
    db.add(made_up)
    db.flush()
    ledger.top_up(db, ada, TEN, reference=f"payment:{made_up.id}")

    assert broken() == [(PAYMENTS, f"payment:{made_up.id}", TEN)]


def test_another_sum_than_was_paid_is_found(db: Session, payment: Payment) -> None:
    payment.charged_micros = TEN + 1
    db.commit()

    assert broken() == [(PAYMENTS, f"payment:{payment.id}", 1)]


def test_a_refund_that_nobody_was_told_of_is_found(payment: Payment, stripe: ServedStripe) -> None:
    refund = refunded(payment, stripe, 200)

    assert broken() == [(REFUNDS, f"refund:{refund}", -2_000_000)]


@pytest.mark.parametrize("failure", ["here", "there"])
def test_a_refund_that_failed_for_one_alone_is_found(
    db: Session, payment: Payment, stripe: ServedStripe, failure: str
) -> None:
    refund = refunded(payment, stripe, 200)
    stripe_backfill.ask_stripe()
    if failure == "there":
        stripe.act(f"refunds/{refund}/failure")
    else:
        db.execute(sa.update(Refund).values(failed_at=utc_now()))

    off_by = 2_000_000 if failure == "there" else -2_000_000
    assert broken() == [(REFUNDS, f"refund:{refund}", off_by)]


def test_a_refund_that_nobody_made_is_found(db: Session, payment: Payment) -> None:
    made_up = {"back_micros": 70_000, "taken_micros": 0, "absorbed_micros": 0}
    db.add(Refund(id="re_made_up", payment_id=payment.id, **made_up))
    db.flush()

    assert broken() == [(REFUNDS, "refund:re_made_up", 70_000)]


def test_what_was_told_just_now_may_be_on_its_way(
    db: Session, ada: User, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_reconciliation, "SETTLES_WITHIN", timedelta(minutes=15))
    paid_by_hand(db, ada, stripe, "4242")

    assert broken() == []


def test_a_finding_freezes_and_ends_when_both_agree_again(
    db: Session, ada: User, payment: Payment, stripe: ServedStripe
) -> None:
    refunded(payment, stripe, 200)
    assert [one.user_id for one in audits.audit_at_stripe()] == [ada.id]
    assert audits.audit_at_stripe() == []
    db.refresh(ada)
    assert ada.is_frozen
    with pytest.raises(freezes.StillBroken):
        freezes.end(db, ada.id)

    stripe_backfill.ask_stripe()
    assert audits.audit_at_stripe() == []

    assert db.scalars(sa.select(AuditFinding.resolved_at)).one() is not None
    freezes.end(db, ada.id)


def test_that_stripe_is_away_is_said_and_ends_nothing(
    payment: Payment, stripe: ServedStripe, db: Session, adjust: Callable[..., None]
) -> None:
    refunded(payment, stripe, 200)
    audits.audit_at_stripe()
    looked = ledger.last_runs(db)
    assert looked.keys() == {Books.STRIPE}
    adjust(STRIPE_API_BASE="http://127.0.0.1:9")

    with capture_logs() as lines:
        assert audits.audit_at_stripe() == []

    assert [line["event"] for line in lines] == ["audit.stripe_not_asked"]
    assert db.scalars(sa.select(AuditFinding.resolved_at)).one() is None
    assert ledger.last_runs(db) == looked


def test_a_list_that_is_cut_short_says_how_far_it_reaches(
    payment: Payment, stripe: ServedStripe
) -> None:
    refunded(payment, stripe, 200)
    refunded(payment, stripe, 300)
    since = utc_now() - timedelta(hours=1)
    till = StripePayments(get_settings())

    whole, cut = till.statement(since, 100), till.statement(since, 1)

    assert whole.since == since
    assert len(whole.refunds) > len(cut.refunds) == 1
    assert cut.since > since


def test_an_old_finding_is_looked_for_again(
    db: Session, payment: Payment, stripe: ServedStripe
) -> None:
    assert payment
    long_ago = utc_now() - timedelta(days=100)
    db.add(
        AuditFinding(
            user_id=payment.user_id,
            rule=PAYMENTS,
            subject="payment:of then",
            off_by_micros=1,
            created_at=long_ago,
        )
    )
    db.commit()
    # Both are looked at from then on, so it is seen to be over.
    audits.audit_at_stripe()
    assert db.scalars(sa.select(AuditFinding.resolved_at)).one() is not None
