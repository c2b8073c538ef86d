"""Automatic top-up, and asking Stripe for what it did not tell."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import automatic_charges, stripe_backfill, stripe_events, wakeups
from gateways.stripe_checkouts import CheckoutOrder
from gateways.stripe_payments import (
    AutomaticCharge,
    ChargeOutcome,
    StripePayments,
)
from models import ledger, payments
from models.base import new_id, utc_now
from models.database import unit_of_work
from models.ledger.entries import record
from models.payments import auto_topup
from models.payments.auto_topup import Plan
from models.people import account_deletion
from models.schema.customer_deletions import CustomerDeletion
from models.schema.emails import Email
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, FreezeReason, Transaction
from models.schema.payments import BillingAccount, Payment, PaymentStatus, TopUpOffReason
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.embedded.fake_stripe.served import ServedStripe
from tests.payments import dispute, notice, refund

TEN, TWO = 10_000_000, 2_000_000
PLAN = Plan(below_micros=TWO, amount_micros=TEN, monthly_micros=3 * TEN)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told: there are no workers here."""

    def _tell(*_: object) -> None:
        """Nobody."""

    monkeypatch.setattr(wakeups, "resumed", _tell)


def paid_by_hand(db: Session, user: User, stripe: ServedStripe, card: str) -> Payment:
    """Pay on the stand-in's page, keep the card, and lose the webhooks."""
    payment = payments.begin(db, user.id, TEN)
    db.commit()
    till = StripePayments(get_settings())
    customer = till.add_customer(user.id, user.email, user.name)
    order = CheckoutOrder(
        payment_id=payment.id,
        customer_id=customer,
        email=user.email,
        cents=1_000,
        title="Credits",
        saves_card=True,
        success_url="http://127.0.0.1/",
        cancel_url="http://127.0.0.1/",
        expires_at=utc_now() + timedelta(hours=1),
    )
    payments.record_customer(db, user.id, customer)
    db.commit()
    stripe.pay(till.begin_checkout(order).id, card)
    return payment


def spend_down(db: Session, user: User, left: int) -> None:
    db.refresh(user)
    spent = left - user.credits_balance_micros
    entry = Transaction(kind=EntryKind.CHARGE, amount_micros=spent, reference=f"spent:{new_id()}")
    assert record(db, user, entry)
    db.commit()


def topping_up_with(
    db: Session, user: User, stripe: ServedStripe, card: str = "4242", plan: Plan = PLAN
) -> BillingAccount:
    """Somebody who tops up by itself and is below their threshold."""
    paid_by_hand(db, user, stripe, card)
    stripe_backfill.ask_stripe()
    auto_topup.switch_on(db, user.id, plan)
    spend_down(db, user, TWO - 1)
    return db.get_one(BillingAccount, user.id, populate_existing=True)


def by_itself(db: Session, user: User) -> list[Payment]:
    db.expire_all()
    return [one for one in payments.list_own(db, user.id) if one.kind == "automatic"]


def switched_off_mails(db: Session) -> list[Email]:
    return list(db.scalars(sa.select(Email).where(Email.reference.like("top-up-off:%"))))


def mailed_once(db: Session, user: User) -> str:
    """What the one mail says that tells of the end of automatic top-up."""
    (mail,) = switched_off_mails(db)
    assert (mail.recipient, mail.subject) == (user.email, "Automatic top-up is off")
    assert "/billing" in mail.text_body
    return mail.text_body


