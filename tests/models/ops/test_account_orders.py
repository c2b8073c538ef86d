"""What admins do to an account's limits, cell and files, and that it is theirs to do."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from models.base import new_id, utc_now
from models.errors import NotFound
from models.ops import account_orders, admin_actions, snapshots, workers
from models.ops.account_orders import FilesInUse, NewestAlready, NoCell, NoLimits
from models.ops.admin_actions import Order
from models.people import users
from models.people.account_deletion import NoDeletionOrdered
from models.people.admin_roles import NotOfThisRole
from models.schema.admins import AdminActionKind, AdminRole
from models.schema.snapshots import StateSnapshot
from models.schema.users import User
from tests import factories

Verb = Callable[[Session, Order, UUID], object]


@pytest.fixture
def sam(db: Session) -> User:
    """Helps users."""
    person = factories.user(db, "sam@example.org", name="Sam")
    users.set_admin_role(person, AdminRole.SUPPORT)
    return person


def order(who: User) -> Order:
    return Order(who, "She asked.", new_id())


def last(db: Session, user: User) -> tuple[AdminActionKind, dict[str, object], dict[str, object]]:
    entry = admin_actions.list_of_user(db, user.id, 1)[0]
    return entry.kind, entry.before, entry.after


def saved(db: Session, user: User, versions: int) -> Sequence[StateSnapshot]:
    """So many versions of a user's files, oldest first."""
    job = factories.running(db, user)
    factories.answer(db, job)
    users.forget_cell(user)
    made: list[StateSnapshot] = []
    for version in range(1, versions + 1):
        pack = {"key": f"state/{user.id}/{version}", "sha256": "0" * 64, "size_bytes": version}
        one = StateSnapshot(
            user_id=user.id,
            version=version,
            packs=[pack],
            size_bytes=version,
            job_id=job.id,
        )
        snapshots.add(db, one)
        made.append(one)
    return made


def test_limits_go_back_to_the_usual_ones(db: Session, sam: User, ada: User) -> None:
    with pytest.raises(NoLimits):
        account_orders.reset_limits(db, order(sam), ada.id)
    ada.day_limit_micros, ada.task_day_limit_micros = 5, 3
    account_orders.reset_limits(db, order(sam), ada.id)
    assert (ada.day_limit_micros, ada.task_day_limit_micros) == (None, None)
    kind, before, after = last(db, ada)
    assert (kind, before["day_limit_micros"]) == (AdminActionKind.LIMITS_RESET, 5)
    assert after["day_limit_micros"] is None


def test_a_cell_is_ended_where_there_is_one(db: Session, sam: User, ada: User) -> None:
    with pytest.raises(NoCell):
        account_orders.end_cell(db, order(sam), ada.id)
    worker = workers.register(db, new_id(), "here")
    users.set_affinity(ada, worker.id, utc_now())
    account_orders.end_cell(db, order(sam), ada.id)
    assert ada.cell_ended_at
    assert last(db, ada)[0] is AdminActionKind.CELL_DESTROYED


def test_older_files_become_the_newest_version(db: Session, sam: User, ada: User) -> None:
    first, _, third = saved(db, ada, 3)
    with pytest.raises(NewestAlready):
        account_orders.restore_snapshot(db, order(sam), ada.id, third.id)
    once = order(sam)
    for _ in range(2):
        account_orders.restore_snapshot(db, once, ada.id, first.id)
    newest = snapshots.newest(db, ada.id, 1)[0]
    assert (newest.version, newest.packs) == (4, first.packs)
    # What it is made of is needed still.
    assert not set(snapshots.superseded(db, ada.id).keys) & {one["key"] for one in first.packs}
    assert last(db, ada)[1:] == ({"version": 3}, {"version": 4, "as_of": 1})


def test_files_of_others_and_those_at_work_are_left_alone(
    db: Session, sam: User, ada: User, eve: User
) -> None:
    adas, eves = saved(db, ada, 2), saved(db, eve, 2)
    with pytest.raises(NotFound):
        account_orders.restore_snapshot(db, order(sam), ada.id, eves[0].id)
    users.set_affinity(ada, new_id(), utc_now() + timedelta(minutes=1))
    db.flush()
    with pytest.raises(FilesInUse):
        account_orders.restore_snapshot(db, order(sam), ada.id, adas[0].id)


def test_owners_have_accounts_deleted_and_support_keeps_them(
    db: Session, sam: User, ada: User
) -> None:
    olga = factories.user(db, "olga@example.org")
    users.set_admin_role(olga, AdminRole.OWNER)
    with pytest.raises(NotOfThisRole):
        account_orders.order_deletion(db, order(sam), ada.id)
    account_orders.order_deletion(db, order(olga), ada.id)
    assert ada.deletion_due_at
    assert last(db, ada)[0] is AdminActionKind.DELETION_ORDERED
    account_orders.undo_deletion(db, order(sam), ada.id)
    assert ada.deletion_due_at is None
    with pytest.raises(NoDeletionOrdered):
        account_orders.undo_deletion(db, order(sam), ada.id)


@pytest.mark.parametrize(
    "verb", [account_orders.reset_limits, account_orders.end_cell, account_orders.undo_deletion]
)
def test_viewers_do_nothing(db: Session, sam: User, ada: User, verb: Verb) -> None:
    users.set_admin_role(sam, AdminRole.VIEWER)
    with pytest.raises(NotOfThisRole):
        verb(db, order(sam), ada.id)
