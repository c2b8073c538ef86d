"""Whatever people, Stripe, workers and the clock do at the same time, and whatever breaks, the
books balance at every moment, and nothing is counted twice or lost."""

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from sqlalchemy.pool import SingletonThreadPool

from models import ledger
from models.base import new_id
from models.database import open_session, unit_of_work
from models.payments import CENT_MICROS
from models.schema.ledger import EntryKind, Transaction
from models.schema.payments import Payment
from tests import factories
from tests.models.jobs.crowd import CENTS, FIVE, STEPS, Crowd, Step
from tests.wire import Cut, Wire, wire_to

MOST_SIDES = 5
LOOK_AGAIN_SECONDS = 0.05

# Each lists what must not be there once everything has come to rest.
FINDINGS = {
    "still held": """
        SELECT id::text FROM users WHERE credits_held_micros <> 0
        UNION ALL SELECT id::text FROM model_calls WHERE status = 'open'""",
    "given back or not, against what became of the answer": """
        SELECT charge.reference FROM transactions AS charge
        JOIN model_calls AS call ON charge.call_id = call.id
        JOIN jobs ON jobs.id = call.job_id
        LEFT JOIN transactions AS refund ON refund.reverses_id = charge.id
        LEFT JOIN standing_charges AS stands ON stands.call_id = call.id
        WHERE charge.kind = 'charge' AND charge.amount_micros < 0
          AND (coalesce(refund.id, stands.id) IS NOT NULL) <> (
              jobs.attempt <> call.attempt OR jobs.status IN ('pending', 'paused', 'failed'))""",
    "money of a payment that went back, against its refunds": """
        SELECT payments.id::text FROM payments
        JOIN payment_refunds AS refund ON refund.payment_id = payments.id
        GROUP BY payments.id
        HAVING payments.returned_micros
               <> coalesce(sum(refund.taken_micros + refund.absorbed_micros)
                           FILTER (WHERE refund.failed_at IS NULL), 0)
            OR payments.absorbed_micros
               <> coalesce(sum(refund.absorbed_micros) FILTER (WHERE refund.failed_at IS NULL), 0)
        """,
    "a refund, against its entries": """
        SELECT refund.id FROM payment_refunds AS refund
        LEFT JOIN transactions AS entry ON entry.reference IN (
            'payment-refund:' || refund.id, 'absorbed:payment-refund:' || refund.id,
            'undone:payment-refund:' || refund.id, 'undone:absorbed:payment-refund:' || refund.id)
        GROUP BY refund.id
        HAVING coalesce(sum(coalesce(entry.provider_cost_micros, 0) - entry.amount_micros), 0)
               <> CASE WHEN refund.failed_at IS NULL
                  THEN refund.taken_micros + refund.absorbed_micros ELSE 0 END""",
    "a dispute, against its entries": """
        SELECT dispute.id FROM payment_disputes AS dispute
        LEFT JOIN transactions AS entry ON entry.reference IN (
            'dispute:' || dispute.id, 'absorbed:dispute:' || dispute.id,
            'undone:dispute:' || dispute.id, 'undone:absorbed:dispute:' || dispute.id)
        GROUP BY dispute.id
        HAVING coalesce(sum(coalesce(entry.provider_cost_micros, 0) - entry.amount_micros), 0)
               <> CASE dispute.status WHEN 'won' THEN 0
                  ELSE dispute.taken_micros + dispute.absorbed_micros END""",
}
# Calls are what most of the money moves by.
OFTEN = ["call", "charge"] * 6
CUTS = st.none() | st.tuples(st.integers(1, 24), st.sampled_from(Cut))
SIDES = st.lists(
    st.lists(
        st.builds(
            Step,
            st.sampled_from(OFTEN + list(STEPS)),
            st.integers(0, 2),
            st.integers(1, CENTS),
            CUTS,
        ),
        min_size=24,
        max_size=32,
    ),
    min_size=3,
    max_size=MOST_SIDES,
)


class Tables:
    """Leads each thread of a crowd to the database by a wire of its own."""

    def __init__(self, engine: sa.Engine, wires: Sequence[Wire]) -> None:
        self._free = list(wires)
        self._mine = threading.local()
        self.engine = sa.create_engine(
            engine.url, creator=self._connect, poolclass=SingletonThreadPool, pool_size=MOST_SIDES
        )

    def seat(self) -> Wire:
        """Return the wire of the calling thread, from now on."""
        self._mine.wire = self._free.pop()
        return self._mine.wire

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self._mine.wire.url)


