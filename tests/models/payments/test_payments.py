"""Payments: credited once, whatever is told and in whatever order."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_events
from gateways.stripe_events import Notice, SavedCard
from models import ledger, payments
from models.base import utc_now
from models.database import unit_of_work
from models.jobs.closures import AccountClosing
from models.schema.ledger import EntryKind
from models.schema.payments import BillingAccount, EventTrouble, Payment, PaymentStatus, StripeEvent
from models.schema.users import User
from tests import factories
from tests.payments import GRANT, NOW, TEN, bought, kinds, notice


def test_nothing_is_credited_before_stripe_says_so(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)

    assert payment.status is PaymentStatus.OPEN
    assert ada.credits_balance_micros == GRANT


@pytest.mark.parametrize("amount", [0, -TEN, 4_990_000, 500_010_000, 5_000_001])
def test_amounts_out_of_bounds_are_refused(db: Session, ada: User, amount: int) -> None:
    with pytest.raises(payments.BadAmount):
        payments.begin(db, ada.id, amount)


def test_a_payment_is_credited_once_whatever_is_told(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    told = notice(payment, "paid")

    assert stripe_events.take_in(told)
    assert not stripe_events.take_in(told)
    assert stripe_events.take_in(notice(payment, "paid"))

    assert kinds(db, ada) == [(EntryKind.GRANT, GRANT, GRANT), (EntryKind.TOP_UP, TEN, 0)]
    assert ledger.drift(db, ada.id) == 0
    assert ada.credits_bought_micros == TEN


def test_nobody_is_shown_the_payments_of_others(db: Session, ada: User, eve: User) -> None:
    payment = payments.begin(db, ada.id, TEN)

    assert payments.list_own(db, ada.id) == [payment]
    assert payments.list_own(db, eve.id) == []


def test_what_is_paid_stays_as_it_was_paid(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    before = (payment.charged_micros, payment.paid_at, payment.stripe_intent_id)

    stripe_events.take_in(notice(payment, "paid", paid_cents=1_190, intent_id="pi_another"))

    db.refresh(payment)
    assert (payment.charged_micros, payment.paid_at, payment.stripe_intent_id) == before


def test_twenty_deliveries_at_once_credit_once(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        owner = factories.user(setup, "grace@example.org")
        payment = payments.begin(setup, owner.id, TEN)
    told = [notice(payment, "paid", event_id) for event_id in ("evt_1", "evt_2")] * 10

    outcomes = factories.in_parallel(20, lambda: stripe_events.take_in(told.pop()))

    assert outcomes == [None] * 20
    with Session(emptied) as check:
        assert check.get_one(User, owner.id).credits_balance_micros == GRANT + TEN
        assert ledger.drift(check, owner.id) == 0
        assert check.scalar(sa.select(sa.func.count()).select_from(StripeEvent)) == 2


def test_another_amount_than_we_asked_for_is_set_aside(
    db: Session, ada: User, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    for wrong in (notice(payment, "paid", bought_cents=1), notice(payment, "paid", currency="jpy")):
        assert stripe_events.take_in(wrong)
        assert not stripe_events.take_in(wrong)

        assert capsys.readouterr().out.count("stripe.set_aside") == 1
        event = db.get_one(StripeEvent, wrong.event_id)
        assert event.trouble is EventTrouble.AMOUNT_DIFFERS
        assert event.trouble_details["payment_id"] == str(payment.id)
    db.refresh(ada)
    db.refresh(payment)
    assert (ada.credits_balance_micros, payment.status) == (GRANT, PaymentStatus.OPEN)

    assert stripe_events.take_in(notice(payment, "paid"))
    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN


def test_a_bank_that_takes_its_time_is_waited_for(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    stripe_events.take_in(notice(payment, "processing"))
    assert db.get_one(Payment, payment.id, populate_existing=True).is_pending
    stripe_events.take_in(notice(payment, "paid"))
    stripe_events.take_in(notice(payment, "processing"))
    stripe_events.take_in(notice(payment, "failed"))
    stripe_events.take_in(notice(payment, "expired"))

    db.refresh(payment)
    assert payment.status is PaymentStatus.PAID


def test_a_failed_payment_that_is_paid_after_all_counts(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    stripe_events.take_in(notice(payment, "failed", failure_code="card_declined"))
    stripe_events.take_in(notice(payment, "processing"))
    assert db.get_one(Payment, payment.id, populate_existing=True).failure
    stripe_events.take_in(notice(payment, "paid"))

    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN


def test_a_card_is_kept_and_forgotten(db: Session, ada: User) -> None:
    payments.record_customer(db, ada.id, "cus_1")
    payments.record_customer(db, ada.id, "cus_2")
    db.commit()
    card = SavedCard("pm_1", "visa", "4242")
    about = {"customer_id": "cus_1", "card": card}
    stripe_events.take_in(Notice("evt_1", "attached", "card_saved", NOW, **about))  # pyright: ignore[reportArgumentType]
    account = db.get_one(BillingAccount, ada.id, populate_existing=True)
    assert (account.stripe_customer_id, account.card_last4) == ("cus_1", "4242")

    stripe_events.take_in(Notice("evt_2", "detached", "card_removed", NOW, **about))  # pyright: ignore[reportArgumentType]
    assert db.get_one(BillingAccount, ada.id, populate_existing=True).card_id is None


def test_whoever_is_to_be_deleted_buys_nothing(db: Session, ada: User) -> None:
    ada.deletion_due_at = utc_now()
    db.flush()
    with pytest.raises(AccountClosing):
        payments.begin(db, ada.id, TEN)
