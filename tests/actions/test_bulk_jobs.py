"""In bulk: the number that was shown, in batches that lose nothing, once, in seconds."""

import time
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import bulk_jobs, offers
from agent.catalogue import Model
from models import jobs, ledger
from models.base import new_id, utc_now
from models.database import unit_of_work
from models.jobs.cancellation import cancel
from models.ops import bulk_orders
from models.ops.admin_actions import Order
from models.ops.bulk_orders import MoreThanShown, NothingInBulk
from models.ops.job_list import Wanted
from models.people import users
from models.people.admin_roles import NotOfThisRole
from models.schema.admins import AdminAction, AdminRole
from models.schema.bulk_orders import BulkKind, BulkOrder
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from tests import factories

ALL = Wanted()
LANES, EACH = 2_000, 5


@pytest.fixture
def sam(emptied: sa.Engine) -> User:
    """Helps users."""
    assert emptied
    with unit_of_work() as db:
        person = factories.user(db, "sam@example.org", name="Sam")
        users.set_admin_role(person, AdminRole.SUPPORT)
        return person


def place(
    who: User, kind: BulkKind, wanted: Wanted = ALL, *, before: UUID | None = None, shown: int = 0
) -> UUID:
    """Look at the number, then order it."""
    before = before or new_id()
    order = Order(who, "An outage.", new_id())
    with unit_of_work() as db:
        found = shown or bulk_orders.count(db, kind, wanted, before)
        bulk_orders.place(db, order, kind, wanted, before_id=before, shown=found)
    return order.key


def states(db: Session) -> dict[JobStatus, int]:
    by_status = sa.select(Job.status, sa.func.count()).group_by(Job.status)
    return dict(db.execute(by_status).all())


def test_ten_thousand_are_cancelled_in_seconds(sam: User, redis_url: str) -> None:
    assert redis_url
    with unit_of_work() as db:
        owner = factories.user(db, "ada@example.org")
        first = factories.job(db, owner)
        db.execute(sa.text(_CROWD), {"job": str(first.id), "lanes": LANES - 1, "each": EACH})
        # One of them is being answered, and one had an attempt that came to nothing.
        running = factories.claim(db)
        assert running
    order_id = place(sam, BulkKind.CANCEL)
    began = time.monotonic()
    bulk_jobs.run(order_id)
    took = time.monotonic() - began
    with unit_of_work() as db:
        bulk = db.get_one(BulkOrder, order_id)
        total = 1 + (LANES - 1) * EACH
        assert (bulk.shown, bulk.done, bulk.skipped) == (total, total, 0)
        assert states(db) == {JobStatus.CANCELLED: total - 1, JobStatus.RUNNING: 1}
        assert db.get_one(Job, running.id).stop_requested_at
        heads = sa.select(sa.func.count()).where(Job.is_head)
        assert db.scalar(heads) == 1
        assert db.scalar(sa.select(sa.func.count(AdminAction.id))) == 1
    assert took < 15, took


_CROWD = """
    WITH people AS (
        INSERT INTO users (id, email, created_at)
        SELECT gen_random_uuid(), 'p' || n || '@example.org', now()
        FROM generate_series(1, :lanes) AS n
        RETURNING id
    ), rooms AS (
        INSERT INTO conversations (id, user_id, title, created_at, updated_at)
        SELECT gen_random_uuid(), id, 'x', now(), now() FROM people
        RETURNING id, user_id
    ), numbered AS (
        SELECT rooms.*, n FROM rooms, generate_series(1, :each) AS n
    )
    INSERT INTO jobs (id, user_id, conversation_id, model, status, is_head)
    SELECT overlay(gen_random_uuid()::text placing
                   left(CAST(:job AS text), 8) || '-0000-' from 1 for 14)::uuid,
           user_id, id, 'demo/demo', 'pending', n = 1
    FROM numbered
"""


def test_only_what_fits_and_was_there_is_touched(
    sam: User, redis_url: str, emptied: sa.Engine
) -> None:
    assert redis_url
    with unit_of_work() as db:
        ada, eve = (factories.user(db, f"{name}@example.org") for name in ("ada", "eve"))
        old = factories.job(db, ada)
        other = jobs.ask(db, factories.conversation(db, eve), "Hello?", model="openai/one")
    before = new_id()
    with unit_of_work() as db:
        late = factories.job(db, db.get_one(User, eve.id))
    bulk_jobs.run(place(sam, BulkKind.CANCEL, Wanted(model="demo/demo"), before=before))
    with unit_of_work() as db:
        assert db.get_one(Job, old.id).status is JobStatus.CANCELLED
        assert db.get_one(Job, other.id).status is JobStatus.PENDING
        assert db.get_one(Job, late.id).status is JobStatus.PENDING


def test_what_an_attempt_had_cost_is_given_back_and_the_lane_goes_on(
    sam: User, redis_url: str
) -> None:
    assert redis_url
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        balance = ada.credits_balance_micros
        job = factories.running(db, ada)
        factories.charge(db, job, 50_000)
        jobs.requeue(db, job)
        behind = jobs.ask(db, factories.conversation(db, ada), "And?", model="openai/one")
    bulk_jobs.run(place(sam, BulkKind.CANCEL, Wanted(model=factories.MODEL)))
    with unit_of_work() as db:
        ada = db.get_one(User, ada.id)
        assert ada.credits_balance_micros == balance
        assert not any(ledger.audit(db, ada.id).values())
        assert db.get_one(Job, behind.id).is_head


