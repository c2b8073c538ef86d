"""The meter on sockets with its books in PostgreSQL: what is left is never passed."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from agent.meter.call_ledger import BooksUnavailable, NoRoom, TurnLost
from models import ledger
from models.database import open_session, unit_of_work
from models.ledger import limits
from models.ledger.limits import Limits
from models.schema.jobs import Job
from models.schema.ledger import Transaction, WriteOffReason
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.users import User
from settings import get_settings
from tasks.worker.call_ledger import TurnCallLedger
from tests import factories
from tests.agent.meter.world import MODELS, World, run, turn, world
from tests.models.ledger.test_entries import closed

TURNS = 50
LEFT = 100_000


def running(*, left: int, **chosen: int) -> Job:
    """A job of somebody who has so much left, and limits."""
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        earlier = factories.running(db, owner)
        gone = owner.credits_balance_micros - left
        closed(db, earlier, gone, held=gone)
        factories.answer(db, earlier)
        limits.choose(db, owner.id, Limits(**chosen))
        return factories.running(db, owner)


def begin(w: World, job: Job) -> None:
    books = TurnCallLedger(job.user_id, job.id, job.attempt)
    w.port.begin(replace(turn(MODELS[w.name]), job_id=job.id, user_id=job.user_id), books)


async def ask_all_at_once(w: World, job: Job) -> list[int]:
    """Let every turn ask at the same moment, each in its own way; return their statuses."""
    ports = [await w.another() for _ in range(TURNS)]
    for port in ports:
        begin(port, job)
    asked = [
        port.ask(f"[[demo: say ok]] [[demo: usage input=900 output={300 + number * 7}]]", cap=900)
        for number, port in enumerate(ports)
    ]
    statuses = [status for status, _ in await asyncio.gather(*asked)]
    for port in ports:
        await port.port.end()
    return statuses


def test_fifty_turns_at_once_never_spend_more_than_is_left(
    emptied: sa.Engine, tmp_path: Path
) -> None:
    job = running(left=LEFT, message_micros=get_settings().turn_max_cost_micros)

    async def scenario() -> None:
        async with world(tmp_path) as w:
            statuses = await ask_all_at_once(w, job)
            assert 0 < statuses.count(200) < TURNS

    run(scenario())
    with Session(emptied) as check:
        spent = limits.spent(check, Transaction.job_id == job.id)
        assert 0 < spent <= LEFT
        assert_in_order(check, job, left=LEFT - spent)


@pytest.mark.parametrize("kind", ["message_micros", "day_micros", "month_micros"])
def test_nor_more_than_a_limit_allows(emptied: sa.Engine, tmp_path: Path, kind: str) -> None:
    job = running(left=900_000, **{kind: LEFT + (kind != "message_micros") * 100_000})

    async def scenario() -> None:
        async with world(tmp_path) as w:
            statuses = await ask_all_at_once(w, job)
            assert 0 < statuses.count(200) < TURNS

    run(scenario())
    with Session(emptied) as check:
        spent = limits.spent(check, Transaction.job_id == job.id)
        assert 0 < spent <= LEFT
        assert_in_order(check, job, left=900_000 - spent)


def test_a_provider_that_counts_too_much_is_paid_by_us(emptied: sa.Engine, tmp_path: Path) -> None:
    job = running(left=LEFT)

    async def scenario() -> None:
        async with world(tmp_path) as w:
            begin(w, job)
            dear = "[[demo: say ok]] [[demo: usage input=90000 output=300]]"
            assert (await w.ask(dear, cap=300))[0] == 200
            await w.port.end()

    run(scenario())
    with Session(emptied) as check:
        [call] = check.scalars(sa.select(ModelCall).where(ModelCall.job_id == job.id))
        assert limits.spent(check, Transaction.job_id == job.id) == call.held_micros < LEFT
        absorbed = sa.select(Transaction).where(Transaction.reference.like("absorbed:call:%"))
        rest = check.scalars(absorbed).one()
        assert (rest.provider_cost_micros or 0) > call.held_micros
        assert rest.reason is WriteOffReason.BEYOND_HOLD
        assert_in_order(check, job, left=LEFT - call.held_micros)


def test_a_hold_that_is_told_twice_is_made_once(emptied: sa.Engine) -> None:
    """The answer to the first may have been lost on the way."""
    job = running(left=LEFT)
    books, call_id = TurnCallLedger(job.user_id, job.id, job.attempt), uuid7()

    first = books.open(call_id, "demo/demo", lambda bounds: 700)
    again = books.open(call_id, "demo/demo", lambda bounds: 900)

    assert again == first
    with Session(emptied) as check:
        assert check.get_one(User, job.user_id).credits_held_micros == 700


def test_a_turn_that_is_anothers_by_now_holds_nothing(emptied: sa.Engine) -> None:
    job = running(left=LEFT)
    books = TurnCallLedger(job.user_id, job.id, job.attempt + 1)

    with pytest.raises(TurnLost):
        books.open(uuid7(), "demo/demo", lambda bounds: 700)

    with Session(emptied) as check:
        assert check.get_one(User, job.user_id).credits_held_micros == 0


def test_books_whose_database_is_away_say_that_and_nothing_of_another_worker(
    emptied: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running(left=LEFT)
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/nowhere")
    books = TurnCallLedger(job.user_id, job.id, job.attempt)

    with monkeypatch.context() as patch:
        patch.setitem(open_session.kw, "bind", away)
        with pytest.raises(BooksUnavailable):
            books.open(uuid7(), "demo/demo", lambda bounds: 700)

    # Nor is a mistake of ours taken for an outage.
    with pytest.raises(ZeroDivisionError):
        books.open(uuid7(), "demo/demo", lambda bounds: 1 // 0)
    with Session(emptied) as check:
        assert check.get_one(User, job.user_id).credits_held_micros == 0


def assert_in_order(db: Session, job: Job, *, left: int) -> None:
    owner = db.get_one(User, job.user_id)
    assert (owner.credits_balance_micros, owner.credits_held_micros) == (left, 0)
    assert ledger.drift(db, owner.id) == 0
    statuses = set(db.scalars(sa.select(ModelCall.status)))
    assert statuses == {CallStatus.COMPLETED}


def test_more_may_be_held_than_a_message_may_cost_but_no_more_than_there_is(
    emptied: sa.Engine,
) -> None:
    """The limit of a message bounds what a call is likely to cost: the meter sees to that."""
    job = running(left=LEFT, message_micros=10_000, day_micros=900_000 + LEFT)
    books = TurnCallLedger(job.user_id, job.id, job.attempt)

    assert books.open(uuid7(), "demo/demo", lambda bounds: 20_000).held_micros == 20_000
    with pytest.raises(NoRoom):
        books.open(uuid7(), "demo/demo", lambda bounds: LEFT)

    with Session(emptied) as check:
        assert check.get_one(User, job.user_id).credits_held_micros == 20_000
