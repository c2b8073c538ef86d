"""What speaks against users: each sign where it is, and nothing where all is as usual."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import payments
from models.base import utc_now
from models.ops import abuse_scores
from models.payments import cards
from models.people import shared_devices
from models.schema.abuse import AbuseReason, AccessRule, SubjectKind, Verdict
from models.schema.free_credit import FreeCreditClaim, FreeCreditRefusal, RefusalReason
from models.schema.payments import (
    Dispute,
    DisputeStatus,
    Payment,
    PaymentFailure,
    PaymentKind,
    PaymentStatus,
)
from models.schema.rollups import UserDay
from models.schema.users import User
from tests import factories

DAY = timedelta(days=1)


def found(db: Session, user: User) -> Mapping[AbuseReason, int]:
    """The reasons against a user, with how much of each."""
    db.flush()
    abuse_scores.rescore(db, utc_now())
    db.expire_all()
    return {one.reason: one.number for one in abuse_scores.find(db, user.id)}


def spent(db: Session, user: User, *cents: int) -> None:
    """What a user spent on the days before, and today last."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for back, amount in enumerate(reversed(cents)):
        db.add(
            UserDay(user_id=user.id, begins_at=today - back * DAY, revenue_micros=amount * 10_000)
        )


def test_nothing_speaks_against_who_does_nothing_odd(db: Session, ada: User, eve: User) -> None:
    spent(db, ada, 150, 180, 160, 170, 155, 250)
    db.add(FreeCreditClaim(user_id=ada.id, mailbox_hash="a", network_hash="n"))
    shared_devices.note(db, ada.id, [eve.id])
    assert found(db, ada) == {}


@pytest.mark.parametrize(
    ("cents", "is_odd"),
    [
        # Far beyond a quiet habit.
        ((100, 110, 90, 100, 105, 900), True),
        # A habit of ups and downs, of which this is another.
        ((100, 900, 200, 1_000, 300, 1_100), False),
        # One odd day before does not make another one usual.
        ((100, 110, 5_000, 100, 105, 90, 4_000), True),
        # Too few days, or too little money, to say so.
        ((100, 110, 900), False),
        ((1, 1, 1, 1, 1, 1, 150), False),
    ],
)
def test_spending_is_held_against_what_is_usual(
    db: Session, ada: User, cents: tuple[int, ...], is_odd: bool
) -> None:
    spent(db, ada, *cents)
    expected = {AbuseReason.SPEND_ANOMALY: cents[-1]} if is_odd else {}
    assert found(db, ada) == expected


def test_crowds_of_a_network_and_of_a_new_domain(db: Session) -> None:
    crowd = [factories.user(db, f"p{number}@fresh.example") for number in range(10)]
    for number, user in enumerate(crowd):
        network = "crowded" if number < 5 else f"own-{number}"
        db.add(FreeCreditClaim(user_id=user.id, mailbox_hash=str(number), network_hash=network))
    known = [factories.user(db, f"p{number}@known.example") for number in range(10)]
    known[0].created_at = utc_now() - 60 * DAY
    assert found(db, crowd[0]) == {AbuseReason.NETWORK_CROWDED: 5, AbuseReason.DOMAIN_CROWDED: 10}
    assert found(db, crowd[7]) == {AbuseReason.DOMAIN_CROWDED: 10}
    assert found(db, known[3]) == {}


def test_cards_devices_refusals_and_payments(db: Session, ada: User, eve: User) -> None:
    grace = factories.user(db, "grace@example.org")
    for user in (ada, eve):
        payments.record_customer(db, user.id, f"cus_{user.id.hex}")
        cards.saved(db, user.id, f"pm_{user.id.hex}", "visa", "4242", "the-same")
    payments.record_customer(db, grace.id, "cus_grace")
    cards.saved(db, grace.id, "pm_grace", "visa", "4242", "another")
    shared_devices.note(db, ada.id, [eve.id, grace.id])
    refusal = FreeCreditRefusal(user_id=ada.id, reason=RefusalReason.CLAIMED, mailbox_hash="m")
    db.add(refusal)
    for number in range(3):
        db.add(
            Payment(
                user_id=ada.id, kind=PaymentKind.CHECKOUT, status=PaymentStatus.FAILED,
                amount_micros=5, failure=PaymentFailure.CARD_DECLINED,
                stripe_intent_id=f"pi{number}",
            )
        )  # fmt: skip
    paid = Payment(
        user_id=ada.id, kind=PaymentKind.CHECKOUT, status=PaymentStatus.PAID, amount_micros=5,
        charged_micros=5, paid_at=utc_now(), stripe_intent_id="pi_paid",
    )  # fmt: skip
    db.add(paid)
    db.flush()
    db.add(
        Dispute(
            id="dp",
            payment_id=paid.id,
            status=DisputeStatus.OPEN,
            taken_micros=0,
            absorbed_micros=0,
        )
    )
    assert found(db, ada) == {
        AbuseReason.SHARED_CARD: 1,
        AbuseReason.SHARED_DEVICE: 2,
        AbuseReason.CREDIT_REFUSED: 1,
        AbuseReason.FAILED_PAYMENTS: 3,
        AbuseReason.DISPUTED: 1,
    }
    assert found(db, eve) == {AbuseReason.SHARED_CARD: 1}
    assert found(db, grace) == {}
    first, second = abuse_scores.list_page(db)
    assert (first.user.id, first.score) == (ada.id, 30 + 15 + 25 + 30 + 50)
    after = (first.score, first.user.id)
    assert [one.user.id for one in abuse_scores.list_page(db, after=after)] == [second.user.id]


def test_whoever_is_allowed_is_not_looked_at(db: Session, ada: User) -> None:
    spent(db, ada, 100, 110, 90, 100, 105, 900)
    rule = AccessRule(
        subject_kind=SubjectKind.USER, subject=str(ada.id), shown=ada.email, user_id=ada.id,
        verdict=Verdict.ALLOW, reason="A friend.",
    )  # fmt: skip
    db.add(rule)
    assert found(db, ada) == {}
    rule.ended_at = utc_now()
    assert found(db, ada) != {}
    assert db.scalar(sa.text("SELECT count(*) FROM abuse_scores")) == 1
