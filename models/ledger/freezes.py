"""Frozen accounts, as somebody with an administrator's power sees them, and how a freeze ends.

An audit, a refund or a dispute freezes an account by itself. But for a dispute that is won, or a
refund that failed, it is a person who ends that, after looking.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.errors import Refused
from models.ledger import RULES, Mismatch
from models.people import users
from models.schema.audits import AuditFinding
from models.schema.freezes import Unfreezing
from models.schema.jobs import Job
from models.schema.users import User


class UnknownAccount(Refused):
    """No account has this address or id."""

    code = "unknown_account"


class NotFrozen(Refused):
    """The account is not frozen."""

    code = "not_frozen"


class StillBroken(Refused):
    """The audit still finds something in the account."""

    code = "still_broken"


class NoReason(Refused):
    """An admin who unfreezes by force gave no reason."""

    code = "no_reason"


class OwnAccount(Refused):
    """An admin would unfreeze their own account."""

    code = "own_account"


def find_account(db: Session, address_or_id: str) -> User:
    """Find an account by its address or its id; raise UnknownAccount."""
    try:
        wanted = User.id == UUID(address_or_id)
    except ValueError:
        wanted = User.email == users.normal_address(address_or_id)
    account = db.scalar(select(User).where(wanted))
    if account is None:
        raise UnknownAccount
    return account


def list_frozen(db: Session) -> list[User]:
    """List the accounts that may not spend, the longest frozen first."""
    frozen = select(User).where(User.spending_frozen_at.is_not(None))
    return list(db.scalars(frozen.order_by(User.spending_frozen_at, User.id)))


def still_found(db: Session, user_id: UUID) -> list[Mismatch]:
    """Audit one account; return what is wrong, and what only Stripe could say is right by now."""
    broken = [one for found in ledger.audit(db, user_id).values() for one in found]
    elsewhere = ledger.open_findings().where(
        AuditFinding.user_id == user_id, AuditFinding.rule.not_in(RULES)
    )
    return broken + [
        Mismatch(one.user_id, one.rule, one.subject, one.off_by_micros)
        for one in db.scalars(elsewhere)
    ]


def end(
    db: Session,
    user_id: UUID,
    *,
    forced_because: str | None = None,
    admin_id: UUID | None = None,
) -> list[Job]:
    """Let a frozen account spend again; return its paused messages that go on.

    Refused while the audit still finds something in it, unless by force and with a reason, which is
    kept, as is the admin who did it. A forced end holds: the same finding does not freeze the
    account again. Nobody ends the freeze of their own account on the site.
    """
    if user_id == admin_id:
        raise OwnAccount
    user = ledger.lock_account(db, user_id)
    if user.spending_frozen_at is None or user.spending_frozen_reason is None:
        raise NotFrozen
    if forced_because is not None and not forced_because.strip():
        raise NoReason
    if forced_because is None and still_found(db, user_id):
        raise StillBroken
    db.add(
        Unfreezing(
            user_id=user_id,
            frozen_at=user.spending_frozen_at,
            frozen_reason=user.spending_frozen_reason,
            frozen_details=user.spending_frozen_details,
            forced_because=forced_because.strip() if forced_because else None,
            admin_id=admin_id,
        )
    )
    ledger.unfreeze(user)
    db.flush()
    # Without credits they would only be paused again.
    return jobs.resume(db, user_id) if user.credits_available_micros > 0 else []


def last_end(db: Session, user_id: UUID) -> datetime | None:
    """Tell when somebody last ended a freeze of an account."""
    ends = select(Unfreezing.created_at).where(Unfreezing.user_id == user_id)
    return db.scalar(ends.order_by(Unfreezing.created_at.desc()).limit(1))


def list_ended(db: Session, user_id: UUID) -> list[Unfreezing]:
    """List the freezes of an account that somebody ended, the latest first."""
    ended = select(Unfreezing).where(Unfreezing.user_id == user_id)
    return list(db.scalars(ended.order_by(Unfreezing.id.desc())))
