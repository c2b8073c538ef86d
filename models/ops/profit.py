"""Profit by user: revenue, less what providers, computing and Stripe get, and what was lost.

Everything but the rates in the settings is from the rolled-up ledger. What a user spent of granted
credits is no revenue, so free credit shows as its cost.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.schema.rollups import UserDay
from models.schema.users import User
from settings import get_settings

MOST = 25
HOUR_MS = 3_600_000


class Order(enum.StrEnum):
    WINNERS = "winners"
    LOSERS = "losers"


@dataclass(frozen=True)
class Profit:
    """What a user brought and cost in a time, in micros."""

    user_id: UUID
    email: str
    name: str
    messages: int
    revenue_micros: int
    gone_micros: int
    cost_micros: int
    compute_micros: int
    fees_micros: int
    free_credit_micros: int

    @property
    def profit_micros(self) -> int:
        spent = self.gone_micros + self.cost_micros + self.compute_micros + self.fees_micros
        return self.revenue_micros - spent


@dataclass(frozen=True)
class Sums:
    """The same of everybody."""

    users: int
    messages: int
    revenue_micros: int
    gone_micros: int
    cost_micros: int
    compute_micros: int
    fees_micros: int
    free_credit_micros: int

    @property
    def profit_micros(self) -> int:
        spent = self.gone_micros + self.cost_micros + self.compute_micros + self.fees_micros
        return self.revenue_micros - spent


def read_sums(db: Session, since: datetime, until: datetime) -> Sums:
    """Add up the profit of everybody from a day on, until another begins."""
    by_user = _by_user(since, until).subquery()
    names = ("messages", "revenue", "gone", "cost", "compute", "fees", "free_credit")
    sums = (cast(func.coalesce(func.sum(by_user.c[name]), 0), BigInteger) for name in names)
    return Sums(*map(int, db.execute(select(func.count(), *sums).select_from(by_user)).one()))


def read(db: Session, since: datetime, until: datetime, order: Order) -> Sequence[Profit]:
    """List the users who brought most, or who cost most, in that time."""
    return list(_rows(db, since, until, order, MOST))


def read_all(db: Session, since: datetime, until: datetime) -> Iterator[Profit]:
    """Yield everybody of whom there was anything, the best first."""
    return _rows(db, since, until, Order.WINNERS, None)


def _rows(
    db: Session, since: datetime, until: datetime, order: Order, most: int | None
) -> Iterator[Profit]:
    found = _by_user(since, until).subquery()
    profit = found.c.revenue - found.c.gone - found.c.cost - found.c.compute - found.c.fees
    wanted = (
        select(
            *(User.id, User.email, User.name, found.c.messages, found.c.revenue, found.c.gone),
            *(found.c.cost, found.c.compute, found.c.fees, found.c.free_credit),
        )
        .join(User, User.id == found.c.user_id)
        .order_by(profit.desc() if order is Order.WINNERS else profit, User.id)
        .limit(most)
    )
    for user_id, email, name, *numbers in db.execute(wanted):
        yield Profit(user_id, email, name, *map(int, numbers))


def _by_user(since: datetime, until: datetime) -> Select[*tuple[Any, ...]]:
    return (
        select(
            UserDay.user_id,
            _sum(UserDay.messages).label("messages"),
            _sum(UserDay.revenue_micros).label("revenue"),
            _sum(UserDay.gone_micros).label("gone"),
            _sum(UserDay.cost_micros).label("cost"),
            _compute().label("compute"),
            _fees().label("fees"),
            _sum(UserDay.free_credit_micros).label("free_credit"),
        )
        .where(UserDay.begins_at >= since, UserDay.begins_at < until)
        .group_by(UserDay.user_id)
    )


def _compute() -> ColumnElement[int]:
    """What the time that workers were at a user's messages costs, rounded down."""
    rate = literal(get_settings().compute_hour_micros, BigInteger)
    return cast(_sum(UserDay.busy_ms) * rate // literal(HOUR_MS, BigInteger), BigInteger)


def _fees() -> ColumnElement[int]:
    """What Stripe keeps of a user's payments."""
    settings = get_settings()
    share = _sum(UserDay.topped_up_micros) * literal(
        round(settings.stripe_fee_percent * 100), BigInteger
    )
    fixed = _sum(UserDay.top_ups) * literal(settings.stripe_fee_fixed_micros, BigInteger)
    return cast(share // literal(10_000, BigInteger) + fixed, BigInteger)


def _sum(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    return cast(func.sum(column), BigInteger)


def month_of(now: datetime, back: int) -> tuple[datetime, datetime]:
    """Return when the month began that was so many months ago, and when it ended; of UTC."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(back):
        first = (first - timedelta(days=1)).replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)