def take_side(crowd: Crowd, tables: Tables, steps: Sequence[Step], start: threading.Barrier) -> int:
    """Take steps, one after the other, on a connection of one's own; return how often it broke."""
    wire, cuts = tables.seat(), 0
    start.wait()
    for step in steps:
        wire.mend()
        if step.cut is not None:
            wire.cut(*step.cut)
        crowd.take(step)
        cuts += wire.is_cut and step.cut is not None
    return cuts


def all_at_once(engine: sa.Engine, crowd: Crowd, sides: Sequence[Sequence[Step]]) -> int:
    """Let all sides take their steps side by side; return how many connections broke."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    start = threading.Barrier(len(sides))
    with ExitStack() as afterwards:
        wires = [afterwards.enter_context(wire_to(url)) for _ in sides]
        tables = Tables(engine, wires)
        afterwards.callback(tables.engine.dispose)
        afterwards.callback(open_session.configure, bind=engine)
        open_session.configure(bind=tables.engine)
        with ThreadPoolExecutor(len(sides)) as pool:
            cuts = [pool.submit(take_side, crowd, tables, steps, start) for steps in sides]
            return sum(one.result() for one in cuts)


@contextmanager
def audited_all_the_while(engine: sa.Engine) -> Generator[None]:
    """Hold the books to the product's own rules again and again: they hold at every moment."""
    over = threading.Event()

    def _audit() -> list[ledger.Mismatch]:
        found: list[ledger.Mismatch] = []
        with Session(engine) as db:
            while not found and not over.wait(LOOK_AGAIN_SECONDS):
                found = [one for ones in ledger.audit(db).values() for one in ones]
                db.rollback()
        return found

    with ThreadPoolExecutor(1) as pool:
        auditing = pool.submit(_audit)
        try:
            yield
        finally:
            over.set()
        assert auditing.result() == []


@pytest.fixture
def crowded(emptied: sa.Engine, adjust: Callable[..., None]) -> sa.Engine:
    """A database for a crowd, in which what failed is tried again at once.

    Some come to the cap of a day, and most do not.
    """
    adjust(JOB_RETRY_DELAY_SECONDS="0", ABSORBED_DAILY_LIMIT_MICROS="2000000")
    return emptied


# A failure depends on who was faster, so a smaller example of it would prove nothing. One of these
# takes as long as ten of others, and may take very long on a machine that does much else.
@pytest.mark.timeout(600)
@settings(
    max_examples=max(2, settings().max_examples // 10),
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sides=SIDES, people=st.integers(2, 3))
def test_whatever_happens_at_once_the_books_balance(
    crowded: sa.Engine, sides: list[list[Step]], people: int
) -> None:
    with unit_of_work() as db:
        crowd = Crowd([factories.user(db, f"{new_id()}@example.org").id for _ in range(people)])
    for user_id in crowd.people:
        crowd.pay(user_id, 1)
        crowd.ask(user_id, 1)

    with audited_all_the_while(crowded):
        all_at_once(crowded, crowd, sides)
        crowd.settle()

    with Session(crowded) as db:
        for name, finding in FINDINGS.items():
            assert db.scalars(sa.text(finding)).all() == [], name
        assert entries(db, crowd, EntryKind.TOP_UP) == {
            f"payment:{payment.id}": (user_id, FIVE)
            for user_id, bought in crowd.paid.items()
            for payment in bought
        }
        went_back = sa.select(Payment.id, Payment.returned_micros).where(
            Payment.user_id.in_(crowd.people), Payment.returned_micros > 0
        )
        assert dict(db.execute(went_back).all()) == {
            payment_id: cents * CENT_MICROS for payment_id, cents in crowd.back_cents().items()
        }
        sign_up = {f"sign-up:{user_id}": (user_id, 1_000_000) for user_id in crowd.people}
        assert entries(db, crowd, EntryKind.GRANT) == crowd.grants | sign_up


def entries(db: Session, crowd: Crowd, kind: EntryKind) -> dict[str, tuple[object, int]]:
    """What was booked for the crowd, by its reference."""
    found = sa.select(Transaction).where(
        Transaction.user_id.in_(crowd.people), Transaction.kind == kind
    )
    return {one.reference: (one.user_id, one.amount_micros) for one in db.scalars(found)}
