"""Rolled-up numbers are the raw ones to the micro-dollar, whenever and in whatever order rows came.

The raw ones are recomputed here in Python, row by row, from the ledger and the jobs.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import utc_now
from models.ledger.entries import record
from models.ops import overview, rollup_statements, rollups
from models.schema.answer_files import AnswerFile
from models.schema.archives import ImportedFile, ImportedStatus
from models.schema.chat import Message
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, EntryNote, Transaction, WriteOffReason
from models.schema.rollups import (
    CohortMonth,
    DayTotals,
    HourTotals,
    SplitDay,
    UserDay,
    UserModelMonth,
    UserMonth,
)
from models.schema.snapshots import StateSnapshot
from models.schema.users import User
from tasks import upkeep
from tests import factories

BEGAN = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=31)
PAYMENTS = {WriteOffReason.CREDITS_GONE, WriteOffReason.CREDITS_BACK}
OVER = {
    JobStatus.COMPLETED: "answered",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "cancelled",
}
NAMES = rollup_statements.SUMS


@contextmanager
def at(moment: datetime) -> Generator[None]:
    """Live at a moment: what Python dates meanwhile is of then."""
    with time_machine.travel(moment, tick=False):
        yield


def entry_sums(one: Transaction) -> Mapping[str, int]:  # noqa: C901  # a case for each kind
    """What one entry adds, by the rules of docs/money.md."""
    bought, granted = one.amount_micros - one.promotional_micros, one.promotional_micros
    cost = one.provider_cost_micros or 0
    match one.kind:
        case EntryKind.CHARGE:
            return {"revenue_micros": -bought, "free_credit_micros": -granted, "cost_micros": cost}
        case EntryKind.REFUND:
            return {
                "revenue_micros": -bought,
                "free_credit_micros": -granted,
                "given_back_micros": one.amount_micros,
                "absorbed_micros": one.carried_micros,
            }
        case EntryKind.ABSORBED if one.reason in PAYMENTS:
            return {"refunds_micros": one.carried_micros, "gone_micros": one.carried_micros}
        case EntryKind.ABSORBED:
            return {"cost_micros": cost, "absorbed_micros": one.carried_micros}
        case EntryKind.TOP_UP:
            return {"topped_up_micros": one.amount_micros, "top_ups": 1}
        case EntryKind.PAYMENT_REFUND | EntryKind.CHARGEBACK:
            return {"refunds_micros": -one.amount_micros}
        case EntryKind.ADJUSTMENT if one.reverses_id is not None:
            return {"refunds_micros": -one.amount_micros}
        case EntryKind.GRANT if one.reference.startswith("sign-up:"):
            return {
                "granted_micros": one.amount_micros,
                "sign_up_granted_micros": one.amount_micros,
            }
        case EntryKind.GRANT:
            return {"granted_micros": one.amount_micros}
        case _:
            return {}


def moved(one: Transaction) -> Mapping[str, int]:
    """By how much an entry changes the balance, whatever its kind."""
    return {"moved_micros": one.amount_micros, "moved_granted_micros": one.promotional_micros}


Raw = dict[Any, Counter[str]]


def begin_of(moment: datetime, width: timedelta) -> datetime:
    """When the hour, the day or the month of UTC began."""
    begins = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    begins = begins.replace(hour=0) if width >= DAY else begins
    return begins.replace(day=1) if width == MONTH else begins


def raw(db: Session, width: timedelta, *, by_user: bool = False) -> Raw:
    """Add every row up, by hours or days, or by user and day."""
    found: Raw = defaultdict(Counter)

    def _add(moment: datetime, user_id: UUID, sums: Mapping[str, int]) -> None:
        begins = begin_of(moment, width)
        found[(begins, user_id) if by_user else begins].update(sums)

    for entry in db.scalars(sa.select(Transaction).execution_options(populate_existing=True)):
        _add(entry.created_at, entry.user_id, {**entry_sums(entry), **moved(entry)})
    for job in db.scalars(sa.select(Job).execution_options(populate_existing=True)):
        _add(job.created_at, job.user_id, {"messages": 1})
        if job.finished_at:
            took = job.finished_at - job.started_at if job.started_at else timedelta(0)
            busy = took // timedelta(milliseconds=1)
            _add(job.finished_at, job.user_id, {OVER[job.status]: 1, "busy_ms": busy})
    return found


def raw_split(db: Session) -> Raw:
    """Add every row up by day, channel and model."""
    found: Raw = defaultdict(Counter)
    channels = {
        job.id: channel
        for job, channel in db.execute(
            sa.select(Job, Message.channel).join(Message, Message.id == Job.message_id)
        )
    }
    for entry in db.scalars(sa.select(Transaction)):
        channel = channels[entry.job_id] if entry.job_id else ""
        key = (begin_of(entry.created_at, DAY), channel, entry.model or "")
        found[key].update({**entry_sums(entry), **moved(entry)})
    for job in db.scalars(sa.select(Job)):
        found[begin_of(job.created_at, DAY), channels[job.id], job.model].update({"messages": 1})
        if job.finished_at:
            took = job.finished_at - job.started_at if job.started_at else timedelta(0)
            sums = {OVER[job.status]: 1, "busy_ms": took // timedelta(milliseconds=1)}
            found[begin_of(job.finished_at, DAY), channels[job.id], job.model].update(sums)
    return found


Summed = HourTotals | DayTotals | UserDay | UserMonth | SplitDay


def kept(db: Session, table: type[Summed]) -> Raw:
    found: Raw = {}
    for row in db.scalars(sa.select(table).execution_options(populate_existing=True)):
        key: object = row.begins_at
        if isinstance(row, SplitDay):
            key = (row.begins_at, row.channel, row.model)
        elif isinstance(row, UserDay | UserMonth):
            key = (row.begins_at, row.user_id)
        found[key] = Counter({name: getattr(row, name) for name in NAMES})
    return found


def without_nothing(found: Raw) -> dict[Any, dict[str, int]]:
    shown = {
        key: {name: value for name, value in sums.items() if value} for key, sums in found.items()
    }
    return {key: sums for key, sums in shown.items() if sums}


def assert_equal_to_raw(db: Session) -> None:
    assert without_nothing(kept(db, HourTotals)) == without_nothing(raw(db, HOUR))
    assert without_nothing(kept(db, DayTotals)) == without_nothing(raw(db, DAY))
    assert without_nothing(kept(db, UserDay)) == without_nothing(raw(db, DAY, by_user=True))
    assert without_nothing(kept(db, UserMonth)) == without_nothing(raw(db, MONTH, by_user=True))
    assert without_nothing(kept(db, SplitDay)) == without_nothing(raw_split(db))


def move(db: Session, rows: Iterable[Job | User], moment: datetime) -> None:
    """Date what the database's clock has dated."""
    for row in rows:
        row.created_at = moment
        if isinstance(row, Job) and row.finished_at:
            row.started_at, row.finished_at = moment, moment + timedelta(seconds=41.0625)
    db.flush()


