"""All that an admin may know of one user: their credits, payments, jobs and logins; no words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import Base
from models.errors import NotFound
from models.ops import admin_actions, snapshots
from models.people import sessions
from models.schema.admins import AdminAction
from models.schema.channels import ChannelAccount
from models.schema.chat import Conversation
from models.schema.identities import Identity
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, Transaction
from models.schema.payments import BillingAccount, Payment
from models.schema.sessions import UserSession
from models.schema.snapshots import StateSnapshot
from models.schema.uploads import Upload
from models.schema.users import User

# Of each list.
SHOWN = 20

Table = TypeVar("Table", bound=Base)


@dataclass(frozen=True)
class Counts:
    """How much a user has written, and what of it is kept; never the words."""

    jobs: Mapping[JobStatus, int]
    conversations: int
    first_at: datetime | None
    last_at: datetime | None
    uploads: int
    upload_bytes: int

    @property
    def messages(self) -> int:
        return sum(self.jobs.values())


@dataclass(frozen=True)
class UserFile:
    """One user, as their page shows them; of the ledger and payments only the newest."""

    user: User
    counts: Counts
    sums: Mapping[EntryKind, int]
    ledger: Sequence[Transaction]
    payments: Sequence[Payment]
    billing: BillingAccount | None
    jobs: Sequence[Job]
    sessions: Sequence[UserSession]
    identities: Sequence[Identity]
    channels: Sequence[ChannelAccount]
    snapshots: Sequence[StateSnapshot]
    actions: Sequence[AdminAction]


def read(db: Session, user_id: UUID) -> UserFile:
    """Read all of it; raise NotFound for nobody."""
    user = db.get(User, user_id)
    if user is None:
        raise NotFound
    return UserFile(
        user=user,
        counts=_counts(db, user_id),
        sums=_sums(db, user_id),
        ledger=_newest(db, Transaction, user_id),
        payments=_newest(db, Payment, user_id),
        billing=db.get(BillingAccount, user_id),
        jobs=_newest(db, Job, user_id),
        sessions=sessions.list_live(db, user_id)[:SHOWN],
        identities=_newest(db, Identity, user_id),
        channels=_newest(db, ChannelAccount, user_id),
        snapshots=snapshots.newest(db, user_id),
        actions=admin_actions.list_of_user(db, user_id, SHOWN),
    )


def _counts(db: Session, user_id: UUID) -> Counts:
    by_status = select(Job.status, func.count(), func.min(Job.created_at), func.max(Job.created_at))
    rows = db.execute(by_status.where(Job.user_id == user_id).group_by(Job.status)).all()
    conversations = select(func.count()).where(
        Conversation.user_id == user_id, Conversation.deleted_at.is_(None)
    )
    files = select(func.count(), func.coalesce(func.sum(Upload.size_bytes), 0))
    uploads, size = db.execute(files.where(Upload.user_id == user_id)).one()
    return Counts(
        jobs={status: count for status, count, _, _ in rows},
        conversations=db.scalar(conversations) or 0,
        first_at=min((first for _, _, first, _ in rows), default=None),
        last_at=max((last for _, _, _, last in rows), default=None),
        uploads=uploads,
        upload_bytes=int(size),
    )


def _sums(db: Session, user_id: UUID) -> Mapping[EntryKind, int]:
    by_kind = select(Transaction.kind, func.sum(Transaction.amount_micros))
    rows = db.execute(by_kind.where(Transaction.user_id == user_id).group_by(Transaction.kind))
    return {kind: int(micros) for kind, micros in rows}


def _newest(db: Session, table: type[Table], user_id: UUID) -> Sequence[Table]:
    columns = table.__table__.c
    wanted = select(table).where(columns["user_id"] == user_id)
    return db.scalars(wanted.order_by(columns["id"].desc()).limit(SHOWN)).all()
