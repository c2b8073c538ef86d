"""Finding users: by what an admin knows of them, by what holds for them, a page at a time."""

import enum
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from models.schema.channels import ChannelAccount
from models.schema.payments import BillingAccount, Payment, PaymentStatus
from models.schema.rollups import UserDay
from models.schema.sessions import UserSession
from models.schema.users import User

PAGE = 50
TERM_MAX_LENGTH = 200


class Filter(enum.StrEnum):
    ALL = "all"
    PAYING = "paying"
    FROZEN = "frozen"
    SUSPENDED = "suspended"
    UNVERIFIED = "unverified"
    ADMINS = "admins"


class Sorting(enum.StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    BALANCE = "balance"


_PAID = select(Payment.id).where(Payment.user_id == User.id, Payment.status == PaymentStatus.PAID)
CONDITIONS: Mapping[Filter, ColumnElement[bool] | None] = {
    Filter.ALL: None,
    Filter.PAYING: _PAID.exists(),
    Filter.FROZEN: User.spending_frozen_at.is_not(None),
    Filter.SUSPENDED: or_(
        User.sending_suspended_at.is_not(None), User.sign_in_suspended_at.is_not(None)
    ),
    Filter.UNVERIFIED: User.email_verified_at.is_(None),
    Filter.ADMINS: User.admin_role.is_not(None),
}


@dataclass(frozen=True)
class Wanted:
    """What is looked for, in which order, and after which user of the page before."""

    term: str = ""
    filter: Filter = Filter.ALL
    sorting: Sorting = Sorting.NEWEST
    after: UUID | None = None


@dataclass(frozen=True)
class Found:
    """A user in the list."""

    user: User
    seen_at: datetime | None
    messages: int

    @property
    def id(self) -> UUID:
        return self.user.id


@dataclass(frozen=True)
class Page:
    """Some users; `next_after` begins the next page, None ends the list."""

    rows: Sequence[Found]
    next_after: UUID | None


def find(db: Session, wanted: Wanted) -> Page:
    """Return a page of users. A page costs the same however far down the list it is."""
    users = select(User)
    condition = CONDITIONS[wanted.filter]
    if condition is not None:
        users = users.where(condition)
    if wanted.term:
        users = users.where(_matches(wanted.term))
    found = db.scalars(_ordered(db, users, wanted).limit(PAGE + 1)).all()
    return Page(_with_more(db, found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)


def _matches(term: str) -> ColumnElement[bool]:
    """Say whether a user is meant: by id, address or name in part, Stripe customer, messenger."""
    like = f"%{_escaped(term.lower())}%"
    conditions: list[ColumnElement[bool]] = [
        User.email.like(like, escape="\\"),
        func.lower(User.name).like(like, escape="\\"),
        User.id.in_(
            select(BillingAccount.user_id).where(BillingAccount.stripe_customer_id == term)
        ),
        User.id.in_(
            select(ChannelAccount.user_id).where(
                or_(
                    ChannelAccount.account_id == term,
                    func.lower(ChannelAccount.name).like(like, escape="\\"),
                )
            )
        ),
    ]
    with suppress(ValueError):
        conditions.append(User.id == UUID(term))
    return or_(*conditions)


def _escaped(term: str) -> str:
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _ordered(db: Session, users: Select[User], wanted: Wanted) -> Select[User]:
    last = db.get(User, wanted.after) if wanted.after else None
    if wanted.sorting is Sorting.BALANCE:
        keys = tuple_(User.credits_balance_micros, User.id)
        if last is not None:
            users = users.where(keys < tuple_(last.credits_balance_micros, last.id))
        return users.order_by(User.credits_balance_micros.desc(), User.id.desc())
    # Ids are in the order of sign-ups.
    if wanted.sorting is Sorting.OLDEST:
        return (users.where(User.id > last.id) if last else users).order_by(User.id)
    return (users.where(User.id < last.id) if last else users).order_by(User.id.desc())


def _with_more(db: Session, users: Sequence[User]) -> Sequence[Found]:
    ids = [user.id for user in users]
    seen = select(UserSession.user_id, func.max(UserSession.seen_at)).where(
        UserSession.user_id.in_(ids)
    )
    # Rolled up: a busy user has a hundred thousand jobs.
    wrote = select(UserDay.user_id, func.sum(UserDay.messages)).where(UserDay.user_id.in_(ids))
    seen_at = dict(db.execute(seen.group_by(UserSession.user_id)).all())
    messages = dict(db.execute(wrote.group_by(UserDay.user_id)).all())
    return [Found(one, seen_at.get(one.id), int(messages.get(one.id, 0))) for one in users]
