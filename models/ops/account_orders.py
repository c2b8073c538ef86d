"""What admins do to an account beyond its credits: limits, cell, saved files, deletion. All logged.

Each refuses what `admin_actions.begin` refuses, and does nothing a second time under its key.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.chat import erasures
from models.errors import NotFound, Refused
from models.ops import admin_actions, snapshots
from models.ops.admin_actions import Change, Order
from models.people import account_deletion
from models.people.admin_roles import Permission
from models.schema.admins import AdminActionKind
from models.schema.snapshots import StateSnapshot
from models.schema.workers import Worker

LIMITS = ("message_limit_micros", "day_limit_micros", "month_limit_micros", "task_day_limit_micros")


class NoLimits(Refused):
    """A user has set no limits of their own."""

    code = "no_limits"


class NoCell(Refused):
    """No worker has a cell of this user's."""

    code = "no_cell"


class FilesInUse(Refused):
    """A turn runs, or its files are being saved."""

    code = "files_in_use"


class NewestAlready(Refused):
    """The version that is to be restored is the newest."""

    code = "newest_already"


def reset_limits(db: Session, order: Order, user_id: UUID) -> None:
    """Take away what a user lets themselves spend: the usual limit of a message remains."""
    user = admin_actions.begin(db, order, user_id)
    if user is None:
        return
    before = {name: getattr(user, name) for name in LIMITS}
    if not any(before.values()):
        raise NoLimits
    for name in LIMITS:
        setattr(user, name, None)
    change = Change(before, dict.fromkeys(LIMITS))
    admin_actions.note(db, order, AdminActionKind.LIMITS_RESET, user_id, change=change)


def end_cell(db: Session, order: Order, user_id: UUID) -> None:
    """Have the worker that holds a user's hot cell end it, as soon as no turn runs in it.

    What is saved stays; the next message is answered in another cell.
    """
    user = admin_actions.begin(db, order, user_id)
    if user is None:
        return
    lives = select(Worker.id).where(Worker.id == user.cell_worker_id, Worker.stopped_at.is_(None))
    if user.cell_worker_id is None or db.scalar(lives) is None:
        raise NoCell
    user.cell_ended_at = utc_now()
    change = Change({"worker": str(user.cell_worker_id)}, {"worker": None})
    admin_actions.note(db, order, AdminActionKind.CELL_DESTROYED, user_id, change=change)


def restore_snapshot(db: Session, order: Order, user_id: UUID, snapshot_id: UUID) -> None:
    """Make an older version of a user's files the newest one; the versions since then stay.

    Refused while somebody is at work on the files. A hot cell finds itself stale by it.
    """
    user = admin_actions.begin(db, order, user_id)
    if user is None:
        return
    kept = snapshots.newest(db, user_id)
    wanted = next((one for one in kept if one.id == snapshot_id), None)
    if wanted is None:
        raise NotFound
    if wanted is kept[0]:
        raise NewestAlready
    if not erasures.is_free(db, user):
        raise FilesInUse
    newest = StateSnapshot(
        user_id=user_id,
        version=kept[0].version + 1,
        packs=wanted.packs,
        size_bytes=wanted.size_bytes,
        job_id=wanted.job_id,
    )
    snapshots.add(db, newest)
    change = Change(
        {"version": kept[0].version}, {"version": newest.version, "as_of": wanted.version}
    )
    admin_actions.note(db, order, AdminActionKind.SNAPSHOT_RESTORED, user_id, change=change)


def order_deletion(db: Session, order: Order, user_id: UUID) -> None:
    """Have an account erased as if its user had ordered it, with the same time to undo it."""
    user = admin_actions.begin(db, order, user_id, needs=Permission.ACT_MONEY)
    if user is None:
        return
    account_deletion.order(db, user)
    due = user.deletion_due_at.isoformat() if user.deletion_due_at else None
    change = Change({"deletion_due": None}, {"deletion_due": due})
    admin_actions.note(db, order, AdminActionKind.DELETION_ORDERED, user_id, change=change)


def undo_deletion(db: Session, order: Order, user_id: UUID) -> None:
    """Keep an account after all."""
    user = admin_actions.begin(db, order, user_id)
    if user is None:
        return
    due = user.deletion_due_at
    account_deletion.undo(user)
    change = Change({"deletion_due": due.isoformat() if due else None}, {"deletion_due": None})
    admin_actions.note(db, order, AdminActionKind.DELETION_UNDONE, user_id, change=change)
