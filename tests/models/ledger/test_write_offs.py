"""Write-offs: each has a reason, and all together never pass the cap of a day."""

import ast
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agent.meter.call_ledger import NoRoom
from agent.turn import TurnFailure
from models import jobs, ledger
from models.base import new_id, utc_now
from models.ledger import CallCost
from models.ledger.entries import record
from models.ledger.write_offs import room_today, write_off
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, Transaction, WriteOffReason
from models.schema.model_calls import CallStatus
from models.schema.standing_charges import StandingCharge
from models.schema.users import User
from settings import PROJECT_DIR, get_settings
from tasks.worker.call_ledger import TurnCallLedger
from tests import factories
from tests.factories import MODEL
from tests.models.ledger.test_entries import GRANT, closed

CAP = 1_000


@pytest.fixture(autouse=True)
def cap(adjust: Callable[..., None]) -> None:
    """So much of what providers get is given back in a day; they get half of each charge here."""
    adjust(ABSORBED_DAILY_LIMIT_MICROS=str(CAP), JOB_RETRY_DELAY_SECONDS="0")


def failed(
    db: Session, user: User, *charges: int, code: FailureCode = FailureCode.UNEXPECTED
) -> Job:
    """A job of so many calls that failed."""
    job = factories.running(db, user)
    for micros in charges:
        closed(db, job, micros)
    jobs.fail(db, job, code)
    return job


def paid(user: User) -> int:
    return GRANT - user.credits_balance_micros


def carried(db: Session, user: User) -> int:
    total = sa.select(sa.func.sum(Transaction.carried_micros))
    return int(db.scalar(total.where(Transaction.user_id == user.id)) or 0)


def a_day_passes(db: Session) -> None:
    earlier = Transaction.created_at - timedelta(days=1)
    with factories.rewriting(db):
        db.execute(sa.update(Transaction).values(created_at=earlier))


def in_order(db: Session) -> bool:
    db.flush()
    return not any(ledger.audit(db).values())


@pytest.mark.parametrize(("kind", "amount"), [(EntryKind.REFUND, 5), (EntryKind.ABSORBED, 0)])
def test_nothing_is_written_off_without_a_reason(
    db: Session, ada: User, kind: EntryKind, amount: int
) -> None:
    entry = Transaction(kind=kind, amount_micros=amount, reference="by-the-way")
    with pytest.raises(IntegrityError, match="write_off_has_reason"):
        record(db, ada, entry)


def test_nothing_else_has_such_a_reason(db: Session, ada: User) -> None:
    entry = Transaction(
        kind=EntryKind.GRANT,
        amount_micros=5,
        reference="gift",
        reason=WriteOffReason.BY_HAND,
    )
    with pytest.raises(IntegrityError, match="write_off_has_reason"):
        record(db, ada, entry)


def test_what_does_not_fit_is_not_written_off(db: Session, ada: User) -> None:
    entry = Transaction(amount_micros=5, reference="refund:by-the-way")
    with pytest.raises(ValueError, match="fits into the day"):
        write_off(db, ada, entry, WriteOffReason.JOB_FAILED, carried_micros=5)


def test_nor_is_what_does_not_fit_into_the_rest_of_the_day(db: Session, ada: User) -> None:
    room = room_today(db, ada)
    entry = Transaction(amount_micros=5, reference="refund:by-the-way")
    with pytest.raises(ValueError, match="fits into the day"):
        write_off(
            db,
            ada,
            entry,
            WriteOffReason.JOB_FAILED,
            carried_micros=room.left_micros + 1,
            room=room,
        )


def _writes_off(path: Path) -> bool:
    """Tell whether a file gives one of the two kinds to an entry."""
    return any(
        _is_write_off(part)
        for node in ast.walk(ast.parse(path.read_text()))
        if _gives_kind(node)
        for part in ast.walk(node)
    )


