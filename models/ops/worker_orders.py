"""What admins want of workers, and what workers hear of it with their next report."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import NotFound, Refused
from models.ops import admin_actions
from models.ops.admin_actions import Change, Order
from models.people.admin_roles import Permission
from models.schema.admins import AdminActionKind
from models.schema.users import User
from models.schema.workers import Worker


class NotAtWork(Refused):
    """A worker is draining already, or has stopped."""

    code = "not_at_work"


def drain(db: Session, order: Order, worker_id: UUID) -> None:
    """Have a worker claim nothing more, end its turns and stop; whoever keeps it starts another."""
    if not admin_actions.admit(db, order, needs=Permission.ACT):
        return
    worker = db.scalar(select(Worker).where(Worker.id == worker_id).with_for_update())
    if worker is None:
        raise NotFound
    if worker.draining_at or worker.drain_asked_at or worker.stopped_at:
        raise NotAtWork
    worker.drain_asked_at = utc_now()
    change = Change({"draining": False}, {"draining": True, "worker": str(worker_id)})
    admin_actions.note(db, order, AdminActionKind.WORKER_DRAINED, None, change=change)


def is_drain_asked(db: Session, worker_id: UUID) -> bool:
    """Tell a worker whether an admin wants it to drain."""
    wanted = select(Worker.drain_asked_at).where(Worker.id == worker_id)
    return db.scalar(wanted) is not None


def cells_to_end(db: Session, worker_id: UUID, hot: Collection[UUID]) -> Sequence[UUID]:
    """Tell a worker which of its hot cells an admin wants ended; each is told once."""
    if not hot:
        return ()
    ended = (
        update(User)
        .where(User.id.in_(hot), User.cell_ended_at.is_not(None))
        .where(User.cell_worker_id == worker_id)
        .values(cell_ended_at=None)
    )
    return db.scalars(ended.returning(User.id)).all()
