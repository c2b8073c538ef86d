"""People whose money moves from several sides at once, over connections that break.

A step looks at what there is just now, in the database, and goes on from there; so it is sensible
whatever the others did meanwhile. What the product would try again after a broken connection is
tried again here, and nothing else is.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg.errors import AdminShutdown
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions import stripe_backfill, stripe_events
from agent.meter.call_ledger import BooksUnavailable, NoRoom, Outcome, TurnLost
from gateways.stripe_events import Notice
from models import jobs, ledger, payments
from models.base import new_id, utc_now
from models.database import unit_of_work
from models.errors import Refused
from models.jobs import LeaseLost
from models.payments import TooEarly
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import WriteOffReason
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.payments import Payment
from models.schema.users import User
from tasks import upkeep
from tasks.worker.call_ledger import TurnCallLedger
from tests import factories
from tests.factories import MODEL, SOMEBODY
from tests.payments import dispute, notice, refund
from tests.wire import Cut

Result = TypeVar("Result")
CENTS = 500
FIVE = CENTS * payments.CENT_MICROS
MESSAGE_MICROS = 2_000_000
OUTCOMES: tuple[Outcome, ...] = ("completed", "completed", "cut", "stopped", "failed")


class Step(NamedTuple):
    """What is done, to whom, with which number, and at which request its connection breaks."""

    what: str
    whose: int
    number: int
    cut: tuple[int, Cut] | None


def persist(action: Callable[[], Result]) -> Result:
    """Do it, and do it again when the connection broke: nobody knows whether it was done."""
    while True:
        try:
            return action()
        except DBAPIError as error:
            if not _is_broken(error):
                raise
        except BooksUnavailable as error:
            if not isinstance(error.__cause__, DBAPIError) or not _is_broken(error.__cause__):
                raise


def _is_broken(error: DBAPIError) -> bool:
    # Nobody was there to give it a code, or the server has ended the session.
    cause = error.orig
    return isinstance(cause, psycopg.OperationalError) and (
        cause.sqlstate is None or isinstance(cause, AdminShutdown)
    )


@dataclass
class Refund:
    """Money of a payment that goes back, unless that fails."""

    payment: Payment
    cents: int
    has_failed: bool = False


@dataclass
class Crowd:
    """Some people, and what they and Stripe did about their money."""

    people: list[UUID]
    grants: dict[str, tuple[UUID, int]] = field(default_factory=dict[str, tuple[UUID, int]])
    paid: dict[UUID, list[Payment]] = field(default_factory=dict[UUID, list[Payment]])
    told: list[Notice] = field(default_factory=list[Notice])
    refunds: dict[str, Refund] = field(default_factory=dict[str, Refund])
    ends: dict[UUID, str] = field(default_factory=dict[UUID, str])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, step: Step) -> None:
        """Do a step. Only what the product may refuse is nothing to worry about."""
        user_id = self.people[step.whose % len(self.people)]
        with suppress(Refused, NoRoom, LeaseLost, TurnLost):
            STEPS[step.what](self, user_id, step.number)

    def grant(self, user_id: UUID, number: int) -> None:
        """Give a gift, or one of before once more."""
        mine = [name for name, (whose, _) in list(self.grants.items()) if whose == user_id]
        name = mine[number % len(mine)] if mine and number % 3 == 0 else f"gift:{new_id()}"
        _, micros = self.grants.setdefault(name, (user_id, number * 1_000))
        persist(lambda: _in_one(lambda db: factories.gift(db, user_id, micros, reference=name)))

    def pay(self, user_id: UUID, number: int) -> None:
        """Buy credits. A payment that was begun and not heard of is never paid."""
        payment = persist(lambda: _in_one(lambda db: payments.begin(db, user_id, FIVE)))
        with self.lock:
            self.paid.setdefault(user_id, []).append(payment)
        self.tell(notice(payment, "paid"))

    def refund(self, user_id: UUID, number: int) -> None:
        """Give a part of a payment back, or the rest."""
        payment = self._payment(user_id, number)
        if payment is None or payment.id in self.ends:
            return
        name = f"re_{new_id()}"
        with self.lock:
            cents = min(number, CENTS - self.back_cents().get(payment.id, 0))
            if not cents:
                return
            self.refunds[name] = Refund(payment, cents)
        self.tell(refund(payment, cents, name))

    def bounce(self, user_id: UUID, number: int) -> None:
        """Let a refund fail, or say so again."""
        mine = [(name, one) for name, one in list(self.refunds.items()) if one.cents % 3 == 0]
        if mine:
            name, one = mine[number % len(mine)]
            one.has_failed = True
            self.tell(refund(one.payment, one.cents, name, fails=True))

    def back_cents(self) -> dict[UUID, int]:
        """What went back of each payment, and did not fail."""
        back: dict[UUID, int] = {}
        for one in list(self.refunds.values()):
            if not one.has_failed:
                back[one.payment.id] = back.get(one.payment.id, 0) + one.cents
        return back

    def dispute(self, user_id: UUID, number: int) -> None:
        """Let a bank take a payment back; it may say so again."""
        self._dispute(user_id, number, "needs_response")

    def win(self, user_id: UUID, number: int) -> None:
        """End a dispute well, or as it has ended already."""
        self._dispute(user_id, number, "won")

    def lose(self, user_id: UUID, number: int) -> None:
        """End a dispute badly, or as it has ended already."""
        self._dispute(user_id, number, "lost")

    def replay(self, user_id: UUID, number: int) -> None:
        """Let Stripe tell something again."""
        told = list(self.told)
        if told:
            self.tell(told[-1 - number % len(told)])

    def tell(self, one: Notice) -> None:
        """Let Stripe tell something, which it does again where it heard no yes."""
        self.told.append(one)
        with suppress(TooEarly):
            persist(lambda: stripe_events.take_in(one))

    def expire(self, user_id: UUID, number: int) -> None:
        """Let all grants lapse."""
        persist(lambda: stripe_backfill.expire_grants(utc_now() + timedelta(days=1)))

    def ask(self, user_id: UUID, number: int) -> None:
        """Send a message, and let a worker take the first of the lane."""

        def _ask(db: Session) -> Job:
            chat = factories.conversation(db, db.get_one(User, user_id))
            return jobs.ask(db, chat, "Hello?", model=MODEL, cost_limit_micros=MESSAGE_MICROS)

        persist(lambda: _in_one(_ask))
        persist(lambda: _in_one(lambda db: factories.claim(db, only=[user_id])))

    def call(self, user_id: UUID, number: int) -> None:
        """Open a model call, or ask for an answer that takes some.

        Whether a call of which nobody heard is open is for the sweep to find.
        """
        job = _running(user_id)
        if job is None:
            self.ask(user_id, number)
            return
        books = TurnCallLedger(user_id, job.id, job.attempt)
        try:
            books.open(new_id(), MODEL, lambda _: number * 2_000)
        except DBAPIError as error:
            if not _is_broken(error):
                raise
        except BooksUnavailable as error:
            if not isinstance(error.__cause__, DBAPIError) or not _is_broken(error.__cause__):
                raise

    def charge(self, user_id: UUID, number: int) -> None:
        """Close a model call, an open one if there is any, for more or less than it holds."""
        call = _some_call(user_id, number)
        if call is None or call.job_id is None:
            return
        job_id = call.job_id
        outcome = OUTCOMES[number % len(OUTCOMES)]
        micros = 0 if outcome == "failed" else number * 3_000
        closed = factories.closed_call(call.id, micros, outcome)
        persist(lambda: TurnCallLedger(user_id, job_id, call.attempt).close(closed))

    def answer(self, user_id: UUID, number: int) -> None:
        """Complete what runs; whoever finds the account locked comes with the next round."""
        job = _running(user_id)
        if job is not None:
            done = [factories.finished(job)]
            persist(
                lambda: _in_one(lambda db: jobs.complete_many(db, done, SOMEBODY, timedelta(0)))
            )

    def fail(self, user_id: UUID, number: int) -> None:
        """Let what runs fail, be stopped, be tried again or wait for credits."""
        job = _running(user_id)
        if job is not None:
            persist(lambda: _in_one(lambda db: _give_up(db, job, number)))

    def sweep(self, user_id: UUID, number: int) -> None:
        """Let the person's worker fall silent, and the clock look after what it left."""
        persist(lambda: _in_one(lambda db: _silence(db, [user_id])))
        persist(upkeep.reap_expired)
        persist(lambda: upkeep.absorb_orphans(timedelta(0)))

    def lift(self, user_id: UUID, number: int) -> None:
        """Put an account right by hand."""
        persist(lambda: _in_one(lambda db: _thaw(db, user_id)))

    def settle(self) -> None:
        """Let everything come to rest: Stripe tells all of it again, and every message ends."""
        left = list(self.told)
        while left:
            early = [one for one in left if not _is_taken_in(one)]
            assert len(early) < len(left), "what was told too early never found its time"
            left = early
        for user_id in self.people:
            _in_one(lambda db, mine=user_id: _thaw(db, mine))
        _in_one(lambda db: _silence(db, self.people))
        upkeep.reap_expired()
        while _in_one(self._stop_one):
            """Another one may have moved up."""
        upkeep.absorb_orphans(timedelta(0))

    def _stop_one(self, db: Session) -> bool:
        job = factories.claim(db, only=self.people)
        if job is not None:
            ledger.lock_account(db, job.user_id)
            jobs.stop(db, job)
        return job is not None

    def _payment(self, user_id: UUID, number: int) -> Payment | None:
        mine = list(self.paid.get(user_id, ()))
        return mine[number % len(mine)] if mine else None

    def _dispute(self, user_id: UUID, number: int, status: str) -> None:
        payment = self._payment(user_id, number)
        refunded = {one.payment.id for one in list(self.refunds.values())}
        if payment is None or payment.id in refunded:
            return
        happening = "disputed"
        if status != "needs_response":
            happening, status = "dispute_closed", self.ends.setdefault(payment.id, status)
        cents = 1 + payment.id.int % CENTS
        self.tell(dispute(payment, happening, status, cents, f"du_{payment.id}"))