def _gives_kind(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg == "kind"
    return isinstance(node, ast.Assign) and any(
        isinstance(to, ast.Attribute) and to.attr == "kind" for to in node.targets
    )


def _is_write_off(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) in {
        "EntryKind.REFUND",
        "EntryKind.ABSORBED",
    }


def test_there_is_one_place_that_writes_off() -> None:
    places = {
        path.name
        for package in ("models", "tasks", "webapp", "bench")
        for path in (PROJECT_DIR / package).rglob("*.py")
        if _writes_off(path)
    }
    assert places == {"write_offs.py"}


def test_within_the_cap_all_is_given_back(db: Session, ada: User) -> None:
    failed(db, ada, 1_000, 400)
    failed(db, ada, 600)

    assert (paid(ada), carried(db, ada)) == (0, CAP)
    assert db.scalars(sa.select(StandingCharge)).all() == []
    assert in_order(db)


def test_beyond_the_cap_charges_stand(db: Session, ada: User) -> None:
    failed(db, ada, 1_600)
    job = failed(db, ada, 500, 400, code=FailureCode.WORKER_LOST)

    # What still fits is given back: each call by itself.
    assert (paid(ada), carried(db, ada)) == (500, CAP)
    [stands] = db.scalars(sa.select(StandingCharge))
    assert (stands.job_id, stands.charged_micros) == (job.id, 500)
    assert stands.reason is WriteOffReason.WORKER_LOST
    assert in_order(db)


def test_the_cap_is_that_of_a_whole_day(db: Session, ada: User) -> None:
    today = utc_now().replace(minute=30)
    with time_machine.travel(today.replace(hour=8), tick=False):
        failed(db, ada, CAP)
    with time_machine.travel(today.replace(hour=15), tick=False):
        assert room_today(db, ada).left_micros == CAP // 2


def test_what_stands_once_stands_though_the_next_day_has_room(db: Session, ada: User) -> None:
    failed(db, ada, 2 * CAP)
    job = failed(db, ada, CAP)
    a_day_passes(db)

    back = ledger.refund_job(db, job.id, reason=WriteOffReason.JOB_FAILED)

    assert (back.micros, back.standing_micros) == (0, CAP)
    assert paid(ada) == CAP


def test_the_next_day_has_room_again_whatever_the_time_zone(db: Session, ada: User) -> None:
    failed(db, ada, 2_000)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        ada.timezone = zone
        failed(db, ada, 100)
    assert paid(ada) == 200

    a_day_passes(db)
    failed(db, ada, 2_000)

    assert paid(ada) == 200
    assert in_order(db)


def test_the_cap_of_one_person_is_not_that_of_another(db: Session, ada: User, eve: User) -> None:
    for person in (ada, eve):
        failed(db, person, 2_000)
        assert paid(person) == 0


def test_a_smaller_cap_finds_nothing_wrong_with_what_was_before(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    failed(db, ada, 2_000)
    adjust(ABSORBED_DAILY_LIMIT_MICROS="10")
    failed(db, ada, 100)

    assert paid(ada) == 100
    assert in_order(db)


def test_somebody_of_ours_gives_back_by_hand_once(db: Session, ada: User) -> None:
    failed(db, ada, 2_000)
    failed(db, ada, 300, 200)
    assert ledger.standing_micros(db, ada.id) == 500

    assert ledger.refund_by_hand(db, ada.id) == 500
    assert ledger.refund_by_hand(db, ada.id) == 0

    assert (paid(ada), ledger.standing_micros(db, ada.id)) == (0, 0)
    assert in_order(db)


def test_after_a_standing_charge_no_further_try_is_made_for_a_dead_worker(
    db: Session, ada: User
) -> None:
    job = factories.running(db, ada)
    closed(db, job, 2_002)
    _fall_silent(db, job)

    assert factories.reap_expired(db) == [job]

    assert (job.status, job.failure_code) == (JobStatus.FAILED, "worker_lost")
    assert job.failure_details == {"charged_micros": 2002, "has_part": False, "stands": True}
    assert in_order(db)


def test_within_the_cap_another_try_is_made_for_a_dead_worker(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    closed(db, job, 2_000)
    _fall_silent(db, job)

    factories.reap_expired(db)

    assert (job.status, paid(ada)) == (JobStatus.PENDING, 0)


def test_a_message_with_a_standing_charge_does_not_wait_for_credits(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    closed(db, job, 2_002)

    assert not jobs.pause(db, job)
    assert job.status is JobStatus.RUNNING


def _lost_call(db: Session, job: Job) -> None:
    factories.open_call(db, job, 2_000)
    ledger.absorb_abandoned(db, job.id, job.attempt)


def _late_call(db: Session, job: Job) -> None:
    late = factories.open_call(db, job, 5_000)
    job.attempt += 1
    db.flush()
    cost = CallCost(1, 1, 0, 0, CAP, 2 * CAP, "test", is_estimated=False)
    ledger.close_call(db, call_id=late, status=CallStatus.COMPLETED, cost=cost)


def _beyond_hold(db: Session, job: Job) -> None:
    closed(db, job, 2 * CAP + 100, held=100)


@pytest.mark.parametrize("waste", [_lost_call, _late_call, _beyond_hold])
def test_what_cannot_be_charged_ends_the_day_once_it_comes_to_the_cap(
    db: Session, ada: User, waste: Callable[[Session, Job], None]
) -> None:
    job = factories.running(db, ada)
    _open(job)
    waste(db, job)
    assert carried(db, ada) >= CAP

    with pytest.raises(NoRoom, match="absorbed_limit") as refused:
        _open(job)

    assert refused.value.bound.code == TurnFailure.ABSORBED_LIMIT
    a_day_passes(db)
    _open(job)


def test_what_could_be_charged_ends_no_day(db: Session, ada: User) -> None:
    failed(db, ada, 2_000)
    _open(factories.running(db, ada))


def test_a_lost_call_counts_by_the_most_that_it_can_have_cost(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.open_call(db, job, 1_000)
    ledger.absorb_abandoned(db, job.id, job.attempt)

    assert carried(db, ada) == 1_000 * (100 - get_settings().margin_percent) // 100
    [entry] = db.scalars(sa.select(Transaction).where(Transaction.job_id == job.id))
    # The books say what is known.
    assert entry.provider_cost_micros == 0


def _fall_silent(db: Session, job: Job) -> None:
    job.lease_until = sa.func.clock_timestamp() - timedelta(seconds=1)
    db.flush()


def _open(job: Job) -> UUID:
    books = TurnCallLedger(job.user_id, job.id, job.attempt)
    call = books.open(new_id(), MODEL, lambda _: 100)
    books.close(factories.closed_call(call.call_id, 0, "failed"))
    return call.call_id