def test_no_transaction_is_open_within_another_or_while_stripe_is_asked(
    db: Session, ada: User, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    topping_up_with(db, ada, stripe)
    begun = auto_topup.begin(db, ada.id)
    db.commit()
    assert begun
    opened: list[int] = []
    now_open = 0

    @contextmanager
    def _counted() -> Generator[Session]:
        nonlocal now_open
        now_open += 1
        opened.append(now_open)
        with unit_of_work() as session:
            yield session
        now_open -= 1

    class _Till(StripePayments):
        def charge(self, order: AutomaticCharge) -> ChargeOutcome:
            assert now_open == 0
            return super().charge(order)

    monkeypatch.setattr(automatic_charges, "unit_of_work", _counted)
    monkeypatch.setattr(automatic_charges, "StripePayments", _Till)
    automatic_charges.charge(begun.id)

    assert set(opened) == {1}
    assert len(opened) == 2


def test_what_webhooks_did_not_tell_is_asked_for_once(
    db: Session, ada: User, stripe: ServedStripe
) -> None:
    payment = paid_by_hand(db, ada, stripe, "4242")

    assert stripe_backfill.ask_stripe() >= 3
    assert stripe_backfill.ask_stripe() == 0

    db.refresh(payment)
    db.refresh(ada)
    assert payment.status is PaymentStatus.PAID
    assert payment.receipt_url
    assert ada.credits_bought_micros == TEN


def test_a_refund_that_failed_is_asked_for_as_well(
    db: Session, ada: User, stripe: ServedStripe
) -> None:
    payment = paid_by_hand(db, ada, stripe, "4242")
    stripe_backfill.ask_stripe()
    db.refresh(payment)
    refund = stripe.api("POST", "refunds", payment_intent=payment.stripe_intent_id).json()["id"]
    stripe_backfill.ask_stripe()
    db.refresh(ada)
    assert ada.credits_bought_micros == 0

    stripe.act(f"refunds/{refund}/failure")
    stripe_backfill.ask_stripe()

    db.refresh(ada)
    assert ada.credits_bought_micros == TEN


def test_what_waited_for_credits_goes_on(db: Session, ada: User, stripe: ServedStripe) -> None:
    spend_down(db, ada, 0)
    job = factories.job(db, ada)
    assert job.status is JobStatus.PAUSED
    paid_by_hand(db, ada, stripe, "4242")

    stripe_backfill.reconcile()

    waiting = db.get_one(Job, job.id, populate_existing=True)
    assert (waiting.status, waiting.is_head) == (JobStatus.PENDING, True)


def test_a_top_up_that_is_due_is_paid_once(db: Session, ada: User, stripe: ServedStripe) -> None:
    topping_up_with(db, ada, stripe)
    automatic_charges.begin(ada.id)
    automatic_charges.begin(ada.id)

    (payment,) = by_itself(db, ada)
    assert payment.status is PaymentStatus.PROCESSING
    assert ada.credits_balance_micros == TWO - 1
    stripe_backfill.ask_stripe()
    db.refresh(ada)
    assert ada.credits_balance_micros == TWO - 1 + TEN
    assert auto_topup.due(db) == []


def test_nothing_is_charged_unasked(db: Session, ada: User, stripe: ServedStripe) -> None:
    topping_up_with(db, ada, stripe)
    auto_topup.switch_off(db, ada.id)
    db.commit()
    stripe_backfill.reconcile()
    assert by_itself(db, ada) == []


def test_the_monthly_limit_really_stops(db: Session, ada: User, stripe: ServedStripe) -> None:
    topping_up_with(db, ada, stripe, plan=Plan(TWO, TEN, 2 * TEN))
    for _ in range(4):
        automatic_charges.begin(ada.id)
        stripe_backfill.ask_stripe()
        spend_down(db, ada, 1)
    assert len(by_itself(db, ada)) == 2


def test_a_bank_that_asks_its_customer_ends_it_at_once(
    db: Session, ada: User, stripe: ServedStripe
) -> None:
    topping_up_with(db, ada, stripe, "3155")
    automatic_charges.begin(ada.id)
    stripe_backfill.ask_stripe()

    account = db.get_one(BillingAccount, ada.id, populate_existing=True)
    assert not account.top_up_is_on
    assert account.top_up_off_reason is TopUpOffReason.BANK_ASKS
    assert "confirm each payment" in mailed_once(db, ada)
    assert [one.status for one in by_itself(db, ada)] == [PaymentStatus.FAILED]


def test_it_is_told_first_by_stripe_and_mailed_once_all_the_same(
    db: Session, ada: User, stripe: ServedStripe
) -> None:
    topping_up_with(db, ada, stripe, "3155")
    payment = auto_topup.begin(db, ada.id)
    assert payment
    db.commit()
    card = db.get_one(BillingAccount, ada.id)
    asked = {"payment_id": str(payment.id), "automatic": "yes"}
    form = {f"metadata[{name}]": value for name, value in asked.items()}
    stripe.api(
        "POST",
        "payment_intents",
        amount="1000",
        customer=card.stripe_customer_id,
        payment_method=card.card_id,
        **form,
    )
    stripe_backfill.ask_stripe()
    automatic_charges.charge(payment.id)
    stripe_backfill.ask_stripe()

    assert "confirm each payment" in mailed_once(db, ada)


def test_each_switching_off_is_mailed(db: Session, ada: User, stripe: ServedStripe) -> None:
    topping_up_with(db, ada, stripe, "3155")
    automatic_charges.begin(ada.id)
    auto_topup.switch_on(db, ada.id, PLAN)
    db.commit()
    automatic_charges.begin(ada.id)

    assert len(switched_off_mails(db)) == 2


def test_three_failures_in_a_row_end_it(db: Session, ada: User, stripe: ServedStripe) -> None:
    account = topping_up_with(db, ada, stripe, "0341")
    for tries in range(1, 4):
        assert db.get_one(BillingAccount, ada.id, populate_existing=True).top_up_is_on
        automatic_charges.begin(ada.id)
        # Told by Stripe as well, it still counts once.
        stripe_backfill.ask_stripe()
        account = db.get_one(BillingAccount, ada.id, populate_existing=True)
        assert account.top_up_failures == tries
        assert bool(switched_off_mails(db)) == (tries == 3)
    assert not account.top_up_is_on
    assert account.top_up_off_reason is TopUpOffReason.TRIED_TOO_OFTEN
    assert account.top_up_off_details == {"failure": "card_declined", "tries": 3}
    assert "It was tried 3 times." in mailed_once(db, ada)


def test_an_unanswered_charge_is_asked_for_again_and_paid_once(
    db: Session, ada: User, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    topping_up_with(db, ada, stripe)
    with monkeypatch.context() as changed:
        changed.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
        get_settings.cache_clear()
        automatic_charges.begin(ada.id)
    get_settings.cache_clear()
    (payment,) = by_itself(db, ada)
    assert payment.status is PaymentStatus.OPEN
    assert auto_topup.begin(db, ada.id) is None

    monkeypatch.setattr(automatic_charges, "UNANSWERED_AFTER", timedelta(0))
    automatic_charges.look_after()
    automatic_charges.charge(payment.id)
    stripe_backfill.ask_stripe()

    db.refresh(payment)
    db.refresh(ada)
    assert payment.status is PaymentStatus.PAID
    assert ada.credits_balance_micros == TWO - 1 + TEN
    assert ledger.drift(db, ada.id) == 0


def test_a_card_that_is_gone_ends_it(db: Session, ada: User, stripe: ServedStripe) -> None:
    account = topping_up_with(db, ada, stripe)
    payments.cards.removed(db, ada.id, account.card_id or "")
    assert account.top_up_off_reason == TopUpOffReason.CARD_REMOVED
    assert auto_topup.due(db) == []


@pytest.mark.parametrize("way", ["refund", "dispute"])
def test_money_that_went_back_is_not_charged_again(
    db: Session, ada: User, stripe: ServedStripe, way: str
) -> None:
    payment = paid_by_hand(db, ada, stripe, "4242")
    stripe_backfill.ask_stripe()
    auto_topup.switch_on(db, ada.id, PLAN)
    db.commit()
    db.refresh(payment)
    told = (
        refund(payment, 1_000)
        if way == "refund"
        else dispute(payment, "disputed", "needs_response", 1_000)
    )

    stripe_events.take_in(replace(told, intent_id=payment.stripe_intent_id))
    stripe_backfill.reconcile()

    assert by_itself(db, ada) == []
    account = db.get_one(BillingAccount, ada.id, populate_existing=True)
    assert not account.top_up_is_on
    assert account.top_up_off_reason is TopUpOffReason.MONEY_WENT_BACK


def erased(db: Session, user: User) -> None:
    user.deletion_due_at = utc_now()
    db.flush()
    account_deletion.close(db, user.id)
    db.commit()
    account_deletion.erase(db, user.id)
    db.commit()


def test_a_payment_of_an_erased_account_fails_and_holds_up_nobody(
    db: Session, ada: User, stripe: ServedStripe
) -> None:
    topping_up_with(db, ada, stripe)
    begun = auto_topup.begin(db, ada.id)
    assert begun
    begun.created_at = utc_now() - timedelta(minutes=10)
    db.commit()
    erased(db, ada)

    stripe_backfill.reconcile()

    assert db.get_one(Payment, begun.id, populate_existing=True).status is PaymentStatus.FAILED
    assert db.scalar(sa.select(sa.func.count()).select_from(CustomerDeletion)) == 0


def test_what_stripe_tells_of_an_erased_account_is_taken_in(
    db: Session, ada: User, stripe: ServedStripe
) -> None:
    topping_up_with(db, ada, stripe)
    begun = auto_topup.begin(db, ada.id)
    assert begun
    auto_topup.mark_accepted(db, begun.id)
    db.commit()
    erased(db, ada)

    assert stripe_events.take_in(notice(begun, "failed", failure_code="card_declined"))

    assert db.get_one(Payment, begun.id, populate_existing=True).status is PaymentStatus.FAILED


def test_one_that_breaks_holds_up_nobody(
    db: Session, ada: User, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    topping_up_with(db, ada, stripe)
    begin, asked = automatic_charges.begin, list[UUID]()

    def breaks_for_ada(user_id: UUID) -> None:
        asked.append(user_id)
        if user_id == ada.id:
            raise RuntimeError("no answer to this")
        begin(user_id)

    def both(_: Session) -> list[UUID]:
        return [ada.id, new_id()]

    monkeypatch.setattr(auto_topup, "due", both)
    monkeypatch.setattr(automatic_charges, "begin", breaks_for_ada)
    automatic_charges.look_after()

    assert len(asked) == 2


def test_a_key_that_stripe_does_not_take_switches_nothing_off(
    db: Session, ada: User, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    topping_up_with(db, ada, stripe)
    with monkeypatch.context() as changed:
        changed.setenv("STRIPE_SECRET_KEY", "no_key")
        get_settings.cache_clear()
        for _ in range(4):
            automatic_charges.look_after()
    get_settings.cache_clear()

    account = db.get_one(BillingAccount, ada.id, populate_existing=True)
    assert account.top_up_is_on
    assert [one.status for one in by_itself(db, ada)] == [PaymentStatus.OPEN]


@pytest.mark.parametrize("how", ["off", "deletion", "frozen", "old"])
def test_what_nobody_would_begin_any_more_is_not_charged_later(
    db: Session, ada: User, stripe: ServedStripe, how: str
) -> None:
    topping_up_with(db, ada, stripe)
    begun = auto_topup.begin(db, ada.id)
    assert begun
    begun.created_at = utc_now() - timedelta(hours=21 if how == "old" else 1)
    if how == "off":
        auto_topup.switch_off(db, ada.id)
    elif how == "deletion":
        account_deletion.order(db, ada)
    elif how == "frozen":
        ledger.freeze(ada, FreezeReason.DISPUTE)
    db.commit()

    automatic_charges.charge(begun.id)
    stripe_backfill.ask_stripe()

    closed = db.get_one(Payment, begun.id, populate_existing=True)
    assert closed.status is PaymentStatus.FAILED
    assert db.get_one(BillingAccount, ada.id, populate_existing=True).top_up_failures == 0


def test_an_inquiry_that_comes_to_nothing_switches_nothing_off(
    db: Session, ada: User, stripe: ServedStripe
) -> None:
    topping_up_with(db, ada, stripe)
    payment = db.scalars(sa.select(Payment).where(Payment.user_id == ada.id)).first()
    assert payment is not None
    told = dispute(payment, "dispute_closed", "warning_closed", 1_000)

    stripe_events.take_in(replace(told, intent_id=payment.stripe_intent_id))

    assert db.get_one(BillingAccount, ada.id, populate_existing=True).top_up_is_on
