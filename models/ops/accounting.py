"""A month's money by day, model and channel; what a user and a message bring; what is given away.

All of it is from rolled-up numbers. Of a day, a model or a channel computing and fees are reckoned
and rounded by themselves, and storage, which is kept by users, is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, cast, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.ops import profit, switches
from models.ops.profit import NAMES, Amounts, Rows
from models.schema.rollups import DayTotals, SplitDay

DAY = timedelta(days=1)
# What is to come is reckoned from so many days, for as many.
FORECAST = 28 * DAY


@dataclass(frozen=True)
class Part:
    """A day, model or channel; `name` is empty for what belongs to no message."""

    name: str
    amounts: Amounts


@dataclass(frozen=True)
class Units:
    """What one user who was active, and one message, brought and cost on average, in micros."""

    active_users: int
    messages: int
    revenue_micros: int
    spent_micros: int
    profit_micros: int

    def per_user(self, micros: int) -> int | None:
        """Divide among those who were active; None without any."""
        return micros // self.active_users if self.active_users else None

    def per_message(self, micros: int) -> int | None:
        """Divide among the messages; None without any."""
        return micros // self.messages if self.messages else None


@dataclass(frozen=True)
class Forecast:
    """What free credit is to cost within `days`, if all goes on as in the days before."""

    days: int
    # Newcomers, and what they are given.
    sign_ups: int
    granted_micros: int
    # What was given and neither used nor lapsed, by now.
    outstanding_micros: int
    # What is used, and what providers get of that.
    used_micros: int
    cost_micros: int


def read_days(db: Session, since: datetime, until: datetime) -> Sequence[Part]:
    """Read each day of UTC from a moment on, until another, the first one first."""
    day = cast(func.timezone("UTC", DayTotals.begins_at), Date)
    wanted: Rows = select(day, *_amounts(DayTotals)).where(
        DayTotals.begins_at >= since, DayTotals.begins_at < until
    )
    rows = db.execute(wanted.group_by(day).order_by(day))
    return [_part(at.isoformat(), numbers) for at, *numbers in rows]


def read_models(db: Session, since: datetime, until: datetime) -> Sequence[Part]:
    """Read each model of which there was anything, the most revenue first."""
    return _split(db, SplitDay.model, since, until)


def read_channels(db: Session, since: datetime, until: datetime) -> Sequence[Part]:
    """Do so by the channel through which messages came."""
    return _split(db, SplitDay.channel, since, until)


def units_of(sums: profit.Sums) -> Units:
    """Say what a user and a message brought of these sums."""
    amounts = sums.amounts
    return Units(
        active_users=sums.active_users,
        messages=amounts.messages,
        revenue_micros=amounts.revenue_micros,
        spent_micros=amounts.revenue_micros - amounts.profit_micros,
        profit_micros=amounts.profit_micros,
    )


def forecast(db: Session, now: datetime) -> Forecast:
    """Reckon what free credit is to cost, from the whole days before now."""
    until = now.replace(hour=0, minute=0, second=0, microsecond=0)
    lately = DayTotals.begins_at >= until - FORECAST, DayTotals.begins_at < until
    of_late = (DayTotals.sign_ups, DayTotals.sign_up_granted_micros, DayTotals.free_credit_micros)
    sums: Rows = select(*(_sum(one) for one in of_late)).where(*lately)
    sign_ups, granted, used = map(int, db.execute(sums).one())
    outstanding = int(db.scalar(select(_sum(DayTotals.moved_granted_micros))) or 0)
    margin = switches.current(db).margin_percent
    return Forecast(
        days=FORECAST // DAY,
        sign_ups=sign_ups,
        granted_micros=granted,
        outstanding_micros=outstanding,
        # Nobody can use more than there is and will be.
        used_micros=min(used, outstanding + granted),
        cost_micros=min(used, outstanding + granted) * (100 - margin) // 100,
    )


def _split(
    db: Session, by: InstrumentedAttribute[str], since: datetime, until: datetime
) -> Sequence[Part]:
    wanted: Rows = select(by, *_amounts(SplitDay)).where(
        SplitDay.begins_at >= since, SplitDay.begins_at < until
    )
    rows = db.execute(wanted.group_by(by).order_by(_sum(SplitDay.revenue_micros).desc(), by))
    return [_part(name, numbers) for name, *numbers in rows]


def _part(name: str, numbers: Sequence[Any]) -> Part:
    return Part(name, Amounts(*map(int, numbers)))


def _amounts(table: type[DayTotals | SplitDay]) -> Sequence[ColumnElement[int]]:
    """Name the columns of `Amounts`, in their order."""
    summed = {name: _sum(table.__table__.c[name]) for name in NAMES if name in table.__table__.c}
    reckoned: dict[str, ColumnElement[int]] = {
        "compute_micros": profit.compute_micros(_sum(table.busy_ms)),
        "storage_micros": literal(0, BigInteger),
        "fees_micros": profit.fees_micros(_sum(table.topped_up_micros), _sum(table.top_ups)),
    }
    return [(summed | reckoned)[name] for name in NAMES]


def _sum(column: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[int]:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)