def message(db: Session, user: User, moment: datetime, micros: int, end: str = "answered") -> Job:
    """A message of that moment, charged and ended."""
    with at(moment):
        job = factories.running(db, user)
        factories.charge(db, job, micros)
        if end == "answered":
            factories.answer(db, job)
        elif end == "failed":
            jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
        else:
            jobs.stop(db, job, answer="A part")
    move(db, [job], moment)
    return job


def newcomer(db: Session, name: str, moment: datetime) -> User:
    with at(moment):
        person = factories.user(db, f"{name}@example.org", name=name)
        person.created_at = moment
    db.flush()
    return person


def live(db: Session, seed: int, days: int) -> None:
    """A while in which everything happens that has an entry of its own kind."""
    chance = random.Random(seed)
    people = [newcomer(db, f"p{number}", BEGAN + number * 7 * HOUR) for number in range(4)]
    for number in range(days * 4):
        moment = BEGAN + 2 * DAY + number * timedelta(hours=5, minutes=31, seconds=chance.random())
        user = chance.choice(people)
        with at(moment):
            ledger.top_up(
                db, ledger.lock_account(db, user.id), 1_000_001, reference=f"payment:{number}"
            )
        end = chance.choice(["answered", "answered", "failed", "cancelled"])
        message(db, user, moment, chance.randrange(1, 400_000), end)
        if number % 5 == 0:
            _money_goes_back(db, user, moment + timedelta(minutes=1), number)


