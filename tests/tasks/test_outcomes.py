"""What is kept, charged and told for each way in which a turn can end."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.turn import AgentFailed
from models import alerts, jobs, ledger
from models.alerts import AlertKind
from models.conversations import Message, Role
from models.jobs import Job, JobStatus
from models.jobs.charging import NOT_CHARGED, OURS, STEERED
from models.jobs.stopping import cancel
from models.ledger import StandingCharge, WriteOffReason
from models.outbox import Email
from models.users import User
from settings import PROJECT_DIR, Settings
from tasks import outcomes
from tests import factories
from tests.factories import MODEL
from tests.models.test_ledger import GRANT
from tests.tasks.bare_worker import BareWorker, ScriptedTurn

CHARGED = 100_000
WORDS = "The first half"


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


@pytest.mark.parametrize("code", sorted(STEERED))
def test_what_was_shown_is_kept_and_paid_for(
    worker: BareWorker, db: Session, ada: User, code: str
) -> None:
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    turn.fail(code)

    end = ended(db, turn)

    assert (end.job.status, end.job.failure_code) == (JobStatus.FAILED, code)
    assert (end.answer, end.paid_micros) == (WORDS, CHARGED)
    assert end.job.failure == "It went wrong. You were charged $0.10 for the part above."
    is_sound = code in outcomes.SOUND
    assert worker.cells.saved == ([ada.id] if is_sound else [])
    assert worker.cells.discarded == ([] if is_sound else [ada.id])


@pytest.mark.parametrize("code", sorted(STEERED - {"no_credit"}))
def test_steps_that_were_shown_are_paid_for_too(
    worker: BareWorker, db: Session, ada: User, code: str
) -> None:
    turn = begun(worker, db, ada)
    turn.show(tools=["web_search"])
    turn.fail(code)

    end = ended(db, turn)

    assert (end.answer, end.paid_micros) == (None, CHARGED)
    assert end.job.failure == "It went wrong. You were charged $0.10 for the steps it took."


@pytest.mark.parametrize("code", sorted(STEERED - {"no_credit"}))
def test_where_nothing_was_shown_nothing_is_paid(
    worker: BareWorker, db: Session, ada: User, code: str
) -> None:
    turn = begun(worker, db, ada)
    turn.show(" \n")
    turn.fail(code)

    end = ended(db, turn)

    assert (end.answer, end.paid_micros) == (None, 0)
    assert end.job.failure == f"It went wrong. {NOT_CHARGED}"
    assert written_off(db) == [WriteOffReason.NOTHING_SHOWN]


@pytest.mark.parametrize("code", sorted(OURS - {"worker_lost", "lease_lost"}))
def test_our_failures_are_ours(worker: BareWorker, db: Session, ada: User, code: str) -> None:
    turn = begun(worker, db, ada)
    turn.show(WORDS, ["read"])
    turn.fail(code)

    end = ended(db, turn)

    assert (end.answer, end.paid_micros) == (None, 0)
    assert end.job.failure == f"It went wrong. {NOT_CHARGED}"
    assert written_off(db) == [WriteOffReason.JOB_FAILED]


def test_a_code_that_nobody_knows_is_ours(worker: BareWorker, db: Session, ada: User) -> None:
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    turn.fail("never_heard_of")

    assert ended(db, turn).paid_micros == 0


def test_who_runs_dry_before_the_first_word_waits_and_pays_nothing(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    turn.show(tools=["read"])
    turn.fail("no_credit")

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


def test_an_attempt_that_is_given_up_costs_nothing_and_another_is_made(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    turn.fail("cell_died", permanent=False)

    end = ended(db, turn)

    assert (end.job.status, end.answer, end.paid_micros) == (JobStatus.PENDING, None, 0)
    assert written_off(db) == [WriteOffReason.BEGUN_AGAIN]
    assert worker.cells.discarded == [ada.id]


def test_the_last_attempt_fails(worker: BareWorker, db: Session, ada: User) -> None:
    turn = begun(worker, db, ada)
    for _ in range(2):
        turn.fail("cell_died", permanent=False)
        turn = called(worker, ada)
    turn.fail("cell_died", permanent=False)

    end = ended(db, turn)

    assert (end.job.status, end.job.attempt, end.paid_micros) == (JobStatus.FAILED, 3, 0)


def test_a_worker_that_shuts_down_hands_back(worker: BareWorker, db: Session, ada: User) -> None:
    turn = begun(worker, db, ada)
    worker.draining.set()
    turn.fail("stopped")

    assert ended(db, turn).job.status is JobStatus.PENDING


def test_a_job_that_is_lost_is_left_alone(worker: BareWorker, db: Session, ada: User) -> None:
    turn = begun(worker, db, ada)
    turn.held.is_lost = True
    turn.fail("stopped")

    assert ended(db, turn).job.status is JobStatus.RUNNING
    assert worker.cells.discarded == [ada.id]


def test_a_turn_whose_books_say_that_another_worker_has_it_is_left_alone(
    worker: BareWorker, db: Session, ada: User
) -> None:
    """Before the leases are renewed next, which is when this worker would learn of it."""
    turn = begun(worker, db, ada)
    turn.fail("lease_lost", permanent=False)

    assert ended(db, turn).job.status is JobStatus.RUNNING
    assert worker.cells.discarded == [ada.id]


def test_an_outage_of_the_database_costs_neither_the_cell_nor_the_job(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    turn.fail("books_unavailable", permanent=False)

    end = ended(db, turn)

    assert end.job.status is JobStatus.PENDING
    assert end.job.ready_at > end.job.created_at
    assert worker.cells.discarded == []
    assert worker.cells.saved == [ada.id]


def test_a_conversation_that_is_gone_ends_its_job(
    worker: BareWorker, db: Session, ada: User
) -> None:
    turn = begun(worker, db, ada)
    outcomes.drop(turn.held, turn.teller)

    assert ended(db, turn).job.status is JobStatus.CANCELLED


def test_beyond_the_cap_a_charge_stands_and_its_part_is_kept(
    worker: BareWorker, db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="60000", SUPPORT_EMAIL="help@example.org")
    begun(worker, db, ada).fail("provider_down")
    turn = begun(worker, db, ada)
    turn.show(WORDS)
    turn.fail("provider_down")

    end = ended(db, turn)

    assert (end.answer, end.paid_micros) == (WORDS, CHARGED)
    assert end.job.failure == (
        "It went wrong. You were charged $0.10 for the part above."
        " What we can give back in one day is used up; write to help@example.org about it."
    )
    [stands] = db.scalars(sa.select(StandingCharge))
    assert (stands.job_id, stands.reason) == (end.job.id, WriteOffReason.JOB_FAILED)
    [alert] = alerts.list_open(db, ada)
    assert alert.kind is AlertKind.ABSORBED
    [mail] = db.scalars(sa.select(Email).where(Email.reference == f"alert:{alert.id}"))
    assert "help@example.org" in mail.text_body


@pytest.mark.parametrize("code", ["cell_died", "no_credit"])
def test_beyond_the_cap_nobody_pays_for_another_attempt_unasked(
    worker: BareWorker, db: Session, ada: User, adjust: Callable[..., None], code: str
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="0")
    turn = begun(worker, db, ada)
    turn.fail(code, permanent=code == "no_credit")

    end = ended(db, turn)

    assert (end.job.status, end.paid_micros) == (JobStatus.FAILED, CHARGED)
    assert "You were charged $0.10" in (end.job.failure or "")
    again = jobs.ask_again(db, end.job, model=MODEL)
    assert again.status is JobStatus.PENDING


def test_the_notice_of_the_cap_comes_once_a_day(
    worker: BareWorker, db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="0")
    for _ in range(3):
        begun(worker, db, ada).fail("provider_down")

    found = db.scalars(sa.select(alerts.Alert).where(alerts.Alert.user_id == ada.id)).all()
    assert [alert.kind for alert in found] == [AlertKind.ABSORBED]


CODES = re.compile(r"[a-z]+(_[a-z]+)*")


def _raised() -> Iterator[str]:
    """Find the codes that the product's own code ends turns with."""
    for package in ("agent", "tasks", "models"):
        for path in (PROJECT_DIR / package).rglob("*.py"):
            yield from _codes_in(path)


def _codes_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name not in {"AgentFailed", "Bound", "_give_up", "fail"}:
            continue
        given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]
        for one in given:
            if isinstance(one, ast.Constant) and CODES.fullmatch(str(one.value)):
                yield str(one.value)


def test_each_end_of_a_turn_is_in_the_table_of_who_pays() -> None:
    listed = (AgentFailed.__doc__ or "").partition("is one of:")[2].partition(".")[0]
    known = {code.strip() for code in re.sub(r"\([^)]*\)", "", listed).split(",")}
    # Who sweeps up after a dead worker ends a job without a turn.
    assert set(_raised()) - {"worker_lost"} <= known <= STEERED | OURS
    assert not STEERED & OURS


def test_the_docs_name_each_code_that_a_person_can_bring_about() -> None:
    table = (PROJECT_DIR / "docs" / "money.md").read_text().partition("| it ended by |")[2]
    row = next(line for line in table.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", row.split("|")[1])) == STEERED


def written_off(db: Session) -> list[WriteOffReason | None]:
    found = sa.select(ledger.Transaction.reason).where(ledger.Transaction.reason.is_not(None))
    return list(db.scalars(found))
