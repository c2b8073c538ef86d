"""What people let themselves spend, and that it stops there."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agent.meter.call_ledger import NoRoom
from models import jobs, ledger, periods
from models.base import new_id, utc_now
from models.database import unit_of_work
from models.ledger import CallCost, limits
from models.ledger.limits import Limits
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.model_calls import CallStatus
from models.schema.users import User
from settings import get_settings
from tasks.worker.call_ledger import TurnCallLedger
from tests import factories
from tests.factories import MODEL
from tests.models.ledger.test_entries import closed

CENT = 10_000
DOLLAR = 1_000_000


def left(db: Session, job: Job) -> dict[str, int]:
    """What each bound still allows the next call of a job."""
    owner = db.get_one(User, job.user_id, populate_existing=True)
    return {bound.code: bound.left_micros for bound in limits.bounds(db, owner, job)}


def test_a_message_may_cost_a_quarter_unless_its_person_says_otherwise(
    db: Session, ada: User
) -> None:
    assert factories.job(db, ada).cost_limit_micros == 250_000
    limits.choose(db, ada.id, Limits(message_micros=40 * CENT))

    assert factories.job(db, ada).cost_limit_micros == 40 * CENT
    assert factories.job(db, ada).cost_limit_micros == limits.message_limit(ada)


def test_without_limits_a_day_and_a_month_are_not_bounded(db: Session, ada: User) -> None:
    job = factories.running(db, ada)

    assert left(db, job) == {"no_credit": DOLLAR, "message_limit": 250_000}


def test_what_is_spent_and_held_is_not_left(db: Session, ada: User) -> None:
    limits.choose(db, ada.id, Limits(day_micros=30 * CENT, month_micros=50 * CENT))
    job = factories.running(db, ada)
    closed(db, job, 7 * CENT)
    factories.open_call(db, job, 5 * CENT)

    assert left(db, job) == {
        "no_credit": DOLLAR - 12 * CENT,
        "month_limit": 38 * CENT,
        "day_limit": 18 * CENT,
        "message_limit": 13 * CENT,
    }


def test_what_was_given_back_was_not_spent(db: Session, ada: User) -> None:
    limits.choose(db, ada.id, Limits(day_micros=30 * CENT))
    job = factories.running(db, ada)
    closed(db, job, 7 * CENT)
    jobs.fail(db, job, FailureCode.UNEXPECTED)

    again = jobs.ask_again(db, job, model=MODEL)

    assert left(db, again)["day_limit"] == 30 * CENT
    assert left(db, again)["message_limit"] == 25 * CENT


def test_a_day_and_a_month_begin_where_the_person_lives(db: Session, ada: User) -> None:
    ada.timezone = "Pacific/Auckland"
    limits.choose(db, ada.id, Limits(day_micros=30 * CENT, month_micros=50 * CENT))
    with time_machine.travel(datetime(2026, 6, 29, 11, 50, tzinfo=UTC), tick=False):
        closed(db, factories.running(db, ada), 5 * CENT)
        factories.answer(db, db.scalars(sa.select(Job)).one())
    # Ten minutes later it is the 30th there; a day after that, July.
    with time_machine.travel(datetime(2026, 6, 29, 12, 0, tzinfo=UTC), tick=False):
        job = factories.running(db, ada)
        assert left(db, job)["day_limit"] == 30 * CENT
        assert left(db, job)["month_limit"] == 45 * CENT
    with time_machine.travel(datetime(2026, 6, 30, 12, 0, tzinfo=UTC), tick=False):
        assert left(db, job)["month_limit"] == 50 * CENT


@pytest.mark.parametrize(
    ("day", "hours"),
    [(datetime(2026, 3, 29, tzinfo=UTC), 23), (datetime(2026, 10, 25, 12, tzinfo=UTC), 25)],
)
def test_a_day_is_as_long_as_it_is_there(day: datetime, hours: int) -> None:
    found = periods.day_of("Europe/Berlin", day)

    assert found.ends - found.begins == timedelta(hours=hours)
    assert found.begins <= day < found.ends


def test_december_is_followed_by_january() -> None:
    found = periods.month_of("UTC", datetime(2026, 12, 31, 23, 59, tzinfo=UTC))

    assert found.begins == datetime(2026, 12, 1, tzinfo=UTC)
    assert found.ends == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_zone_that_nobody_knows_counts_as_utc() -> None:
    found = periods.day_of("Atlantis/Centre", datetime(2026, 12, 31, 23, 59, tzinfo=UTC))

    assert found.begins == datetime(2026, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [("day_micros", limits.DayLimitReached), ("month_micros", limits.MonthLimitReached)],
)
def test_who_has_reached_a_limit_can_send_nothing_more(
    db: Session, ada: User, kind: str, refusal: type[limits.LimitReached]
) -> None:
    limits.choose(db, ada.id, Limits(**{kind: 5 * CENT}))
    job = factories.running(db, ada)
    closed(db, job, 5 * CENT)
    factories.answer(db, job)

    with pytest.raises(refusal):
        factories.job(db, ada)
    limits.choose(db, ada.id, Limits(**{kind: 6 * CENT}))
    assert factories.job(db, ada)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        (Limits(day_micros=CENT - 1), limits.BadLimit),
        (Limits(message_micros=-5 * CENT), limits.BadLimit),
        (Limits(month_micros=limits.MOST_LIMIT_MICROS + 1), limits.BadLimit),
        (Limits(message_micros=3 * DOLLAR), limits.MessageLimitTooHigh),
        (Limits(day_micros=2 * DOLLAR, month_micros=DOLLAR), limits.LimitsDoNotFit),
        (Limits(message_micros=2 * DOLLAR, day_micros=DOLLAR), limits.LimitsDoNotFit),
    ],
)
def test_senseless_limits_are_refused(
    db: Session, ada: User, given: Limits, refusal: type[Exception]
) -> None:
    limits.choose(db, ada.id, Limits(day_micros=2 * DOLLAR))
    with pytest.raises(refusal):
        limits.choose(db, ada.id, given)

    assert (ada.message_limit_micros, ada.day_limit_micros) == (None, 2 * DOLLAR)


def test_the_database_itself_forbids_limits_of_nothing(db: Session, ada: User) -> None:
    ada.day_limit_micros = 0
    with pytest.raises(IntegrityError, match="limits_positive"):
        db.flush()


def test_a_message_at_its_limit_goes_on_with_twice_as_much(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    closed(db, job, 20 * CENT)
    jobs.fail(db, job, FailureCode.MESSAGE_LIMIT, answer="The first half")

    further = jobs.go_on(db, job, model=MODEL)

    assert further.cost_limit_micros == 500_000
    assert left(db, further)["message_limit"] == 500_000
    assert jobs.written_so_far(db, further) == "The first half"
    further.cost_limit_micros = get_settings().turn_max_cost_micros
    assert jobs.further_allowance(further) == get_settings().turn_max_cost_micros


def test_only_a_message_at_its_limit_goes_on(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.UNEXPECTED)

    with pytest.raises(jobs.AlreadyAnswered):
        jobs.go_on(db, job, model=MODEL)
    assert jobs.written_so_far(db, jobs.ask_again(db, job, model=MODEL)) == ""


def test_a_retry_may_cost_what_the_message_was_allowed(db: Session, ada: User) -> None:
    dear = jobs.ask(
        db, factories.conversation(db, ada), "Think!", model=MODEL, cost_limit_micros=400_000
    )
    jobs.fail(db, factories.claim(db) or dear, FailureCode.UNEXPECTED)

    assert jobs.ask_again(db, dear, model=MODEL).cost_limit_micros == 400_000


def test_calls_side_by_side_never_pass_the_limit_of_their_day(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        owner = factories.user(setup, "grace@example.org")
        limits.choose(setup, owner.id, Limits(day_micros=10 * CENT))
        job = factories.running(setup, owner)
    books = TurnCallLedger(owner.id, job.id, job.attempt)

    def _call() -> None:
        call = books.open(new_id(), MODEL, lambda _: 3 * CENT)
        _close(call.call_id, 3 * CENT - 1)

    outcomes = factories.in_parallel(16, _call)

    refused = [outcome for outcome in outcomes if isinstance(outcome, NoRoom)]
    assert len(outcomes) - len(refused) == 3
    assert {one.bound.code for one in refused} == {"day_limit"}
    with Session(emptied) as check:
        assert check.get_one(User, owner.id).credits_held_micros == 0
        assert limits.spent(check) == 3 * (3 * CENT - 1)
        assert ledger.drift(check, owner.id) == 0


def test_a_call_under_a_day_limit_looks_at_no_charge_of_the_day_by_itself(
    db: Session, ada: User
) -> None:
    """However many there are: each call to a model waits for this."""
    job = factories.running(db, ada)
    for _ in range(2):
        closed(db, job, CENT)
    jobs.fail(db, job, FailureCode.UNEXPECTED)
    _charge_often(db, ada, job, 3_000)
    db.execute(sa.text("ANALYZE transactions"))
    limits.choose(db, ada.id, Limits(day_micros=40 * CENT))
    again = factories.running(db, ada)

    assert left(db, again)["day_limit"] == 40 * CENT - 3_000
    assert 2 <= _most_loops(db, lambda: left(db, again)) <= 4


def test_a_charge_of_yesterday_that_is_given_back_today_leaves_today_no_more(
    db: Session, ada: User
) -> None:
    limits.choose(db, ada.id, Limits(day_micros=30 * CENT, month_micros=50 * CENT))
    with time_machine.travel(datetime(2026, 6, 28, 23, 0, tzinfo=UTC), tick=False):
        job = factories.running(db, ada)
        closed(db, job, 7 * CENT)
    with time_machine.travel(datetime(2026, 6, 29, 1, 0, tzinfo=UTC), tick=False):
        jobs.fail(db, job, FailureCode.UNEXPECTED)
        again = factories.running(db, ada)
        assert left(db, again)["day_limit"] == 30 * CENT
        assert left(db, again)["month_limit"] == 50 * CENT


def _charge_often(db: Session, owner: User, job: Job, times: int) -> None:
    """Let a person have made many calls for a micro each."""
    given = {"user": owner.id, "job": job.id, "times": times, "now": utc_now()}
    db.execute(
        sa.text("""
            WITH calls AS (
                INSERT INTO model_calls
                    (id, user_id, job_id, attempt, model, status, held_micros, closed_at)
                SELECT gen_random_uuid(), :user, :job, 1, 'demo/demo', 'completed', 1, :now
                FROM generate_series(1, :times) RETURNING id
            )
            INSERT INTO transactions
                (id, user_id, kind, amount_micros, reference, call_id, created_at)
            SELECT gen_random_uuid(), :user, 'charge', -1, 'call:' || id, id, :now FROM calls
        """),
        given,
    )


def _most_loops(db: Session, ask: Callable[[], object]) -> int:
    """Tell how often the questions behind `ask` do one of their steps in the ledger."""
    asked: list[tuple[str, Any]] = []

    def _note(
        _connection: object, _cursor: object, statement: str, parameters: object, *_: object
    ) -> None:
        asked.append((statement, parameters))

    connection = db.connection()
    event.listen(connection, "before_cursor_execute", _note)
    ask()
    event.remove(connection, "before_cursor_execute", _note)
    loops = [0]
    for statement, parameters in asked:
        if "transactions" not in statement:
            continue
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        plan = connection.exec_driver_sql(explain, parameters).scalar_one()
        loops += [step["Actual Loops"] for step in _steps(plan[0]["Plan"])]
    return max(loops)


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _steps(part)


def _close(call_id: UUID, charge: int) -> None:
    cost = CallCost(10, 10, 0, 0, charge // 2, charge, "test", is_estimated=False)
    with unit_of_work() as db:
        ledger.close_call(db, call_id=call_id, status=CallStatus.COMPLETED, cost=cost)


def test_what_a_running_call_holds_is_not_called_spent(db: Session, ada: User) -> None:
    limits.choose(db, ada.id, Limits(day_micros=100_000))
    factories.open_call(db, factories.running(db, ada), 100_000)
    limits.refuse_if_reached(db, ada)
