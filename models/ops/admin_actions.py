"""The audit log of admins: each action is done once, with its reason, and stays on record."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models import ledger
from models.errors import NotFound, Refused
from models.people.admin_roles import Permission, refuse_unless
from models.schema.admins import AdminAction, AdminActionKind, AdminRole
from models.schema.users import User

REASON_MAX_LENGTH = 500


class ReasonMissing(Refused):
    """An admin gave no reason for an action."""

    code = "reason_missing"


class ReasonTooLong(Refused):
    """A reason has more characters than `most`."""

    code = "reason_too_long"


class OwnAdminAccount(Refused):
    """An admin would act on their own account."""

    code = "own_admin_account"


class AccountOfAnAdmin(Refused):
    """Somebody who is no owner would act on the account of an admin."""

    code = "account_of_an_admin"


@dataclass(frozen=True)
class Order:
    """Who wants an action done, why, and the key of the form: under one key it is done once."""

    admin: User
    reason: str
    key: UUID


@dataclass(frozen=True)
class Change:
    """What an action changed: values before and after, by their names."""

    before: Mapping[str, object]
    after: Mapping[str, object]


NOTHING: Mapping[str, object] = {}


def begin(
    db: Session, order: Order, user_id: UUID, *, needs: Permission = Permission.ACT
) -> User | None:
    """Lock the account that an action is about and return it; None if it was done before.

    Refuses an admin whose role does not allow it, one without a reason, an action on one's own
    account, and one on another admin's by anybody but an owner. Raises NotFound for no account.
    """
    if not admit(db, order, needs=needs):
        return None
    if db.get(User, user_id) is None:
        raise NotFound
    user = ledger.lock_account(db, user_id)
    _refuse_admins(order.admin, user)
    return user


def admit(db: Session, order: Order, *, needs: Permission) -> bool:
    """Let an action begin; False if it was done before.

    Refuses an admin whose role does not allow it, and one without a reason.
    """
    refuse_unless(order.admin, needs)
    if not order.reason.strip():
        raise ReasonMissing
    if len(order.reason) > REASON_MAX_LENGTH:
        raise ReasonTooLong(most=REASON_MAX_LENGTH)
    # Of two forms at once the second waits here, and then finds the entry of the first.
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(order.key), 0))))
    return not is_done(db, order.key)


def is_done(db: Session, key: UUID) -> bool:
    """Tell whether the form of this key was done before."""
    return db.scalar(select(AdminAction.id).where(AdminAction.key == key)) is not None


def note(
    db: Session,
    order: Order,
    kind: AdminActionKind,
    user_id: UUID | None,
    *,
    change: Change | None = None,
    job_id: UUID | None = None,
) -> AdminAction:
    """Append the entry of an action to the log, in the transaction that does it."""
    change = change or Change(NOTHING, NOTHING)
    entry = AdminAction(
        admin_id=order.admin.id,
        admin_email=order.admin.email,
        admin_role=order.admin.admin_role,
        kind=kind,
        user_id=user_id,
        job_id=job_id,
        reason=order.reason.strip(),
        before=dict(change.before),
        after=dict(change.after),
        key=order.key,
    )
    db.add(entry)
    db.flush()
    return entry


def list_of_user(db: Session, user_id: UUID, limit: int) -> Sequence[AdminAction]:
    """List what admins did to an account, the latest first."""
    wanted = select(AdminAction).where(AdminAction.user_id == user_id)
    return db.scalars(wanted.order_by(AdminAction.id.desc()).limit(limit)).all()


def list_of_job(db: Session, job_id: UUID) -> Sequence[AdminAction]:
    """List what admins did to a job, the latest first."""
    wanted = select(AdminAction).where(AdminAction.job_id == job_id)
    return db.scalars(wanted.order_by(AdminAction.id.desc())).all()


@dataclass(frozen=True)
class Sought:
    """What is looked for in the log: any kind and any words unless it says so."""

    kind: AdminActionKind | None = None
    # In the reason or the admin's address; or whole: a user's address or id, a message's id.
    term: str = ""


EVERYTHING = Sought()


def list_recent(
    db: Session, *, limit: int, before: UUID | None = None, sought: Sought = EVERYTHING
) -> Sequence[AdminAction]:
    """List what admins did, the latest first: what is sought of all, or of what lies before."""
    wanted = select(AdminAction).order_by(AdminAction.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(AdminAction.id < before)
    if sought.kind is not None:
        wanted = wanted.where(AdminAction.kind == sought.kind)
    if sought.term:
        wanted = wanted.where(_says(sought.term))
    return db.scalars(wanted).all()


def _says(term: str) -> ColumnElement[bool]:
    """Say whether an entry is about a term; all are read for it, and admins alone add to them."""
    of_user = select(User.id).where(User.email == term.lower())
    ways: list[ColumnElement[bool]] = [
        AdminAction.reason.icontains(term, autoescape=True),
        AdminAction.admin_email.icontains(term, autoescape=True),
        AdminAction.user_id.in_(of_user),
    ]
    with suppress(ValueError):
        meant = UUID(term)
        ways += [column == meant for column in (AdminAction.user_id, AdminAction.job_id)]
    return or_(*ways)


def _refuse_admins(admin: User, user: User) -> None:
    if user.id == admin.id:
        raise OwnAdminAccount
    if user.admin_role is not None and admin.admin_role is not AdminRole.OWNER:
        raise AccountOfAnAdmin