STEPS: dict[str, Callable[[Crowd, UUID, int], None]] = {
    step.__name__: step
    for step in (
        *(Crowd.grant, Crowd.pay, Crowd.refund, Crowd.bounce),
        *(Crowd.dispute, Crowd.win, Crowd.lose),
        *(Crowd.replay, Crowd.expire, Crowd.ask, Crowd.call, Crowd.charge),
        *(Crowd.answer, Crowd.fail, Crowd.sweep, Crowd.lift),
    )
}


def _is_taken_in(one: Notice) -> bool:
    try:
        stripe_events.take_in(one)
    except TooEarly:
        return False
    return True


def _in_one(work: Callable[[Session], Result]) -> Result:
    with unit_of_work() as db:
        return work(db)


def _running(user_id: UUID) -> Job | None:
    wanted = sa.select(Job).where(Job.user_id == user_id, Job.status == JobStatus.RUNNING)
    return persist(lambda: _in_one(lambda db: db.scalar(wanted)))


def _some_call(user_id: UUID, number: int) -> ModelCall | None:
    wanted = (
        sa.select(ModelCall)
        .where(ModelCall.user_id == user_id)
        .order_by(ModelCall.status != CallStatus.OPEN, ModelCall.id)
        .limit(2)
    )
    found = persist(lambda: _in_one(lambda db: db.scalars(wanted).all()))
    return found[number % len(found)] if found else None


def _give_up(db: Session, held: Job, number: int) -> None:
    job = jobs.lock_lease(db, held.id, held.attempt)
    is_over = True
    match number % 4:
        case 0:
            jobs.stop(db, job)
        case 1:
            reason = WriteOffReason.BEGUN_AGAIN
            back = ledger.refund_job(db, job.id, attempt=job.attempt, reason=reason)
            is_over = not back.standing_micros
            if is_over:
                jobs.requeue(db, job, wait=timedelta(0))
        case 2:
            is_over = jobs.pause(db, job)
        case _:
            is_over = False
    if not is_over:
        jobs.fail(db, job, FailureCode.UNEXPECTED)


def _silence(db: Session, people: Sequence[UUID]) -> None:
    over = sa.func.clock_timestamp() - timedelta(seconds=1)
    running = sa.update(Job).where(Job.user_id.in_(people), Job.status == JobStatus.RUNNING)
    db.execute(running.values(lease_until=over))


def _thaw(db: Session, user_id: UUID) -> None:
    ledger.unfreeze(ledger.lock_account(db, user_id))
    jobs.resume(db, user_id)
