"""Whose files may be put into a cell before they ask, and by which worker."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from models import jobs
from models.base import new_id, utc_now
from models.ops import workers
from models.people import users
from models.schema.users import User
from tests import factories

SILENT = timedelta(seconds=30)
KEPT = timedelta(minutes=15)


def test_somebody_without_a_cell_may_be_warmed(db: Session, ada: User) -> None:
    assert _may(db, ada)


@pytest.mark.parametrize("is_running", [False, True])
def test_who_has_asked_is_not_warmed(db: Session, ada: User, is_running: bool) -> None:
    if is_running:
        factories.running(db, ada)
    else:
        factories.job(db, ada)

    assert not _may(db, ada)


def test_who_cannot_ask_is_not_warmed(db: Session, ada: User) -> None:
    ada.credits_held_micros = ada.credits_balance_micros

    assert not _may(db, ada)


def test_whose_cell_is_hot_elsewhere_is_not_warmed_as_long_as_it_lives(
    db: Session, ada: User
) -> None:
    other = workers.register(db, new_id(), "elsewhere")
    users.set_affinity(ada, other.id, utc_now() - KEPT / 2)

    assert not _may(db, ada)
    assert _may(db, ada, other.id)
    users.set_affinity(ada, other.id, utc_now() - 2 * KEPT)
    assert _may(db, ada), "it has given the cell up by now"
    users.set_affinity(ada, other.id, utc_now())
    other.seen_at = utc_now() - 2 * SILENT
    assert _may(db, ada), "it is silent"
    other.seen_at, other.stopped_at = utc_now(), utc_now()
    assert _may(db, ada), "it has stopped"


def _may(db: Session, user: User, worker_id: UUID = factories.SOMEBODY) -> bool:
    db.flush()
    return jobs.may_warm(db, user, worker_id, silent_after=SILENT, kept_for=KEPT)