def _money_goes_back(db: Session, user: User, moment: datetime, number: int) -> None:
    with at(moment):
        locked = ledger.lock_account(db, user.id)
        reference, more = f"dispute:{number}", locked.credits_balance_micros + 17
        ledger.clawback(
            db,
            locked,
            EntryKind.CHARGEBACK,
            more,
            reference=reference,
            note=EntryNote.PAYMENT_DISPUTED,
        )
        if number % 10 == 0:
            ledger.give_back(db, locked, reference, 17, EntryNote.DISPUTE_WON)


def roll(db: Session, now: datetime) -> None:
    for one in (rollups.roll_hours, rollups.roll_days, rollups.roll_months):
        while not one(db, now):
            pass


@pytest.mark.parametrize("seed", [1, 2])
def test_all_numbers_are_those_of_the_raw_rows(db: Session, seed: int) -> None:
    live(db, seed, days=12)
    roll(db, BEGAN + 20 * DAY)
    assert raw(db, DAY)
    assert_equal_to_raw(db)
    total = sum((sums["gone_micros"] for sums in kept(db, DayTotals).values()), 0)
    assert total > 0


def test_adding_up_again_changes_nothing(db: Session) -> None:
    live(db, 3, days=4)
    for _ in range(3):
        roll(db, BEGAN + 9 * DAY)
    assert_equal_to_raw(db)


def test_what_is_new_is_added(db: Session) -> None:
    ada = newcomer(db, "ada", BEGAN)
    for hours in (1, 2, 3, 30, 31, 100):
        moment = BEGAN + hours * HOUR
        message(db, ada, moment, 1_000 + hours)
        roll(db, moment + timedelta(minutes=5))
        assert_equal_to_raw(db)


@pytest.mark.parametrize("late", [timedelta(minutes=90), 3 * DAY])
def test_what_is_written_late_is_found(db: Session, late: timedelta) -> None:
    ada = newcomer(db, "ada", BEGAN)
    roll(db, BEGAN + 10 * DAY)
    message(db, ada, BEGAN + 10 * DAY - late, 1_234)
    # At the next turn of the clock, or when the day has changed.
    roll(db, BEGAN + 10 * DAY + (timedelta(minutes=1) if late < 2 * HOUR else DAY))
    assert_equal_to_raw(db)


def test_what_is_older_still_is_found_when_all_is_made_anew(db: Session) -> None:
    ada = newcomer(db, "ada", BEGAN)
    roll(db, BEGAN + 60 * DAY)
    message(db, ada, BEGAN + DAY, 1_234)
    roll(db, BEGAN + 61 * DAY)
    assert kept(db, DayTotals) != raw(db, DAY)
    rollups.forget(db)
    roll(db, BEGAN + 61 * DAY)
    assert_equal_to_raw(db)


def test_who_came_stayed_and_was_active_is_counted_once(db: Session) -> None:
    ada, eve, grace = (newcomer(db, name, BEGAN) for name in ("ada", "eve", "grace"))
    for _ in range(2):
        message(db, ada, BEGAN + timedelta(minutes=10), 10)
    message(db, eve, BEGAN + 25 * HOUR, 10)
    for days in (8, 9, 15):
        message(db, ada, BEGAN + days * DAY, 10)
    message(db, grace, BEGAN + 15 * DAY, 10)
    roll(db, BEGAN + 20 * DAY)
    first = db.scalars(sa.select(DayTotals).order_by(DayTotals.begins_at)).first()
    assert first
    assert (first.sign_ups, first.active_users) == (3, 1)
    assert (first.activated_users, first.returned_users) == (1, 1)


