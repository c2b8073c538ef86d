"""Workers as they report themselves."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from models.base import new_id, utc_now
from models.ops import workers
from models.schema.workers import Worker

LATELY = timedelta(seconds=10)


def working(db: Session, *, capacity: int, spare: int = 0, hot: int = 0, busy: int = 0) -> UUID:
    """A worker that has just told of its cells."""
    worker = workers.register(db, new_id(), "here")
    workers.report(
        db, worker.id, sandbox="bwrap", capacity=capacity, spare=spare, hot=hot, busy=busy
    )
    return worker.id


def test_first_helps_who_has_a_place_then_who_has_idle_cells(db: Session) -> None:
    busy = working(db, capacity=4, busy=4)
    new = working(db, capacity=0)
    some_idle = working(db, capacity=4, hot=1, busy=3)
    most_idle = working(db, capacity=4, spare=1, hot=3)
    has_place = working(db, capacity=4, busy=3)
    assert workers.list_helpers(db, LATELY) == [has_place, most_idle, some_idle, busy, new]


def test_who_is_stopping_or_silent_neither_helps_nor_answers(db: Session) -> None:
    here, draining, stopped, silent = (working(db, capacity=4, spare=1) for _ in range(4))
    workers.drain(db, draining)
    workers.sign_off(db, stopped)
    db.get_one(Worker, silent).seen_at = utc_now() - LATELY
    db.flush()
    assert workers.list_helpers(db, LATELY) == [here]
    assert workers.count_ready(db, LATELY) == 1
