"""Payments: credited once, taken back as far as there is, whatever the order."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from gateways.stripe_events import Notice, SavedCard
from models import ledger, payments
from models.base import new_id, utc_now
from models.database import unit_of_work
from models.ledger import CallCost, CallStatus, EntryKind, Transaction
from models.payments import (
    BillingAccount,
    Payment,
    PaymentStatus,
    StripeEvent,
    TooEarly,
    disputes,
    telling,
)
from models.users import User
from settings import get_settings
from tasks import stripe_notices
from tests import factories
from tests.factories import MODEL

GRANT = 1_000_000
TEN = 10_000_000
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


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


def dispute(
    payment: Payment, happening: str, status: str, cents: int, name: str = "du_1"
) -> Notice:
    about = {"dispute_id": name, "dispute_status": status, "back_cents": cents}
    return replace(notice(payment, happening), payment_id=None, **about)  # pyright: ignore[reportArgumentType]


def bought(db: Session, user: User, micros: int = TEN) -> Payment:
    payment = payments.begin(db, user.id, micros)
    db.commit()
    stripe_notices.take_in(notice(payment, "paid"))
    db.refresh(payment)
    db.refresh(user)
    return payment


def spend(db: Session, user: User, micros: int) -> UUID:
    """Let a message cost so much."""
    job = factories.running(db, user)
    call_id = new_id()
    ledger.open_call(
        db,
        call_id=call_id,
        user_id=user.id,
        job_id=job.id,
        attempt=job.attempt,
        model=MODEL,
        held=micros,
    )
    cost = CallCost(1, 1, 0, 0, micros // 2, micros, "test", is_estimated=False)
    ledger.close_call(db, call_id=call_id, status=CallStatus.COMPLETED, cost=cost)
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

    assert stripe_notices.take_in(told)
    assert not stripe_notices.take_in(told)
    assert stripe_notices.take_in(notice(payment, "paid"))

    assert kinds(db, ada) == [(EntryKind.GRANT, GRANT, GRANT), (EntryKind.TOP_UP, TEN, 0)]
    assert ledger.drift(db, ada.id) == 0
    assert ada.credits_bought_micros == TEN


def test_twenty_deliveries_at_once_credit_once(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        owner = factories.user(setup, "grace@example.org")
        payment = payments.begin(setup, owner.id, TEN)
    told = [notice(payment, "paid", event_id) for event_id in ("evt_1", "evt_2")] * 10

    outcomes = factories.in_parallel(20, lambda: stripe_notices.take_in(told.pop()))

    assert outcomes == [None] * 20
    with Session(emptied) as check:
        assert check.get_one(User, owner.id).credits_balance_micros == GRANT + TEN
        assert ledger.drift(check, owner.id) == 0
        assert check.scalar(sa.select(sa.func.count()).select_from(payments.StripeEvent)) == 2


def test_another_amount_than_we_asked_for_is_set_aside(
    db: Session, ada: User, capsys: pytest.CaptureFixture[str]
) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    for wrong in (notice(payment, "paid", bought_cents=1), notice(payment, "paid", currency="jpy")):
        assert stripe_notices.take_in(wrong)
        assert not stripe_notices.take_in(wrong)

        assert capsys.readouterr().out.count("stripe.set_aside") == 1
        assert str(payment.id) in (db.get_one(StripeEvent, wrong.event_id).trouble or "")
    db.refresh(ada)
    db.refresh(payment)
    assert (ada.credits_balance_micros, payment.status) == (GRANT, PaymentStatus.OPEN)

    assert stripe_notices.take_in(notice(payment, "paid"))
    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN


def test_taxes_are_paid_and_not_credited(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    stripe_notices.take_in(notice(payment, "paid", paid_cents=1_190))
    stripe_notices.take_in(notice(payment, "refunded", paid_cents=1_190, back_cents=595))

    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN // 2


def test_a_bank_that_takes_its_time_is_waited_for(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    stripe_notices.take_in(notice(payment, "processing"))
    assert db.get_one(Payment, payment.id, populate_existing=True).is_pending
    stripe_notices.take_in(notice(payment, "paid"))
    stripe_notices.take_in(notice(payment, "processing"))
    stripe_notices.take_in(notice(payment, "failed"))
    stripe_notices.take_in(notice(payment, "expired"))

    db.refresh(payment)
    assert payment.status is PaymentStatus.PAID


def test_a_failed_payment_that_is_paid_after_all_counts(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    stripe_notices.take_in(notice(payment, "failed", failure_code="card_declined"))
    stripe_notices.take_in(notice(payment, "processing"))
    assert db.get_one(Payment, payment.id, populate_existing=True).failure
    stripe_notices.take_in(notice(payment, "paid"))

    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN


def test_granted_credits_are_used_first(db: Session, ada: User) -> None:
    bought(db, ada)
    spend(db, ada, GRANT + 400)

    assert kinds(db, ada)[-1] == (EntryKind.CHARGE, -GRANT - 400, -GRANT)
    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (0, TEN - 400)


def test_what_a_charge_took_goes_back_to_where_it_was(db: Session, ada: User) -> None:
    bought(db, ada)
    job_id = spend(db, ada, GRANT + 400)
    ledger.refund_job(db, job_id, note="No answer came of it.")

    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (GRANT, TEN)


def test_refunds_take_bought_credits_and_add_up(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_notices.take_in(notice(payment, "refunded", back_cents=700))
    # The earlier of the two comes later.
    stripe_notices.take_in(notice(payment, "refunded", back_cents=300))

    db.refresh(ada)
    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (GRANT, TEN * 3 // 10)
    assert kinds(db, ada)[-1] == (EntryKind.PAYMENT_REFUND, -TEN * 7 // 10, 0)
    assert not ada.is_frozen


def test_a_refund_beyond_what_is_left_is_absorbed_and_freezes(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    spend(db, ada, GRANT + 9_000_000)
    stripe_notices.take_in(notice(payment, "refunded", back_cents=1_000))

    db.refresh(ada)
    db.refresh(payment)
    assert (ada.credits_balance_micros, payment.absorbed_micros) == (0, 9_000_000)
    absorbed = db.scalars(
        sa.select(Transaction).where(Transaction.kind == EntryKind.ABSORBED)
    ).one()
    assert absorbed.provider_cost_micros == 9_000_000
    assert ada.is_frozen
    with pytest.raises(ledger.SpendingFrozen, match="write to us"):
        payments.begin(db, ada.id, TEN)


def test_a_refund_before_its_payment_comes_again(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    early = notice(payment, "refunded", back_cents=1_000)
    with pytest.raises(TooEarly):
        stripe_notices.take_in(early)
    assert not telling.known(db, [early.event_id])

    stripe_notices.take_in(notice(payment, "paid"))
    assert stripe_notices.take_in(early)
    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT


def test_a_dispute_takes_the_credits_and_a_won_one_brings_them_back(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    spend(db, ada, GRANT + 4_000_000)
    stripe_notices.take_in(dispute(payment, "disputed", "needs_response", 1_000))
    db.refresh(ada)
    assert (ada.credits_balance_micros, ada.is_frozen) == (0, True)
    assert ada.spending_frozen_reason == disputes.FROZEN_BY_DISPUTE

    stripe_notices.take_in(dispute(payment, "dispute_closed", "won", 1_000))
    db.refresh(ada)
    assert (ada.credits_bought_micros, ada.is_frozen) == (6_000_000, False)
    costs = sa.select(sa.func.sum(Transaction.provider_cost_micros))
    assert db.scalar(costs.where(Transaction.kind == EntryKind.ABSORBED)) == 0
    assert ledger.drift(db, ada.id) == 0


@pytest.mark.parametrize(("status", "left"), [("won", GRANT + TEN), ("lost", GRANT)])
def test_the_end_of_a_dispute_may_come_before_its_beginning(
    db: Session, ada: User, status: str, left: int
) -> None:
    payment = bought(db, ada)
    stripe_notices.take_in(dispute(payment, "dispute_closed", status, 1_000))
    stripe_notices.take_in(dispute(payment, "disputed", "needs_response", 1_000))

    db.refresh(ada)
    assert ada.credits_balance_micros == left


def test_an_inquiry_takes_nothing(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_notices.take_in(dispute(payment, "disputed", "warning_needs_response", 1_000))
    stripe_notices.take_in(dispute(payment, "dispute_closed", "warning_closed", 1_000))

    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN


def test_a_dispute_about_a_payment_that_nobody_knows_comes_again(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    with pytest.raises(TooEarly):
        stripe_notices.take_in(dispute(payment, "disputed", "needs_response", 1_000))


def test_grants_lapse_and_bought_credits_never_do(db: Session, ada: User) -> None:
    bought(db, ada)
    spend(db, ada, 300_000)
    ledger.grant(db, ada.id, 500_000, reference="gift")
    db.execute(sa.text("ALTER TABLE transactions DISABLE TRIGGER transactions_append_only"))
    old = sa.update(Transaction).where(Transaction.reference == f"sign-up:{ada.id}")
    db.execute(old.values(created_at=utc_now() - timedelta(days=400)))
    db.execute(sa.text("ALTER TABLE transactions ENABLE TRIGGER transactions_append_only"))

    before = utc_now() - timedelta(days=365)
    assert ledger.expire_grants(db, before) == 1
    assert ledger.expire_grants(db, before) == 0

    assert kinds(db, ada)[-1] == (EntryKind.EXPIRY, -700_000, -700_000)
    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (500_000, TEN)
    assert ledger.drift(db, ada.id) == 0


def test_a_card_is_kept_and_forgotten(db: Session, ada: User) -> None:
    payments.is_customer(db, ada.id, "cus_1")
    payments.is_customer(db, ada.id, "cus_2")
    db.commit()
    card = SavedCard("pm_1", "visa", "4242")
    about = {"customer_id": "cus_1", "card": card}
    stripe_notices.take_in(Notice("evt_1", "attached", "card_saved", NOW, **about))  # pyright: ignore[reportArgumentType]
    account = db.get_one(BillingAccount, ada.id, populate_existing=True)
    assert (account.stripe_customer_id, account.card_last4) == ("cus_1", "4242")

    stripe_notices.take_in(Notice("evt_2", "detached", "card_removed", NOW, **about))  # pyright: ignore[reportArgumentType]
    assert db.get_one(BillingAccount, ada.id, populate_existing=True).card_id is None


@dataclass
class Told:
    """What a person's Stripe would have told, to be told again in any order."""

    paid: list[Payment] = field(default_factory=list[Payment])
    notices: list[Notice] = field(default_factory=list[Notice])
    back_cents: dict[UUID, int] = field(default_factory=dict[UUID, int])

    def tell(self, one: Notice) -> None:
        self.notices.append(one)
        try:
            stripe_notices.take_in(one)
        except TooEarly:
            return


