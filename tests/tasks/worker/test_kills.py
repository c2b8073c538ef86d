"""kill -9 between any two steps of a top-up or a charge: money is neither doubled nor lost.

A process of its own does the work, and is killed when PostgreSQL has done its first request and
before it hears so; then one at its second, and so on, until one lives to the end. What the product
does after such a death follows each time. The usual suite takes some of these steps, the long one
all of them.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from itertools import count
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import automatic_charges, stripe_backfill
from embedded.environ import environ
from models import ledger, payments
from models.base import new_id, utc_now
from models.channels import accounts
from models.database import open_session, unit_of_work
from models.email import templates
from models.ledger.entries import record
from models.notifications import held, preferences
from models.payments import auto_topup
from models.payments.auto_topup import Plan
from models.schema.channels import Delivery
from models.schema.emails import Email, EmailKind
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, Transaction
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.notifications import Topic
from models.schema.payments import Payment, PaymentKind, PaymentStatus
from models.schema.users import User
from tasks import upkeep
from tests import factories
from tests.actions.test_automatic_charges import paid_by_hand
from tests.embedded.fake_stripe.served import ServedStripe
from tests.house import wait_for
from tests.models.reminders.making import made, make_due
from tests.payments import GRANT, TEN, notice, refund
from tests.tasks import doomed
from tests.wire import Cut, wire_to

forked = multiprocessing.get_context("forkserver")
forked.set_forkserver_preload([doomed.__name__])
PATIENCE_SECONDS = 60
BELOW = 2_000_000
SOME, ALL = 7, 1
LETTER = asdict(templates.alert("News", ["Look."]))
STEPS = [pytest.param(SOME, id="some"), pytest.param(ALL, id="all", marks=pytest.mark.long)]


class Deaths:
    """One after the other: each lets a process do some work, and kills it one step later."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.times = 0
        self._was_survived = False

    def by(self, *ways: Cut, every: int) -> Iterator["Death"]:
        """Go through one of `every` so many; for each way to die, the last one is survived."""
        for how in ways:
            self._was_survived = False
            for at in count(1, every):
                if self._was_survived:
                    break
                yield partial(self._die, at, how)

    def _die(self, at: int, how: Cut, work: Callable[..., None], *given: object) -> bool:
        """Let a process do `work`, and kill it at this request; return whether there was one."""
        has_started = threading.Event()

        def _kill() -> None:
            assert has_started.wait(PATIENCE_SECONDS)
            process.kill()

        with wire_to(self._url, _kill) as wire:
            wire.cut(at, how)
            settings = environ() | {"DATABASE_URL": wire.url}
            process = forked.Process(target=doomed.live, args=(settings, work, *given))
            process.start()
            has_started.set()
            process.join(PATIENCE_SECONDS)
        assert process.exitcode == (-signal.SIGKILL if wire.is_cut else 0)
        wait_for(is_let_go, "PostgreSQL to notice the death")
        self.times += wire.is_cut
        self._was_survived = not wire.is_cut
        return wire.is_cut


Death = Callable[..., bool]


@pytest.fixture
def deaths(emptied: sa.Engine, redis_url: str, adjust: Callable[..., None]) -> Deaths:
    """Deaths in a database of their own, where what was given up is tried again at once."""
    assert redis_url
    adjust(JOB_RETRY_DELAY_SECONDS="0")
    url = emptied.url.set(drivername="postgresql")
    return Deaths(url.render_as_string(hide_password=False))


def is_let_go() -> bool:
    """Tell whether nobody but us is in a transaction; what is locked would be passed over."""
    others = sa.text("""
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
        AND backend_type = 'client backend'""")
    with unit_of_work() as db:
        return db.scalars(others).one() == 0


def somebody() -> UUID:
    with unit_of_work() as db:
        return factories.user(db, f"{new_id()}@example.org").id


def assert_has(db: Session, user_id: UUID, balance: int) -> None:
    """Somebody has so much, nothing of it is held, and the books say the same."""
    user = db.get_one(User, user_id, populate_existing=True)
    assert (user.credits_balance_micros, user.credits_held_micros) == (balance, 0)
    assert ledger.drift(db, user_id) == 0


def assert_all_in_order() -> None:
    with unit_of_work() as db:
        assert [one for ones in ledger.audit(db).values() for one in ones] == []