def test_who_was_active_lately_is_counted_once(db: Session) -> None:
    assert overview.active(db, BEGAN) == {1: 0, 7: 0, 30: 0}
    ada, eve, grace = (newcomer(db, name, BEGAN) for name in ("ada", "eve", "grace"))
    for user, days in ((grace, 0), (ada, 3), (eve, 24), (ada, 29), (ada, 30)):
        message(db, user, BEGAN + days * DAY, 10)
    for day, active in (
        *((3, {1: 1, 7: 2, 30: 2}), (23, {1: 0, 7: 0, 30: 2}), (29, {1: 1, 7: 2, 30: 3})),
        *((30, {1: 1, 7: 2, 30: 2}), (31, {1: 0, 7: 1, 30: 2}), (90, {1: 0, 7: 0, 30: 0})),
    ):
        roll(db, BEGAN + day * DAY)
        assert overview.active(db, BEGAN + day * DAY) == active, day
    # Until days are added up again.
    assert overview.active(db, BEGAN + 91 * DAY) == {1: 0, 7: 0, 30: 0}


def test_before_anybody_came_there_is_nothing(db: Session) -> None:
    roll(db, BEGAN)
    assert kept(db, HourTotals) == {}


def test_the_clock_adds_up_and_two_clocks_do_no_harm(emptied: sa.Engine) -> None:
    with Session(emptied, expire_on_commit=False) as db, db.begin():
        ada = factories.user(db, "ada@example.org")
        factories.charge(db, factories.running(db, ada), 5_000)
    assert factories.in_parallel(3, upkeep.roll_up) == [None] * 3
    with Session(emptied) as db:
        assert_equal_to_raw(db)
        assert sum(one["messages"] for one in kept(db, DayTotals).values()) == 1


def test_an_adjustment_is_neither_revenue_nor_a_refund(db: Session) -> None:
    ada = newcomer(db, "ada", BEGAN)
    with at(BEGAN + HOUR):
        less = Transaction(kind=EntryKind.ADJUSTMENT, amount_micros=-5, reference="less")
        assert record(db, ledger.lock_account(db, ada.id), less)
    roll(db, BEGAN + DAY)
    assert_equal_to_raw(db)


def test_what_a_users_calls_used_is_added_up_by_month_model_and_margin(db: Session) -> None:
    live(db, 4, days=12)
    roll(db, BEGAN + 20 * DAY)
    rows = db.scalars(sa.select(UserModelMonth)).all()
    entries = db.scalars(sa.select(Transaction).where(Transaction.model.is_not(None))).all()
    by_user: Raw = defaultdict(Counter)
    for one in entries:
        net = -one.amount_micros if one.kind in {EntryKind.CHARGE, EntryKind.REFUND} else 0
        sums = {"charged": net, "cost": one.provider_cost_micros or 0, "in": one.tokens_in or 0}
        by_user[begin_of(one.created_at, MONTH), one.user_id].update(sums)
    kept_sums: Raw = defaultdict(Counter)
    for row in rows:
        sums = {"charged": row.charged_micros, "cost": row.cost_micros, "in": row.tokens_in}
        kept_sums[row.begins_at, row.user_id].update(sums)
    assert kept_sums == by_user
    assert {(row.model, row.margin_percent) for row in rows} == {(factories.MODEL, 0)}


def test_what_was_erased_leaves_the_months_too(db: Session) -> None:
    ada = newcomer(db, "ada", BEGAN)
    job = message(db, ada, BEGAN + HOUR, 1_000)
    roll(db, BEGAN + 2 * HOUR)
    with factories.rewriting(db):
        db.execute(sa.delete(Transaction))
        db.execute(sa.delete(Job).where(Job.id == job.id))
    roll(db, BEGAN + 3 * HOUR)
    assert kept(db, UserMonth) == {}


