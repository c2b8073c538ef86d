"""Exports: one at a time, a few a day, claimed once, and their owner's alone."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.archives import exports
from models.base import utc_now
from models.errors import NotFound
from models.schema.archives import Export, ExportStatus
from models.schema.users import User

LEASE = timedelta(minutes=1)


def _ready(db: Session, user: User, key: str = "exports/a") -> Export:
    exports.ask(db, user.id)
    claimed = exports.claim(db, LEASE)
    assert claimed is not None
    assert exports.finish(db, claimed, key, 5)
    db.expire_all()
    return db.get_one(Export, claimed.id)


def test_one_that_waits_is_not_asked_for_twice(db: Session, ada: User) -> None:
    assert exports.ask(db, ada.id).id == exports.ask(db, ada.id).id


def test_it_is_claimed_once_until_its_lease_is_over(db: Session, ada: User) -> None:
    exports.ask(db, ada.id)
    first = exports.claim(db, LEASE)
    assert first is not None
    assert exports.claim(db, LEASE) is None
    assert not exports.is_any_waiting(db)
    db.execute(sa.update(Export).values(leased_until=utc_now() - LEASE))
    second = exports.claim(db, LEASE)
    assert second is not None
    assert not exports.finish(db, first, "exports/old", 1)
    assert exports.finish(db, second, "exports/new", 1)


def test_it_is_tried_a_few_times_and_then_fails(db: Session, ada: User) -> None:
    exports.ask(db, ada.id)
    for _ in range(exports.MOST_ATTEMPTS):
        claimed = exports.claim(db, LEASE)
        assert claimed is not None
        exports.put_off(db, claimed, timedelta(0))
    db.expire_all()
    assert db.scalars(sa.select(Export.status)).one() is ExportStatus.FAILED


def test_there_are_a_few_a_day(db: Session, ada: User) -> None:
    for number in range(exports.MOST_A_DAY):
        _ready(db, ada, f"exports/{number}")
    with pytest.raises(exports.TooManyExports):
        exports.ask(db, ada.id)


def test_only_its_owner_finds_it_and_only_when_it_is_ready(
    db: Session, ada: User, eve: User
) -> None:
    waiting = exports.ask(db, ada.id)
    with pytest.raises(NotFound):
        exports.find_ready(db, ada.id, waiting.id)
    ready = _ready(db, ada)
    assert exports.find_ready(db, ada.id, ready.id) is ready
    with pytest.raises(NotFound):
        exports.find_ready(db, eve.id, ready.id)
    assert exports.find_newest(db, eve.id) is None


def test_it_is_kept_for_a_week(db: Session, ada: User) -> None:
    _ready(db, ada)
    assert exports.expire(db, utc_now()) == []
    assert exports.expire(db, utc_now() + exports.KEPT_FOR) == ["exports/a"]
    assert exports.find_newest(db, ada.id) is None


def test_one_with_which_each_worker_dies_is_given_up(db: Session, ada: User) -> None:
    asked = exports.ask(db, ada.id)
    for _ in range(exports.MOST_ATTEMPTS):
        assert exports.give_up(db) == []
        assert exports.claim(db, LEASE) is not None
        assert exports.give_up(db) == []
        db.execute(sa.update(Export).values(leased_until=utc_now() - LEASE))
        db.expire_all()
    # A worker is woken for it.
    assert exports.is_any_waiting(db)
    assert exports.claim(db, LEASE) is None
    (spent,) = exports.give_up(db)
    db.expire_all()
    assert (spent.id, asked.status) == (asked.id, ExportStatus.FAILED)
    assert exports.give_up(db) == []
    assert exports.ask(db, ada.id).id != asked.id
