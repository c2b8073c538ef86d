"""Credits lie in two buckets, granted and bought, which add up whatever happens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from actions import stripe_events
from gateways.stripe_events import Notice
from models import ledger, payments
from models.base import new_id, utc_now
from models.payments import TooEarly
from models.schema.ledger import EntryKind, Transaction, WriteOffReason
from models.schema.payments import Payment
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.payments import GRANT, TEN, bought, dispute, kinds, notice, refund, spend


def test_granted_credits_are_used_first(db: Session, ada: User) -> None:
    bought(db, ada)
    spend(db, ada, GRANT + 400)

    assert kinds(db, ada)[-1] == (EntryKind.CHARGE, -GRANT - 400, -GRANT)
    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (0, TEN - 400)


def test_what_a_charge_took_goes_back_to_where_it_was(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="1000000")
    bought(db, ada)
    job_id = spend(db, ada, GRANT + 400)
    ledger.refund_job(db, job_id, reason=WriteOffReason.JOB_FAILED)

    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (GRANT, TEN)


def test_grants_lapse_and_bought_credits_never_do(db: Session, ada: User) -> None:
    bought(db, ada)
    spend(db, ada, 300_000)
    ledger.grant(db, ada.id, 500_000, reference="gift")
    let_the_grant_grow_old(db, ada)

    before = utc_now() - timedelta(days=365)
    assert ledger.has_older_grants(db, before) == [ada.id]
    assert ledger.expire_grants(db, ada.id, before)
    assert ledger.has_older_grants(db, before) == []
    assert not ledger.expire_grants(db, ada.id, before)

    assert kinds(db, ada)[-1] == (EntryKind.EXPIRY, -700_000, -700_000)
    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (500_000, TEN)
    assert ledger.drift(db, ada.id) == 0


def test_what_a_running_call_holds_lapses_on_a_later_day(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.open_call(db, job, 400_000)
    later = utc_now() + timedelta(days=1)

    assert ledger.expire_grants(db, ada.id, later)
    assert ada.credits_promotional_micros == 400_000
    # Today it is looked at no more.
    assert ada.oldest_grant_at is not None
    assert ledger.has_older_grants(db, later) == []
    with time_machine.travel(later, tick=False):
        assert ledger.has_older_grants(db, later) == [ada.id]


def test_who_has_used_their_grants_up_is_looked_at_once(db: Session, ada: User) -> None:
    spend(db, ada, GRANT)
    later = utc_now() + timedelta(days=1)

    assert ledger.has_older_grants(db, later) == [ada.id]
    assert not ledger.expire_grants(db, ada.id, later)
    assert ledger.has_older_grants(db, later) == []
    ledger.grant(db, ada.id, 5, reference="gift")
    assert ledger.has_older_grants(db, later) == [ada.id]


def let_the_grant_grow_old(db: Session, user: User) -> None:
    """Let the grant of their sign-up be of more than a year ago."""
    old = sa.update(Transaction).where(Transaction.reference == f"sign-up:{user.id}")
    with factories.rewriting(db):
        db.execute(old.values(created_at=utc_now() - timedelta(days=400)))
    user.oldest_grant_at = utc_now() - timedelta(days=400)
    db.flush()


@dataclass
class PartialAnswer:
    """What a person's Stripe would have told, to be told again in any order."""

    paid: list[Payment] = field(default_factory=list[Payment])
    notices: list[Notice] = field(default_factory=list[Notice])

    def tell(self, one: Notice) -> None:
        self.notices.append(one)
        try:
            stripe_events.take_in(one)
        except TooEarly:
            return


STEPS = st.tuples(
    st.sampled_from(
        ["grant", "pay", "spend", "refund", "bounce", "dispute", "win", "lose", "replay", "expire"]
    ),
    st.integers(1, 1_000),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=16))
def test_whatever_happens_the_buckets_add_up(db: Session, steps: list[tuple[str, int]]) -> None:
    owner = factories.user(db, f"{new_id()}@example.org")
    told = PartialAnswer()
    for step, number in steps:
        _do(db, owner, told, step, number)
        db.refresh(owner)
        assert 0 <= owner.credits_promotional_micros <= owner.credits_balance_micros
        assert owner.credits_held_micros == 0
        assert ledger.drift(db, owner.id) == 0
    assert not any(ledger.audit(db, owner.id).values())
    tops = sa.select(sa.func.coalesce(sa.func.sum(Transaction.amount_micros), 0)).where(
        Transaction.user_id == owner.id, Transaction.kind == EntryKind.TOP_UP
    )
    assert db.scalar(tops) == sum(payment.amount_micros for payment in told.paid)


def _do(db: Session, owner: User, told: PartialAnswer, step: str, number: int) -> None:
    if step == "grant":
        ledger.grant(db, owner.id, number, reference=f"gift:{new_id()}")
    elif step == "spend":
        wanted = min(number * 9_000, owner.spendable_micros)
        if wanted > 0:
            spend(db, owner, wanted)
    elif step == "expire":
        ledger.expire_grants(db, owner.id, utc_now() + timedelta(days=1))
    elif step == "pay" and not owner.is_frozen:
        payment = payments.begin(db, owner.id, get_settings().top_up_min_micros)
        db.commit()
        told.paid.append(payment)
        told.tell(notice(payment, "paid"))
    elif told.paid:
        _go_back(told, step, number)


def _go_back(told: PartialAnswer, step: str, number: int) -> None:
    last = told.paid[number % len(told.paid)]
    if step == "replay":
        told.tell(told.notices[number % len(told.notices)])
    elif step in {"refund", "bounce"}:
        name = f"re_{last.id}_{number % 3}"
        told.tell(refund(last, min(number, 500), name, fails=step == "bounce"))
    elif step != "pay":
        happening = "disputed" if step == "dispute" else "dispute_closed"
        status = {"dispute": "needs_response", "win": "won", "lose": "lost"}[step]
        told.tell(dispute(last, happening, status, min(number, 500), f"du_{last.id}"))
