"""Finding users: by what an admin knows of them, by what holds for them, a page at a time."""

import enum
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.schema.channels import ChannelAccount
from models.schema.payments import BillingAccount, Payment, PaymentStatus
from models.schema.rollups import UserDay
from models.schema.sessions import UserSession
from models.schema.users import User

PAGE = 50
TERM_MAX_LENGTH = 200
# So many characters has each part of a word in its index.
TRIGRAM = 3


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
class _Order:
    """By what users are listed, the last of it the id, and in which direction."""

    keys: Sequence[InstrumentedAttribute[Any]]
    is_descending: bool = True

    def page(self, users: Select[Any], last: User | None) -> Select[Any]:
        """Return those after `last`, one more than a page has."""
        if last is not None:
            row, end = tuple_(*self.keys), tuple_(*(getattr(last, one.key) for one in self.keys))
            users = users.where(row < end if self.is_descending else row > end)
        by = [one.desc() if self.is_descending else one.asc() for one in self.keys]
        return users.order_by(*by).limit(PAGE + 1)


# Ids are in the order of sign-ups.
ORDERS: Mapping[Sorting, _Order] = {
    Sorting.NEWEST: _Order((User.id,)),
    Sorting.OLDEST: _Order((User.id,), is_descending=False),
    Sorting.BALANCE: _Order((User.credits_balance_micros, User.id)),
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
    """Return a page of users. It costs the same however far down the list, and however many are."""
    last = db.get(User, wanted.after) if wanted.after else None
    order = ORDERS[wanted.sorting]
    if wanted.term:
        found = _meant(db, wanted, order, last)
    else:
        found = db.scalars(order.page(_filtered(select(User), wanted), last)).all()
    return Page(_with_more(db, found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)


def _filtered(users: Select[Any], wanted: Wanted) -> Select[Any]:
    condition = CONDITIONS[wanted.filter]
    return users if condition is None else users.where(condition)


def _meant(db: Session, wanted: Wanted, order: _Order, last: User | None) -> Sequence[User]:
    """Find who is meant in any of the ways; the page of each has whoever is on that of all.

    As one condition with OR they would have to be asked of every user. Of each way alone PostgreSQL
    knows whether few fit, and reads those by an index, or many, and reads until a page is full.
    """
    keys = cast("Select[Any]", select(*order.keys))
    ways = [
        order.page(_filtered(keys.where(way), wanted), last).subquery()
        for way in _ways(wanted.term)
    ]
    found = {row.id: row for row in db.execute(union(*(select(way) for way in ways)))}
    ids = sorted(found, key=lambda one: tuple(found[one]), reverse=order.is_descending)
    # Of so few each is read by its id, while all of them would be if it was one question.
    users = select(User).where(User.id.in_(ids[: PAGE + 1]))
    by_id = {one.id: one for one in db.scalars(users)}
    return [by_id[one] for one in ids[: PAGE + 1] if one in by_id]


def _ways(term: str) -> Sequence[ColumnElement[bool]]:
    """Say in which ways a user may be meant: address, name, id, Stripe customer, messenger."""
    name, named = func.lower(User.name), func.lower(ChannelAccount.name)
    of_messenger = select(ChannelAccount.id).where(ChannelAccount.user_id == User.id)
    customer = select(BillingAccount.user_id).where(BillingAccount.stripe_customer_id == term)
    outside = select(ChannelAccount.user_id).where(ChannelAccount.account_id == term)
    ways: list[ColumnElement[bool]] = [
        _has(User.email, term),
        _has(name, term),
        of_messenger.where(_has(named, term)).exists(),
        User.id.in_(customer),
        User.id.in_(outside),
    ]
    with suppress(ValueError):
        ways.append(User.id == UUID(term))
    return ways


def _has(words: ColumnElement[str] | InstrumentedAttribute[str], term: str) -> ColumnElement[bool]:
    """Say whether words have the term in them; a short one only where a word begins.

    Its index has parts of three characters, and the beginnings of words.
    """
    part = _escaped(term.lower())
    if len(term) >= TRIGRAM:
        return words.like(f"%{part}%", escape="\\")
    return or_(words.like(f"{part}%", escape="\\"), words.like(f"% {part}%", escape="\\"))


def _escaped(term: str) -> str:
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


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