def test_a_process_that_dies_in_the_middle_leaves_the_rest_to_another(
    sam: User, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert redis_url
    monkeypatch.setattr(bulk_jobs, "RETRIED_AT_ONCE", 2)
    with unit_of_work() as db:
        for number in range(5):
            person = factories.user(db, f"p{number}@example.org")
            jobs.fail(db, factories.running(db, person), FailureCode.PROVIDER_DOWN)
    order_id = place(sam, BulkKind.RETRY, Wanted(code=FailureCode.PROVIDER_DOWN))
    tried = bulk_orders.retry_one
    calls: list[UUID] = []

    def _dies(db: Session, bulk: BulkOrder, failed: Job, *, model: str) -> Job | None:
        calls.append(failed.id)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return tried(db, bulk, failed, model=model)

    monkeypatch.setattr(bulk_orders, "retry_one", _dies)
    with pytest.raises(KeyboardInterrupt):
        bulk_jobs.run(order_id)
    monkeypatch.setattr(bulk_orders, "retry_one", tried)
    bulk_jobs.resume_open()
    bulk_jobs.run(order_id)
    with unit_of_work() as db:
        assert states(db) == {JobStatus.FAILED: 5, JobStatus.PENDING: 5}
        assert db.get_one(BulkOrder, order_id).done == 5


def test_while_no_model_is_offered_a_retry_skips_all_and_ends(
    sam: User, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert redis_url
    with unit_of_work() as db:
        owner = factories.user(db, "ada@example.org")
        jobs.fail(db, factories.running(db, owner), FailureCode.PROVIDER_DOWN)
    order_id = place(sam, BulkKind.RETRY)
    monkeypatch.setattr(offers, "_models", list[Model])
    bulk_jobs.resume_open()
    with unit_of_work() as db:
        bulk = db.get_one(BulkOrder, order_id)
        assert (bulk.done, bulk.skipped, bulk.finished_at is None) == (0, 1, False)
        assert states(db) == {JobStatus.FAILED: 1}


def test_an_order_that_fails_holds_up_no_other(
    sam: User, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert redis_url
    with unit_of_work() as db:
        for name in ("ada", "eve"):
            factories.job(db, factories.user(db, f"{name}@example.org"))
    orders = [place(sam, BulkKind.CANCEL), place(sam, BulkKind.CANCEL)]
    works, tried = bulk_jobs.run, list[UUID]()

    def _run(order_id: UUID) -> None:
        tried.append(order_id)
        if order_id == tried[0]:
            raise RuntimeError("nobody thought of it")
        works(order_id)

    monkeypatch.setattr(bulk_jobs, "run", _run)
    bulk_jobs.resume_open()
    assert sorted(tried) == sorted(orders)
    with unit_of_work() as db:
        assert states(db) == {JobStatus.CANCELLED: 2}


def test_more_than_was_shown_and_nothing_at_all_are_refused(sam: User, redis_url: str) -> None:
    assert redis_url
    with pytest.raises(NothingInBulk):
        place(sam, BulkKind.CANCEL, shown=1)
    with unit_of_work() as db:
        for name in ("ada", "eve"):
            factories.job(db, factories.user(db, f"{name}@example.org"))
    with pytest.raises(MoreThanShown):
        place(sam, BulkKind.CANCEL, shown=1)
    with unit_of_work() as db:
        users.set_admin_role(db.get_one(User, sam.id), AdminRole.VIEWER)
    with unit_of_work() as db, pytest.raises(NotOfThisRole):
        order = Order(db.get_one(User, sam.id), "Why not.", new_id())
        bulk_orders.place(db, order, BulkKind.CANCEL, ALL, before_id=new_id(), shown=9)


def test_only_what_failed_lately_is_tried_again_unless_more_is_asked_for(
    sam: User, redis_url: str
) -> None:
    assert redis_url
    stopped_ones = Wanted(state=JobStatus.CANCELLED)
    with unit_of_work() as db:
        for name in ("ada", "eve"):
            jobs.fail(
                db,
                factories.running(db, factories.user(db, f"{name}@example.org")),
                FailureCode.PROVIDER_DOWN,
            )
        stopped = factories.job(db, factories.user(db, "grace@example.org"))
        cancel(db, stopped.user_id, stopped.id)
    now = new_id()
    with unit_of_work() as db:
        assert bulk_orders.count(db, BulkKind.RETRY, ALL, now) == 2
        assert bulk_orders.count(db, BulkKind.RETRY, stopped_ones, now) == 1
        assert bulk_orders.count(db, BulkKind.CANCEL, ALL, now) == 0
    later = utc_now() + bulk_orders.RETRIED_WITHIN + timedelta(minutes=1)
    with pytest.MonkeyPatch.context() as patched, unit_of_work() as db:
        patched.setattr(bulk_orders, "utc_now", lambda: later)
        assert bulk_orders.count(db, BulkKind.RETRY, ALL, now) == 0