@pytest.mark.parametrize("every", STEPS)
def test_a_payment_counts_once_wherever_its_webhook_dies(deaths: Deaths, every: int) -> None:
    for die in deaths.by(Cut.UNHEARD, every=every):
        user_id = somebody()
        with unit_of_work() as db:
            payment = payments.begin(db, user_id, TEN)
        told = [notice(payment, "paid"), refund(payment, 400, f"re_{payment.id}")]

        if die(doomed.hear, told):
            # Stripe heard no yes.
            doomed.hear(told)

        with unit_of_work() as db:
            assert_has(db, user_id, GRANT + TEN * 6 // 10)
            receipts = sa.select(Email).where(Email.reference == f"receipt:{payment.id}")
            assert len(db.scalars(receipts).all()) == 1
    assert_all_in_order()
    assert deaths.times > 20 // every


@pytest.mark.parametrize("every", STEPS)
@pytest.mark.parametrize("ending", ["completed", "failed"])
def test_an_answer_is_charged_once_or_not_at_all_wherever_its_worker_dies(
    deaths: Deaths, ending: doomed.Ending, every: int
) -> None:
    for die in deaths.by(Cut.UNHEARD, every=every):
        with unit_of_work() as db:
            job = factories.job(db, factories.user(db, f"{new_id()}@example.org"))

        if die(doomed.answer, job.user_id, ending):
            fall_silent(job)
            upkeep.sweep()
            if not is_over(job):
                doomed.answer(job.user_id, ending)

        with unit_of_work() as db:
            paid = doomed.CHARGED if ending == "completed" else 0
            assert db.get_one(Job, job.id).status == ending
            assert_has(db, job.user_id, GRANT - paid)
            mine = sa.select(ModelCall.status).where(ModelCall.job_id == job.id)
            assert CallStatus.OPEN not in db.scalars(mine).all()
    assert_all_in_order()
    assert deaths.times > 20 // every


@pytest.mark.parametrize("every", STEPS)
def test_a_reminder_is_told_once_by_each_way_wherever_the_clock_dies(
    deaths: Deaths, every: int
) -> None:
    for die in deaths.by(Cut.UNHEARD, every=every):
        user_id = somebody()
        with unit_of_work() as db:
            user = db.get_one(User, user_id)
            accounts.link(db, user_id, "telegram", str(user_id), "1", "Ada")
            preferences.choose(db, user_id, Topic.REMINDERS, ["email", "telegram"])
            make_due(db, made(db, user))
            # Its messenger was let go of, before it could be written to.
            task = held.New(user_id, Topic.TASKS, LETTER, utc_now(), f"task:{user_id}")
            held.add_all(db, [task])[task.reference].handed_over_at = utc_now()

        if die(doomed.remind):
            doomed.remind()

        with unit_of_work() as db:
            mine = sa.select(Delivery.id).where(Delivery.user_id == user_id)
            assert len(db.scalars(mine).all()) == 1
            address = db.get_one(User, user_id).email
            mails = db.scalars(sa.select(Email.kind).where(Email.recipient == address)).all()
            assert sorted(mails) == [EmailKind.ALERT, EmailKind.REMINDER]
    assert deaths.times > 20 // every


def fall_silent(job: Job) -> None:
    """Let the lease of a dead worker run out."""
    over = sa.func.clock_timestamp() - timedelta(seconds=1)
    with unit_of_work() as db:
        held = sa.update(Job).where(Job.id == job.id, Job.status == JobStatus.RUNNING)
        db.execute(held.values(lease_until=over))


def is_over(job: Job) -> bool:
    with unit_of_work() as db:
        return db.get_one(Job, job.id).is_over


@pytest.mark.parametrize("every", STEPS)
def test_an_automatic_top_up_is_paid_once_wherever_its_worker_dies(
    deaths: Deaths, stripe: ServedStripe, every: int
) -> None:
    with unit_of_work() as db:
        user = factories.user(db, "grace@example.org")
    with open_session() as db:
        paid_by_hand(db, user, stripe, "4242")
    stripe_backfill.ask_stripe()
    with unit_of_work() as db:
        auto_topup.switch_on(db, user.id, Plan(BELOW, TEN, monthly_micros=1_000 * TEN))
    # Between two requests to PostgreSQL there is one to Stripe: before it, and after it.
    for tries, die in enumerate(deaths.by(Cut.UNHEARD, Cut.UNSENT, every=every), start=1):
        use_up(user.id, BELOW - 1)

        die(doomed.top_up, user.id)
        # The clock comes by, once nobody can be asking Stripe any more.
        grow_old()
        automatic_charges.look_after()
        stripe_backfill.ask_stripe()

        with unit_of_work() as db:
            assert_has(db, user.id, BELOW - 1 + TEN)
            mine = sa.select(Payment.status).where(Payment.kind == PaymentKind.AUTOMATIC)
            assert db.scalars(mine).all() == tries * [PaymentStatus.PAID]
    assert_all_in_order()
    assert deaths.times > 20 // every


def use_up(user_id: UUID, left: int) -> None:
    """Leave somebody so much."""
    with unit_of_work() as db:
        user = ledger.lock_account(db, user_id)
        gone = left - user.credits_balance_micros
        entry = Transaction(
            kind=EntryKind.ADJUSTMENT, amount_micros=gone, reference=f"used:{new_id()}"
        )
        assert record(db, user, entry)


def grow_old() -> None:
    """Let the time pass after which an unanswered charge is asked for again."""
    then = Payment.created_at - automatic_charges.UNANSWERED_AFTER
    with unit_of_work() as db:
        db.execute(sa.update(Payment).values(created_at=then))
