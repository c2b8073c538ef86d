"""What is kept, charged and told for each way in which a turn can end."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.sentences import failures
from agent.turn import TurnFailure
from gateways.live_events import JobEnded
from models import jobs, ledger
from models.jobs.cancellation import cancel
from models.jobs.charging import OURS, STEERED
from models.ledger import alerts
from models.schema.alerts import Alert, AlertKind
from models.schema.chat import Message, Role
from models.schema.emails import Email
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import Transaction, WriteOffReason
from models.schema.standing_charges import StandingCharge
from models.schema.users import User
from settings import PROJECT_DIR, Settings
from tasks.worker import outcomes
from tests import factories
from tests.factories import MODEL
from tests.models.ledger.test_entries import GRANT
from tests.tasks.bare_worker import BareWorker, ScriptedTurn

CHARGED = 100_000
WORDS = "The first half"
PAID_FOR = sorted(map(TurnFailure, STEERED))
# Of a job that another worker has by now, nothing is written down here.
OF_TURNS = sorted(set(TurnFailure) - {*PAID_FOR, TurnFailure.LEASE_LOST})


@pytest.fixture
def worker(settings: Settings, redis_url: str, db: Session) -> BareWorker:
    assert redis_url
    assert db
    return BareWorker(settings)


@dataclass(frozen=True)
class Ended:
    job: Job
    answer: str | None
    paid_micros: int


def begun(worker: BareWorker, db: Session, ada: User) -> ScriptedTurn:
    """A turn of Ada's that has made one call."""
    factories.job(db, ada)
    db.commit()
    return called(worker, ada)


def called(worker: BareWorker, ada: User) -> ScriptedTurn:
    turn = worker.claim(ada.id)
    assert turn is not None
    turn.close(turn.open(2 * CHARGED), CHARGED)
    return turn


def details(
    *, charged: int = CHARGED, part: bool = False, stands: bool = False
) -> dict[str, object]:
    return {"charged_micros": charged, "has_part": part, "stands": stands}


def ended(db: Session, turn: ScriptedTurn) -> Ended:
    db.expire_all()
    said = sa.select(Message.text).where(
        Message.job_id == turn.held.job_id, Message.role == Role.ASSISTANT
    )
    job = db.get_one(Job, turn.held.job_id)
    user = db.get_one(User, job.user_id)
    assert user.credits_held_micros == 0
    assert not any(ledger.audit(db).values())
    return Ended(job, db.scalar(said), GRANT - user.credits_balance_micros)


@pytest.mark.parametrize("code", PAID_FOR)
def test_what_was_shown_is_kept_and_paid_for(
    worker: BareWorker, db: Session, ada: User, code: TurnFailure
) -> None:
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    turn.fail(code)

    end = ended(db, turn)

    assert (end.job.status, end.job.failure_code) == (JobStatus.FAILED, code)
    assert (end.answer, end.paid_micros) == (WORDS, CHARGED)
    assert end.job.failure_details == details(part=True)
    is_sound = outcomes.cell_after(code) is outcomes.CellAfter.KEPT
    assert worker.cells.saved == ([ada.id] if is_sound else [])
    assert worker.cells.discarded == ([] if is_sound else [ada.id])


@pytest.mark.parametrize("code", [code for code in PAID_FOR if code is not TurnFailure.NO_CREDIT])
def test_steps_that_were_shown_are_paid_for_too(
    worker: BareWorker, db: Session, ada: User, code: TurnFailure
) -> None:
    turn = begun(worker, db, ada)
    turn.show(tools=["web_search"])
    turn.fail(code)

    end = ended(db, turn)

    assert (end.answer, end.paid_micros) == (None, CHARGED)
    assert end.job.failure_details == details()


@pytest.mark.parametrize("code", [code for code in PAID_FOR if code is not TurnFailure.NO_CREDIT])
def test_where_nothing_was_shown_nothing_is_paid(
    worker: BareWorker, db: Session, ada: User, code: TurnFailure
) -> None:
    turn = begun(worker, db, ada)
    turn.show(" \n")
    turn.fail(code)

    end = ended(db, turn)

    assert (end.answer, end.paid_micros) == (None, 0)
    assert end.job.failure_details == details(charged=0)
    assert written_off(db) == [WriteOffReason.NOTHING_SHOWN]