STEPS = st.tuples(
    st.sampled_from(
        ["grant", "pay", "spend", "refund", "dispute", "win", "lose", "replay", "expire"]
    ),
    st.integers(1, 1_000),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, max_size=16))
def test_whatever_happens_the_buckets_add_up(db: Session, steps: list[tuple[str, int]]) -> None:
    owner = factories.user(db, f"{new_id()}@example.org")
    told = Told()
    for step, number in steps:
        _do(db, owner, told, step, number)
        db.refresh(owner)
        assert 0 <= owner.credits_promotional_micros <= owner.credits_balance_micros
        assert owner.credits_held_micros == 0
        assert ledger.drift(db, owner.id) == 0
    tops = sa.select(sa.func.coalesce(sa.func.sum(Transaction.amount_micros), 0)).where(
        Transaction.user_id == owner.id, Transaction.kind == EntryKind.TOP_UP
    )
    assert db.scalar(tops) == sum(payment.amount_micros for payment in told.paid)


def _do(db: Session, owner: User, told: Told, step: str, number: int) -> None:
    if step == "grant":
        ledger.grant(db, owner.id, number, reference=f"gift:{new_id()}")
    elif step == "spend":
        wanted = min(number * 9_000, owner.spendable_micros)
        if wanted > 0:
            spend(db, owner, wanted)
    elif step == "expire":
        ledger.expire_grants(db, utc_now() + timedelta(days=1))
    elif step == "pay" and not owner.is_frozen:
        payment = payments.begin(db, owner.id, get_settings().top_up_min_micros)
        db.commit()
        told.paid.append(payment)
        told.tell(notice(payment, "paid"))
    elif told.paid:
        _go_back(told, step, number)


def _go_back(told: Told, step: str, number: int) -> None:
    last = told.paid[number % len(told.paid)]
    if step == "replay":
        told.tell(told.notices[number % len(told.notices)])
    elif step == "refund":
        cents = told.back_cents[last.id] = min(told.back_cents.get(last.id, 0) + number, 500)
        told.tell(notice(last, "refunded", back_cents=cents))
    elif step != "pay":
        happening = "disputed" if step == "dispute" else "dispute_closed"
        status = {"dispute": "needs_response", "win": "won", "lose": "lost"}[step]
        told.tell(dispute(last, happening, status, min(number, 500), f"du_{last.id}"))
