"""Refunds that admins order: once at Stripe, settled by its event, looked up when it is silent."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from actions import admin_refunds, stripe_backfill
from gateways.stripe_payments import PaymentsFailed
from gateways.stripe_refunds import FoundRefunds, RefundRequest, StripeRefunds
from models import ledger
from models.base import new_id, utc_now
from models.errors import NotFound
from models.ops.admin_actions import Order
from models.payments import refund_orders
from models.payments.refund_orders import NothingToRefund, RefundTooLarge
from models.people import users
from models.people.admin_roles import NotOfThisRole
from models.schema.admins import AdminAction, AdminActionKind, AdminRole
from models.schema.payments import Payment
from models.schema.refund_orders import RefundOrder, RefundOrderStatus
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.actions.test_automatic_charges import paid_by_hand, quiet
from tests.embedded.fake_stripe.served import ServedStripe

__all__ = ["quiet"]

TEN, DOLLAR = 10_000_000, 1_000_000


@pytest.fixture
def olga(db: Session) -> User:
    """Is an owner."""
    person = factories.user(db, "olga@example.org", name="Olga")
    users.set_admin_role(person, AdminRole.OWNER)
    db.commit()
    return person


@pytest.fixture
def paid(db: Session, ada: User, stripe: ServedStripe) -> Payment:
    """Ada has paid ten dollars at Stripe."""
    payment = paid_by_hand(db, ada, stripe, "4242")
    stripe_backfill.ask_stripe()
    db.refresh(payment)
    db.refresh(ada)
    return payment


def order(who: User) -> Order:
    return Order(who, "She paid twice.", new_id())


def placed(db: Session, who: User, payment: Payment, micros: int | None = None) -> RefundOrder:
    order_id = refund_orders.place(db, order(who), payment.id, micros)
    db.commit()
    return db.get_one(RefundOrder, order_id)


def at_stripe(stripe: ServedStripe) -> list[int]:
    """How many cents each refund there is of."""
    return [one["amount"] for one in stripe.api("GET", "refunds?limit=100").json()["data"]]


def test_a_refund_is_made_once_and_its_event_takes_the_credits(
    db: Session, olga: User, ada: User, paid: Payment, stripe: ServedStripe
) -> None:
    before = ada.credits_balance_micros
    wanted = placed(db, olga, paid, 4 * DOLLAR)
    for _ in range(3):
        admin_refunds.ask(wanted.id)
    assert at_stripe(stripe) == [400]
    db.refresh(wanted)
    assert wanted.status is RefundOrderStatus.ACCEPTED
    db.refresh(ada)
    assert ada.credits_balance_micros == before
    (ordered,) = refund_orders.list_of_user(db, ada.id)
    assert ordered.refund is None
    stripe_backfill.ask_stripe()
    db.refresh(ada)
    assert ada.credits_balance_micros == before - 4 * DOLLAR
    assert not any(ledger.audit(db, ada.id).values())
    (ordered,) = refund_orders.list_of_user(db, ada.id)
    assert ordered.refund
    assert ordered.refund.back_micros == 4 * DOLLAR
    (entry,) = db.scalars(sa.select(AdminAction))
    assert (entry.kind, entry.user_id) == (AdminActionKind.REFUND_ORDERED, ada.id)


def test_no_more_goes_back_than_was_paid(
    db: Session, olga: User, paid: Payment, stripe: ServedStripe
) -> None:
    once = order(olga)
    assert refund_orders.place(db, once, paid.id, 6 * DOLLAR)
    assert refund_orders.place(db, once, paid.id, 6 * DOLLAR) is None
    db.commit()
    with pytest.raises(RefundTooLarge):
        placed(db, olga, paid, 5 * DOLLAR)
    admin_refunds.ask(once.key)
    stripe_backfill.ask_stripe()
    db.refresh(paid)
    assert refund_orders.left_of(db, paid) == 4 * DOLLAR
    rest = placed(db, olga, paid)
    assert rest.back_micros == 4 * DOLLAR
    for nothing in (None, 0, 5_000, -DOLLAR):
        with pytest.raises(NothingToRefund):
            placed(db, olga, paid, nothing)
    assert at_stripe(stripe) == [600]


def test_only_owners_refund_and_only_what_was_paid(
    db: Session, olga: User, ada: User, paid: Payment
) -> None:
    with pytest.raises(NotFound):
        refund_orders.place(db, order(olga), new_id(), None)
    for role in (AdminRole.SUPPORT, AdminRole.VIEWER):
        users.set_admin_role(olga, role)
        with pytest.raises(NotOfThisRole):
            refund_orders.place(db, order(olga), paid.id, None)


def test_what_stripe_refuses_may_be_ordered_anew(
    db: Session, olga: User, paid: Payment, stripe: ServedStripe
) -> None:
    assert paid.stripe_intent_id
    stripe.api("POST", "refunds", payment_intent=paid.stripe_intent_id)
    wanted = placed(db, olga, paid)
    admin_refunds.ask(wanted.id)
    db.refresh(wanted)
    assert wanted.status is RefundOrderStatus.REFUSED
    assert refund_orders.left_of(db, paid) == TEN


def test_a_silent_stripe_is_asked_again_and_after_twenty_hours_looked_at(
    db: Session,
    olga: User,
    paid: Payment,
    stripe: ServedStripe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done, lost = placed(db, olga, paid, DOLLAR), placed(db, olga, paid, 2 * DOLLAR)
    make = StripeRefunds.refund

    def _silent(self: StripeRefunds, wanted: RefundRequest) -> str:
        if wanted.order_id == done.id:
            make(self, wanted)
        raise PaymentsFailed("no answer", permanent=False)

    monkeypatch.setattr(StripeRefunds, "refund", _silent)
    for one in (done, lost):
        admin_refunds.ask(one.id)
    asked: list[str] = []

    def _asked(*_: object) -> str:
        asked.append("again")
        raise PaymentsFailed("no answer", permanent=False)

    monkeypatch.setattr(StripeRefunds, "refund", _asked)
    with time_machine.travel(utc_now() + timedelta(minutes=4)):
        admin_refunds.look_after()
    assert asked == ["again", "again"]
    assert at_stripe(stripe) == [100]
    with time_machine.travel(utc_now() + admin_refunds.LOOKED_UP_AFTER + timedelta(minutes=1)):
        admin_refunds.look_after()
    assert asked == ["again", "again"]
    db.refresh(done)
    db.refresh(lost)
    assert done.status is RefundOrderStatus.ACCEPTED
    assert lost.status is RefundOrderStatus.LOST
    assert at_stripe(stripe) == [100]


def test_stripe_is_asked_twice_for_an_order_and_makes_one_refund(
    paid: Payment, stripe: ServedStripe
) -> None:
    assert paid.stripe_intent_id
    wanted = RefundRequest(new_id(), paid.stripe_intent_id, 100)
    made = {StripeRefunds(get_settings()).refund(wanted) for _ in range(2)}
    assert (len(made), at_stripe(stripe)) == (1, [100])


def test_all_that_is_looked_up_takes_two_questions_at_most(
    stripe: ServedStripe, db: Session, olga: User, paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        placed(db, olga, paid, 10_000)
    questions: list[datetime] = []
    look = StripeRefunds.refunds_since

    def _counted(self: StripeRefunds, since: datetime) -> FoundRefunds:
        questions.append(since)
        return look(self, since)

    monkeypatch.setattr(StripeRefunds, "refunds_since", _counted)
    with time_machine.travel(utc_now() + timedelta(hours=21)):
        admin_refunds.look_after()
    assert len(questions) == 1
    assert db.scalars(sa.select(RefundOrder.status)).all() == [RefundOrderStatus.LOST] * 3
    assert StripeRefunds(get_settings()).refunds_since(utc_now()).by_order == {}
