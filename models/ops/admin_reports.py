"""What an admin sees of everybody's money: what is wrong, who may not spend, what waits for a look.

Plain rows. People are named by address and id, and nothing that they wrote is read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, cast, func, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.schema.audits import AuditFinding, AuditRule, Books
from models.schema.free_credit import FreeCreditRefusal, RefusalReason
from models.schema.ledger import FreezeReason, Transaction, WriteOffReason
from models.schema.payments import EventTrouble, StripeEvent
from models.schema.standing_charges import StandingCharge
from models.schema.users import User

# Of each list.
MOST = 100
MENDED_FOR = timedelta(days=30)
CARRIED_FOR = timedelta(days=7)

Row = TypeVar("Row")


@dataclass(frozen=True)
class Listed(Generic[Row]):
    """A list; `is_cut` if there are more than are shown."""

    rows: Sequence[Row]
    is_cut: bool


@dataclass(frozen=True)
class Finding:
    """Something that broke a rule of the audit; `resolved_at` is when an audit saw it no more."""

    user_id: UUID
    email: str
    rule: AuditRule
    subject: str
    off_by_micros: int
    found_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True)
class FrozenAccount:
    """An account that may not spend, and why."""

    user_id: UUID
    email: str
    reason: FreezeReason
    details: Mapping[str, object]
    frozen_at: datetime


@dataclass(frozen=True)
class EventSetAside:
    """An event of Stripe's that can have no effect, and why; nobody's when the account is gone."""

    user_id: UUID | None
    email: str | None
    event_id: str
    kind: str
    trouble: EventTrouble
    details: Mapping[str, object]
    happened_at: datetime


@dataclass(frozen=True)
class RefusedCredit:
    """A free credit that was not given; nobody's when the account is gone."""

    user_id: UUID | None
    email: str | None
    reason: RefusalReason
    refused_at: datetime


@dataclass(frozen=True)
class StandingCharges:
    """What an account was charged without an answer, as the day's cap was used up, by reason."""

    user_id: UUID
    email: str
    charged_micros: int
    reasons: Mapping[WriteOffReason, int]
    last_at: datetime


@dataclass(frozen=True)
class CarriedCost:
    """What we carried lately for an account of what providers get, by reason, in micros."""

    user_id: UUID
    email: str
    carried_micros: int
    reasons: Mapping[WriteOffReason, int]


@dataclass(frozen=True)
class Overview:
    """All of it, and when the audits that came to their end last began."""

    open_count: int
    audited_at: datetime | None
    compared_at: datetime | None
    found: Listed[Finding]
    mended: Listed[Finding]
    frozen: Listed[FrozenAccount]
    set_aside: Listed[EventSetAside]
    refused: Listed[RefusedCredit]
    standing: Listed[StandingCharges]
    carried: Listed[CarriedCost]


def read(db: Session) -> Overview:
    """Read it all, at most MOST of each; frozen accounts longest first, else the newest first.

    Who costs us most comes first there.
    """
    runs = ledger.last_runs(db)
    is_open = AuditFinding.resolved_at.is_(None)
    return Overview(
        open_count=db.scalar(select(func.count()).select_from(AuditFinding).where(is_open)) or 0,
        audited_at=runs.get(Books.LEDGER),
        compared_at=runs.get(Books.STRIPE),
        found=_listed(db, Finding, _findings().where(is_open).order_by(AuditFinding.id.desc())),
        mended=_listed(db, Finding, _mended()),
        frozen=_listed(db, FrozenAccount, _frozen()),
        set_aside=_listed(db, EventSetAside, _set_aside()),
        refused=_listed(db, RefusedCredit, _refused()),
        standing=_listed(db, StandingCharges, _standing()),
        carried=_listed(db, CarriedCost, _carried()),
    )


def _listed(db: Session, make: Callable[..., Row], wanted: Select[*tuple[Any, ...]]) -> Listed[Row]:
    found = db.execute(wanted.limit(MOST + 1)).all()
    return Listed([make(*row) for row in found[:MOST]], is_cut=len(found) > MOST)


def _findings() -> Select[*tuple[Any, ...]]:
    return select(
        User.id,
        User.email,
        AuditFinding.rule,
        AuditFinding.subject,
        AuditFinding.off_by_micros,
        AuditFinding.created_at,
        AuditFinding.resolved_at,
    ).join(User, User.id == AuditFinding.user_id)


def _mended() -> Select[*tuple[Any, ...]]:
    lately = AuditFinding.resolved_at > utc_now() - MENDED_FOR
    return _findings().where(lately).order_by(AuditFinding.resolved_at.desc(), AuditFinding.id)


def _frozen() -> Select[*tuple[Any, ...]]:
    wanted = select(
        User.id,
        User.email,
        User.spending_frozen_reason,
        User.spending_frozen_details,
        User.spending_frozen_at,
    )
    frozen = wanted.where(User.spending_frozen_at.is_not(None))
    return frozen.order_by(User.spending_frozen_at, User.id)


def _set_aside() -> Select[*tuple[Any, ...]]:
    event = StripeEvent
    wanted = (
        select(
            User.id,
            User.email,
            event.id,
            event.kind,
            event.trouble,
            event.trouble_details,
            event.happened_at,
        )
        .select_from(event)
        .outerjoin(User, User.id == event.user_id)
        .where(event.trouble.is_not(None))
    )
    return wanted.order_by(StripeEvent.created_at.desc(), StripeEvent.id)


def _refused() -> Select[*tuple[Any, ...]]:
    wanted = select(
        User.id, User.email, FreeCreditRefusal.reason, FreeCreditRefusal.created_at
    ).select_from(FreeCreditRefusal)
    # Who deleted their account was refused all the same.
    with_people = wanted.outerjoin(User, User.id == FreeCreditRefusal.user_id)
    return with_people.order_by(FreeCreditRefusal.id.desc())


def _standing() -> Select[*tuple[Any, ...]]:
    """Of each account, what stands and nobody of ours has given back yet."""
    by_reason = (
        select(
            StandingCharge.user_id,
            StandingCharge.reason,
            func.sum(StandingCharge.charged_micros).label("micros"),
            func.max(StandingCharge.created_at).label("last_at"),
        )
        .where(StandingCharge.given_back_at.is_(None))
        .group_by(StandingCharge.user_id, StandingCharge.reason)
        .subquery()
    )
    last_at = func.max(by_reason.c.last_at)
    wanted = select(User.id, User.email, *_by_reason(by_reason), last_at)
    joined = wanted.join(by_reason, by_reason.c.user_id == User.id).group_by(User.id)
    return joined.order_by(last_at.desc(), User.id)


def _carried() -> Select[*tuple[Any, ...]]:
    by_reason = (
        select(
            Transaction.user_id,
            Transaction.reason,
            func.sum(Transaction.carried_micros).label("micros"),
        )
        .where(
            Transaction.reason.is_not(None),
            Transaction.created_at > utc_now() - CARRIED_FOR,
            Transaction.carried_micros != 0,
        )
        .group_by(Transaction.user_id, Transaction.reason)
        .subquery()
    )
    total, reasons = _by_reason(by_reason)
    wanted = select(User.id, User.email, total, reasons)
    joined = wanted.join(by_reason, by_reason.c.user_id == User.id).group_by(User.id)
    return joined.order_by(total.desc(), User.id)


def _by_reason(sums: Subquery) -> tuple[ColumnElement[int], ColumnElement[Mapping[str, int]]]:
    """Add the sums by reason up, and list them."""
    total = cast(func.sum(sums.c.micros), BigInteger)
    return total, func.jsonb_object_agg(sums.c.reason, sums.c.micros)