@pytest.mark.parametrize("code", OF_TURNS)
def test_our_failures_are_ours(
    worker: BareWorker, db: Session, ada: User, code: TurnFailure
) -> None:
    turn = begun(worker, db, ada)
    turn.show(WORDS, ["read"])
    turn.fail(code)

    end = ended(db, turn)

    assert (end.answer, end.paid_micros) == (None, 0)
    assert end.job.failure_details == details(charged=0)
    assert written_off(db) == [WriteOffReason.JOB_FAILED]


def test_who_runs_dry_before_the_first_word_waits_and_pays_nothing(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    turn.show(tools=["read"])
    turn.fail(TurnFailure.NO_CREDIT)

    end = ended(db, turn)

    assert (end.job.status, end.paid_micros) == (JobStatus.PAUSED, 0)
    assert written_off(db) == [WriteOffReason.OUT_OF_CREDIT]


def test_what_a_person_stops_they_keep_and_pay_for(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    cancel(db, ada.id, turn.held.job_id)
    turn.stop()

    end = ended(db, turn)

    assert (end.job.status, end.answer) == (JobStatus.CANCELLED, WORDS)
    assert end.paid_micros == CHARGED


def test_what_a_person_stops_before_anything_was_shown_costs_nothing(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    cancel(db, ada.id, turn.held.job_id)
    turn.stop()

    end = ended(db, turn)

    assert (end.job.status, end.answer, end.paid_micros) == (JobStatus.CANCELLED, None, 0)
    assert written_off(db) == [WriteOffReason.NOTHING_SHOWN]


def test_a_stop_makes_no_cell_well(worker: BareWorker, db: Session, ada: User) -> None:
    """Kept, it would fail each of the user's next turns until one was not stopped."""
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    cancel(db, ada.id, turn.held.job_id)
    turn.held.is_stopped_by_person = True
    turn.fail(TurnFailure.NO_ANSWER, permanent=False)

    end = ended(db, turn)

    assert (end.job.status, end.answer) == (JobStatus.CANCELLED, WORDS)
    assert (worker.cells.saved, worker.cells.discarded) == ([], [ada.id])
    assert db.get_one(User, ada.id).cell_worker_id is None


def test_what_a_person_stops_while_it_fails_is_not_tried_again(
    worker: BareWorker, db: Session, ada: User
) -> None:
    """The row says so before the worker hears of it."""
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    cancel(db, ada.id, turn.held.job_id)
    db.commit()
    turn.fail(TurnFailure.NO_ANSWER, permanent=False)

    end = ended(db, turn)

    assert (end.job.status, end.answer, end.paid_micros) == (JobStatus.CANCELLED, None, 0)
    assert [event.payload for event in worker.streams.read(end.job.id)][-1] == JobEnded("cancelled")


def test_an_attempt_that_is_given_up_costs_nothing_and_another_is_made(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    turn.fail(TurnFailure.CELL_DIED, permanent=False)

    end = ended(db, turn)

    assert (end.job.status, end.answer, end.paid_micros) == (JobStatus.PENDING, None, 0)
    assert written_off(db) == [WriteOffReason.BEGUN_AGAIN]
    assert worker.cells.discarded == [ada.id]


def test_the_last_attempt_fails(worker: BareWorker, db: Session, ada: User) -> None:
    turn = begun(worker, db, ada)
    for _ in range(2):
        turn.fail(TurnFailure.CELL_DIED, permanent=False)
        turn = called(worker, ada)
    turn.fail(TurnFailure.CELL_DIED, permanent=False)

    end = ended(db, turn)

    assert (end.job.status, end.job.attempt, end.paid_micros) == (JobStatus.FAILED, 3, 0)


def test_a_worker_that_shuts_down_hands_back(worker: BareWorker, db: Session, ada: User) -> None:
    turn = begun(worker, db, ada)
    worker.draining.set()
    turn.fail(TurnFailure.STOPPED)

    assert ended(db, turn).job.status is JobStatus.PENDING


def test_a_job_that_is_lost_is_left_alone(worker: BareWorker, db: Session, ada: User) -> None:
    turn = begun(worker, db, ada)
    turn.held.is_lost = True
    turn.fail(TurnFailure.STOPPED)

    assert ended(db, turn).job.status is JobStatus.RUNNING
    assert worker.cells.discarded == [ada.id]


def test_a_turn_whose_books_say_that_another_worker_has_it_is_left_alone(
    worker: BareWorker, db: Session, ada: User
) -> None:
    """Before the leases are renewed next, which is when this worker would learn of it."""
    turn = begun(worker, db, ada)
    turn.fail(TurnFailure.LEASE_LOST, permanent=False)

    assert ended(db, turn).job.status is JobStatus.RUNNING
    assert worker.cells.discarded == [ada.id]


def test_an_outage_of_the_database_costs_neither_the_cell_nor_the_job(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    turn.fail(TurnFailure.BOOKS_UNAVAILABLE, permanent=False)

    end = ended(db, turn)

    assert end.job.status is JobStatus.PENDING
    assert end.job.ready_at > end.job.created_at
    assert worker.cells.discarded == []
    assert worker.cells.saved == [ada.id]


def test_a_conversation_that_is_gone_ends_its_job(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    outcomes.drop(turn.held, turn.publisher)

    assert ended(db, turn).job.status is JobStatus.CANCELLED


def test_beyond_the_cap_a_charge_stands_and_its_part_is_kept(
    worker: BareWorker, db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="60000", SUPPORT_EMAIL="help@example.org")
    begun(worker, db, ada).fail(TurnFailure.PROVIDER_DOWN)
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    turn.fail(TurnFailure.PROVIDER_DOWN)

    end = ended(db, turn)

    assert (end.answer, end.paid_micros) == (WORDS, CHARGED)
    assert end.job.failure_details == details(part=True, stands=True)
    assert failures.of_job(end.job) == (
        "The model's provider did not answer. You were charged $0.10 for the part above."
        " What we can give back in one day is used up; write to help@example.org about it."
    )
    [stands] = db.scalars(sa.select(StandingCharge))
    assert (stands.job_id, stands.reason) == (end.job.id, WriteOffReason.JOB_FAILED)
    [alert] = alerts.list_open(db, ada)
    assert alert.kind is AlertKind.ABSORBED
    [mail] = db.scalars(sa.select(Email).where(Email.reference == f"alert:{alert.id}"))
    assert "help@example.org" in mail.text_body


@pytest.mark.parametrize("code", [TurnFailure.CELL_DIED, TurnFailure.NO_CREDIT])
def test_beyond_the_cap_nobody_pays_for_another_attempt_unasked(
    worker: BareWorker, db: Session, ada: User, adjust: Callable[..., None], code: TurnFailure
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="0")
    turn = begun(worker, db, ada)
    turn.fail(code, permanent=code is TurnFailure.NO_CREDIT)

    end = ended(db, turn)

    assert (end.job.status, end.paid_micros) == (JobStatus.FAILED, CHARGED)
    assert "You were charged $0.10" in failures.of_job(end.job)
    again = jobs.ask_again(db, end.job, model=MODEL)
    assert again.status is JobStatus.PENDING


def test_the_notice_of_the_cap_comes_once_a_day(
    worker: BareWorker, db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="0")
    for _ in range(3):
        begun(worker, db, ada).fail(TurnFailure.PROVIDER_DOWN)

    found = db.scalars(sa.select(Alert).where(Alert.user_id == ada.id)).all()
    assert [alert.kind for alert in found] == [AlertKind.ABSORBED]


def test_each_end_of_a_turn_is_in_the_table_of_who_pays() -> None:
    assert {str(code) for code in TurnFailure} <= {str(code) for code in FailureCode}
    assert set(FailureCode) == STEERED | OURS
    assert not STEERED & OURS


@pytest.mark.parametrize("code", TurnFailure)
def test_each_end_of_a_turn_says_what_becomes_of_its_cell(code: TurnFailure) -> None:
    assert outcomes.cell_after(code) in outcomes.CellAfter


def test_the_docs_name_each_code_that_a_person_can_bring_about() -> None:
    table = (PROJECT_DIR / "docs" / "money.md").read_text().partition("| it ended by |")[2]
    row = next(line for line in table.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", row.split("|")[1])) == STEERED


def written_off(db: Session) -> list[WriteOffReason | None]:
    found = sa.select(Transaction.reason).where(Transaction.reason.is_not(None))
    return list(db.scalars(found))