def test_cohorts_count_who_was_active_and_who_paid(db: Session) -> None:
    ada, eve = newcomer(db, "ada", BEGAN), newcomer(db, "eve", BEGAN)
    later = BEGAN + 40 * DAY
    for user in (ada, eve):
        message(db, user, BEGAN + HOUR, 10)
    with at(later):
        ledger.top_up(db, ledger.lock_account(db, ada.id), 5_000_000, reference="payment:1")
    message(db, ada, later, 1_500_000)
    roll(db, later + DAY)
    found = db.scalars(sa.select(CohortMonth).order_by(CohortMonth.begins_at)).all()
    assert [(one.active_users, one.paying_users) for one in found] == [(2, 0), (1, 1)]
    assert {one.cohort_at for one in found} == {begin_of(BEGAN, MONTH)}


OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)


def stored(db: Session, user: User, month: datetime) -> int | None:
    """What a month says that a user kept."""
    wanted = UserMonth.user_id == user.id, UserMonth.begins_at == month
    return db.scalar(sa.select(UserMonth.stored_bytes).where(*wanted))


def saved(db: Session, job: Job, size: int, moment: datetime) -> None:
    """A version of somebody's files takes the place of the one before."""
    db.execute(sa.delete(StateSnapshot))
    newest = StateSnapshot(user_id=job.user_id, job_id=job.id, packs=[], version=1)
    newest.size_bytes, newest.created_at = size, moment
    db.add(newest)
    db.flush()


def test_storage_of_a_month_that_is_over_stays(db: Session) -> None:
    """Whatever is deleted afterwards, and although she wrote nothing in it but on the next day."""
    ada = newcomer(db, "ada", OCTOBER - 50 * DAY)
    job = factories.running(db, ada)
    job.created_at = OCTOBER + HOUR
    said = {"user_id": ada.id, "conversation_id": job.conversation_id, "job_id": job.id}
    file = AnswerFile(**said, media_type="text/plain", path="a.md", name="a.md", storage_key="made")
    file.size_bytes, file.created_at = 10, OCTOBER - 5 * DAY
    db.add(file)
    saved(db, job, 1_000, OCTOBER - 5 * DAY)
    roll(db, OCTOBER - 4 * DAY)
    saved(db, job, 1_990, OCTOBER - 2 * DAY)
    september = OCTOBER - 30 * DAY
    for days in range(4):
        roll(db, OCTOBER + days * DAY + timedelta(minutes=1))
        assert stored(db, ada, september) == 2_000
        saved(db, job, 7, OCTOBER + days * DAY + HOUR)
    assert stored(db, ada, OCTOBER) == 17


def test_what_is_deleted_within_a_month_is_kept_no_more(db: Session) -> None:
    ada = newcomer(db, "ada", OCTOBER)
    job = factories.running(db, ada)
    job.created_at = OCTOBER - 40 * DAY
    saved(db, job, 5_000, OCTOBER + HOUR)
    rollups.roll_months(db, OCTOBER + DAY)
    assert stored(db, ada, OCTOBER) == 5_000
    db.execute(sa.delete(StateSnapshot))
    rollups.roll_months(db, OCTOBER + 2 * DAY)
    assert stored(db, ada, OCTOBER) is None


def test_storage_counts_all_that_a_user_keeps(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    common = {"user_id": ada.id, "media_type": "text/plain", "size_bytes": 1_000, "path": "a.md"}
    said = {"conversation_id": job.conversation_id, "job_id": job.id}
    db.add(AnswerFile(**common, **said, name="a.md", storage_key="made"))
    waits = ImportedStatus.WAITING
    db.add(ImportedFile(**common, name="a.md", storage_key="brought", status=waits))
    db.commit()
    rollups.roll_months(db, utc_now())
    month = sa.select(UserMonth.stored_bytes).where(UserMonth.user_id == ada.id)
    assert db.scalars(month).one() == 2_000
