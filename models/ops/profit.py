"""Profit by user: revenue, less what providers, computing, storage and Stripe get.

Everything but the rates in the settings is from the rolled-up ledger. What a user spent of granted
credits is no revenue, so free credit shows as its cost; so do the answers that we gave for nothing,
as providers were paid for them.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.schema.rollups import UserMonth
from models.schema.users import User
from settings import get_settings

MOST = 25
HOUR_MS = 3_600_000
GIGABYTE = 1 << 30

Rows = Select[*tuple[Any, ...]]


class Order(enum.StrEnum):
    WINNERS = "winners"
    LOSERS = "losers"


@dataclass(frozen=True)
class Amounts:
    """What somebody or something brought and cost in a time, in micros."""

    messages: int = 0
    revenue_micros: int = 0
    gone_micros: int = 0
    cost_micros: int = 0
    compute_micros: int = 0
    storage_micros: int = 0
    fees_micros: int = 0
    # Both are looked at for themselves: they are in the provider's cost already.
    free_credit_micros: int = 0
    absorbed_micros: int = 0

    @property
    def profit_micros(self) -> int:
        """What is left of the revenue when everybody has theirs."""
        spent = self.gone_micros + self.cost_micros + self.compute_micros
        return self.revenue_micros - spent - self.storage_micros - self.fees_micros


NAMES = tuple(Amounts.__dataclass_fields__)


@dataclass(frozen=True)
class Profit:
    """What a user brought and cost."""

    user_id: UUID
    email: str
    name: str
    amounts: Amounts


@dataclass(frozen=True)
class Sums:
    """The same of everybody; `active_users` sent a message."""

    users: int
    active_users: int
    amounts: Amounts


@dataclass(frozen=True)
class Cohort:
    """The same of those who signed up in one month."""

    signed_up_in: datetime
    users: int
    amounts: Amounts


def read_sums(db: Session, month: datetime) -> Sums:
    """Add up the profit of everybody in the month that begins then."""
    found = by_user(month).subquery()
    sums = (func.coalesce(func.sum(found.c[name]), 0) for name in NAMES)
    active = func.count().filter(found.c.messages > 0)
    wanted: Rows = select(func.count(), active, *sums)
    users, active_users, *amounts = db.execute(wanted).one()
    return Sums(users, active_users, Amounts(*map(int, amounts)))


def read(db: Session, month: datetime, order: Order) -> Sequence[Profit]:
    """List the users who brought most, or who cost most, in that month."""
    return list(_rows(db, month, order, MOST))


def read_all(db: Session, month: datetime) -> Iterator[Profit]:
    """Yield everybody of whom there was anything, the best first."""
    return _rows(db, month, Order.WINNERS, None)


def read_cohorts(db: Session, month: datetime) -> Sequence[Cohort]:
    """Add the same up by the month in which users had signed up, the latest first."""
    found = by_user(month).subquery()
    signed_up = func.date_trunc("month", User.created_at, "UTC")
    sums = (func.sum(found.c[name]) for name in NAMES)
    wanted: Rows = (
        select(signed_up, func.count(), *sums)
        .join(found, found.c.user_id == User.id)
        .group_by(signed_up)
        .order_by(signed_up.desc())
    )
    return [
        Cohort(at, users, Amounts(*map(int, amounts))) for at, users, *amounts in db.execute(wanted)
    ]


def _rows(db: Session, month: datetime, order: Order, most: int | None) -> Iterator[Profit]:
    found = by_user(month).subquery()
    spent = (found.c[f"{name}_micros"] for name in ("gone", "cost", "compute", "storage", "fees"))
    profit = found.c.revenue_micros - sum(spent, literal(0, BigInteger))
    best = select(found).order_by(
        profit.desc() if order is Order.WINNERS else profit, found.c.user_id
    )
    found = best.limit(most).add_columns(profit.label("profit")).subquery()
    wanted: Rows = (
        select(User.id, User.email, User.name, *(found.c[name] for name in NAMES))
        .join(found, User.id == found.c.user_id)
        .order_by(found.c.profit.desc() if order is Order.WINNERS else found.c.profit, User.id)
    )
    for user_id, email, name, *numbers in db.execute(wanted):
        yield Profit(user_id, email, name, Amounts(*map(int, numbers)))


def by_user(month: datetime) -> Rows:
    columns = (
        UserMonth.messages,
        UserMonth.revenue_micros,
        UserMonth.gone_micros,
        UserMonth.cost_micros,
        compute_micros(UserMonth.busy_ms),
        _storage_micros(),
        fees_micros(UserMonth.topped_up_micros, UserMonth.top_ups),
        UserMonth.free_credit_micros,
        UserMonth.absorbed_micros,
    )
    named = (column.label(name) for name, column in zip(NAMES, columns, strict=True))
    return select(UserMonth.user_id, *named).where(UserMonth.begins_at == month)


Number = InstrumentedAttribute[int] | ColumnElement[int]


def compute_micros(busy_ms: Number) -> ColumnElement[int]:
    """Say what the time that workers were at messages costs, rounded down."""
    rate = literal(get_settings().compute_hour_micros, BigInteger)
    return cast(busy_ms * rate // literal(HOUR_MS, BigInteger), BigInteger)


def fees_micros(topped_up_micros: Number, top_ups: Number) -> ColumnElement[int]:
    """Say what Stripe keeps of payments, rounded down."""
    settings = get_settings()
    percent = literal(round(settings.stripe_fee_percent * 100), BigInteger)
    fixed = top_ups * literal(settings.stripe_fee_fixed_micros, BigInteger)
    return cast(topped_up_micros * percent // literal(10_000, BigInteger) + fixed, BigInteger)


def _storage_micros() -> ColumnElement[int]:
    """Say what keeping a user's files for the month costs, rounded down."""
    rate = literal(get_settings().storage_gigabyte_month_micros, BigInteger)
    return cast(UserMonth.stored_bytes * rate // literal(GIGABYTE, BigInteger), BigInteger)


def month_of(now: datetime, back: int) -> tuple[datetime, datetime]:
    """Return when the month began that was so many months ago, and when it ended; of UTC."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(back):
        first = (first - timedelta(days=1)).replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)
