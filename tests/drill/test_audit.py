"""The audit finds each kind of damage, planted by hand in books that were in order."""

import json
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.schema.jobs import Job
from models.schema.users import User
from tests import factories
from tests.drill import books, secrets
from tests.drill.cells import Seen
from tests.drill.plan import OF_CONTAINERS, Kind, draw
from tests.models.ledger.test_entries import closed

MARK = "mark-u001-0001-aa"


@pytest.fixture
def answered(db: Session, ada: User) -> Job:
    """A message that was answered and charged, as it should be."""
    job = factories.running(db, ada, f"{MARK}: hello?")
    closed(db, job, 1_000)
    factories.answer(db, job)
    db.flush()
    return job


def test_books_in_order_have_no_findings(db: Session, ada: User, answered: Job) -> None:
    assert answered.is_over
    assert not any(books.audit(db, [ada.id]).values())
    assert books.lost(db, [ada.id], [MARK]) == []
    assert books.doubled(db, [ada.id]) == []


PLANTED = {
    "unfinished": "UPDATE jobs SET status = 'pending', finished_at = NULL WHERE id = :job",
    "without an end": "DELETE FROM messages WHERE job_id = :job",
    "without a job": "UPDATE jobs SET message_id = NULL WHERE id = :job",
    "charged twice": """
        WITH again AS (
            INSERT INTO model_calls (id, user_id, job_id, attempt, model, status, held_micros,
                                     closed_at)
            SELECT gen_random_uuid(), user_id, job_id, attempt + 1, model, status, 0, closed_at
              FROM model_calls WHERE job_id = :job RETURNING id, user_id, job_id)
        INSERT INTO transactions (id, user_id, kind, amount_micros, reference, call_id, job_id)
        SELECT gen_random_uuid(), user_id, 'charge', -5, 'call:' || id, id, job_id FROM again""",
    "charged for nothing": "DELETE FROM messages WHERE job_id = :job",
    "answered for free": "UPDATE transactions SET job_id = NULL WHERE job_id = :job",
    "ledger drift": "UPDATE users SET credits_balance_micros = credits_balance_micros + 1"
    " WHERE id = (SELECT user_id FROM jobs WHERE id = :job)",
    "still held": "UPDATE users SET credits_held_micros = 1"
    " WHERE id = (SELECT user_id FROM jobs WHERE id = :job)",
}


@pytest.mark.parametrize("finding", PLANTED)
def test_damage_is_found(db: Session, ada: User, answered: Job, finding: str) -> None:
    # The product itself may not do this.
    with factories.rewriting(db):
        db.execute(sa.text(PLANTED[finding]), {"job": answered.id})

    assert books.audit(db, [ada.id])[finding]


def test_a_second_answer_to_a_message_is_found(db: Session, ada: User, answered: Job) -> None:
    db.execute(sa.text("DROP INDEX uq_jobs_message_id"))
    again = factories.running(db, ada, "mark-u001-0002-bb: and this?")
    factories.answer(db, again)
    again.message_id = answered.message_id
    db.flush()

    assert books.audit(db, [ada.id])["answered twice"]


def test_an_answer_before_its_turn_is_found(db: Session, ada: User, answered: Job) -> None:
    later = factories.running(db, ada, "mark-u001-0002-bb: and this?")
    closed(db, later, 1_000)
    factories.answer(db, later)
    later.finished_at = answered.created_at
    db.flush()

    assert books.audit(db, [ada.id])["out of order"]


def test_a_lost_and_a_doubled_message_are_found(db: Session, ada: User, answered: Job) -> None:
    assert books.lost(db, [ada.id], [MARK, "mark-u001-0009-cc"]) == ["mark-u001-0009-cc"]
    factories.job(db, ada, f"{MARK}: hello?")

    assert answered.is_over
    assert books.doubled(db, [ada.id]) == [MARK]


def test_words_of_two_people_in_one_request_are_found() -> None:
    own = {"body": {"messages": ["mark-u001-0001-aa", "canary-u001-bb"]}}
    mixed = {"body": {"messages": ["mark-u001-0001-aa", "canary-u002-cc"]}}

    assert secrets.in_requests([own]) == []
    assert len(secrets.in_requests([own, mixed])) == 1


def test_a_bug_of_the_site_is_found_in_its_log(tmp_path: Path) -> None:
    told = {"event": "request_failed", "exception": "Traceback\nKeyError: 'x'"}
    (tmp_path / "web.log").write_text(
        f'{{"event": "ready"}}\n{json.dumps(told)}\ncut request_failed'
    )

    (tmp_path / "web2.log").write_text("Exception on /chat [POST]")

    assert secrets.bugs(tmp_path) == [
        "web.log: Traceback\nKeyError: 'x'",
        "web.log: cut request_failed",
        "web2.log: Exception on /chat [POST]",
    ]


@pytest.mark.parametrize(
    "place", ["tmp/left.txt", "cell/workspace/notes.md", "proc/7/environ", "proc/7/cmdline"]
)
def test_somebody_elses_canary_in_a_cell_is_found(tmp_path: Path, place: str) -> None:
    for path in ("tmp/own.txt", "cell/workspace/MEMORY.md", "proc/7/environ", "proc/7/cmdline"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("canary-u001-aa")
    cell = Seen(7, tmp_path)
    assert cell.owner() == 1
    assert cell.strangers(1) == []

    (tmp_path / place).write_text("canary-u001-aa canary-u002-bb")

    assert len(cell.strangers(1)) == 1


def test_a_seed_draws_the_same_drill_again() -> None:
    drawn = partial(draw, users=7, messages=50, faults=30, pause_seconds=1.0)

    one = drawn(3)

    assert one == drawn(3)
    assert one != drawn(4)
    contained = {fault.kind for fault in drawn(3, weights=OF_CONTAINERS).faults}
    assert contained == {Kind.SCALE_OUT, Kind.SCALE_IN, Kind.REDEPLOY}
    assert (len(one.lives), one.messages, len(one.faults)) == (7, 50, 30)
    marks = [line.mark for life in one.lives for burst in life.bursts for line in burst]
    assert len(set(marks)) == 50
