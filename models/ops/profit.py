"""Profit by user: revenue, less what providers, computing, storage and Stripe get.

Everything but the rates in the settings is from the rolled-up ledger. What a user spent of granted
credits is no revenue, so free credit shows as its cost; so do the answers that we gave for nothing,
as providers were paid for them.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    cast,
    func,
    literal,
    select,
    union_all,
)
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
    active_users: int
    amounts: Amounts


def read_sums(db: Session, month: datetime) -> Sums:
    """Add up the profit of everybody in the month that begins then."""
    found = by_user(month).subquery()
    sums = (func.coalesce(func.sum(found.c[name]), 0) for name in NAMES)
    active = func.count().filter(found.c.messages > 0)
    wanted: Rows = select(func.count(), active, *sums)
    users, active_users, *amounts = db.execute(wanted).one()
    return Sums(users, active_users, Amounts(*map(int, amounts)))


def read_best_and_worst(db: Session, month: datetime) -> Mapping[Order, Sequence[Profit]]:
    """List the users who brought most, and those who cost most, in that month."""
    # In one statement, as all users are gone through for either.
    found = _with_profit(month).cte("found")
    ends = union_all(*(select(_end(found, order).subquery()) for order in Order)).subquery()
    wanted: Rows = _named(ends).add_columns(ends.c.end).order_by(ends.c.place)
    read: dict[Order, list[Profit]] = {order: [] for order in Order}
    for *row, end in db.execute(wanted):
        read[Order(end)].append(_profit(row))
    return read


def read_all(db: Session, month: datetime) -> Iterator[Profit]:
    """Yield everybody of whom there was anything, the best first."""
    found = _with_profit(month).subquery()
    for row in db.execute(_named(found).order_by(found.c.profit.desc(), User.id)):
        yield _profit(row)


def read_cohorts(db: Session, month: datetime) -> Sequence[Cohort]:
    """Add the same up by the month in which users had signed up, the latest first."""
    found = by_user(month).subquery()
    signed_up = func.date_trunc("month", User.created_at, "UTC")
    active = func.count().filter(found.c.messages > 0)
    sums = (func.sum(found.c[name]) for name in NAMES)
    wanted: Rows = (
        select(signed_up, func.count(), active, *sums)
        .join(found, found.c.user_id == User.id)
        .group_by(signed_up)
        .order_by(signed_up.desc())
    )
    return [
        Cohort(at, users, active_users, Amounts(*map(int, amounts)))
        for at, users, active_users, *amounts in db.execute(wanted)
    ]


def sums_of(cohorts: Sequence[Cohort]) -> Sums:
    """Add cohorts up, which are everybody of a month: what `read_sums` reads."""
    amounts = (sum(getattr(one.amounts, name) for one in cohorts) for name in NAMES)
    return Sums(
        sum(one.users for one in cohorts),
        sum(one.active_users for one in cohorts),
        Amounts(*amounts),
    )


def _with_profit(month: datetime) -> Rows:
    found = by_user(month).subquery()
    spent = (found.c[f"{name}_micros"] for name in ("gone", "cost", "compute", "storage", "fees"))
    return select(
        found, (found.c.revenue_micros - sum(spent, literal(0, BigInteger))).label("profit")
    )


def _end(found: CTE, order: Order) -> Rows:
    """Have the first of all users in this order, with their places."""
    profit = found.c.profit
    best = (profit.desc() if order is Order.WINNERS else profit), found.c.user_id
    place = func.row_number().over(order_by=best).label("place")
    return select(found, literal(order.value).label("end"), place).order_by(*best).limit(MOST)


def _named(found: Subquery) -> Rows:
    columns = (found.c[name] for name in NAMES)
    return select(User.id, User.email, User.name, *columns).join(found, User.id == found.c.user_id)


def _profit(row: Sequence[Any]) -> Profit:
    user_id, email, name, *numbers = row
    return Profit(user_id, email, name, Amounts(*map(int, numbers)))


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
