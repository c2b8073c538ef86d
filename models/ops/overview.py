"""The business at a glance: a range of time beside the one before it, and what is so right now.

Ranges are read from rolled-up numbers, so they cost the same however much there was. Only the
steps of who signed up within days are counted one by one: those ranges begin within a day.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import Session

from models.ops import product_events
from models.periods import month_floor
from models.schema.product_events import ProductEventKind
from models.schema.rollups import CohortMonth, DayTotals, HourTotals

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
WEEK_TWO_IS_OVER = 14 * DAY
# Months of newcomers whose return is shown.
COHORTS = 6


class Range(enum.StrEnum):
    """How far back a page looks."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    YEAR = "1y"


# How long each is, and one of its parts.
LENGTHS: Mapping[Range, tuple[timedelta, timedelta]] = {
    Range.DAY: (DAY, HOUR),
    Range.WEEK: (7 * DAY, 6 * HOUR),
    Range.MONTH: (30 * DAY, DAY),
    Range.YEAR: (364 * DAY, 7 * DAY),
}


@dataclass(frozen=True)
class Totals:
    """What is counted and added up, of a part of a range or of all of it."""

    sign_ups: int = 0
    messages: int = 0
    answered: int = 0
    failed: int = 0
    revenue_micros: int = 0
    free_credit_micros: int = 0
    cost_micros: int = 0
    given_back_micros: int = 0
    absorbed_micros: int = 0
    topped_up_micros: int = 0
    refunds_micros: int = 0
    gone_micros: int = 0

    @property
    def margin_micros(self) -> int:
        """What is left of the revenue when providers have theirs."""
        return self.revenue_micros - self.gone_micros - self.cost_micros


@dataclass(frozen=True)
class Part:
    """A part of a range, and the like part of the range before."""

    begins_at: datetime
    now: Totals
    before: Totals


@dataclass(frozen=True)
class Retention:
    """Of whom signed up in a range: who wrote within a day, and who came back in week two."""

    newcomers: int
    activated: int
    # Of those only whose second week is over.
    ripe: int
    returned: int


@dataclass(frozen=True)
class CohortLine:
    """Of those who signed up in a month: how many, and how many wrote in it and those after it."""

    signed_up_in: datetime
    newcomers: int
    active: Sequence[int]


@dataclass(frozen=True)
class Overview:
    """A range in parts, its sums, and those of the range before."""

    parts: Sequence[Part]
    now: Totals
    before: Totals
    retention: Retention
    # Of those who signed up in the range: who has taken each step by now; and in the one before.
    funnel: Mapping[ProductEventKind, int]
    funnel_before: Mapping[ProductEventKind, int]
    cohorts: Sequence[CohortLine]


ACTIVE_DAYS = (1, 7, 30)
NAMES = tuple(Totals.__dataclass_fields__)


def read(db: Session, wanted: Range, now: datetime) -> Overview:
    """Read a range that ends with the hour that it is now; hours and days are those of UTC."""
    length, width = LENGTHS[wanted]
    ends = _end_of(now, width)
    found = _parts(db, ends - 2 * length, ends, width)
    begins = [ends - length + number * width for number in range(length // width)]
    parts = [Part(at, found.get(at, Totals()), found.get(at - length, Totals())) for at in begins]
    # The last part is not over: it is held against as much of the one before.
    since, until = begins[0], _floor(now, HOUR) + HOUR
    return Overview(
        parts,
        _sum(db, since, until),
        _sum(db, since - length, until - length),
        _retention(db, wanted, now, (since, until)),
        _funnel(db, wanted, since, until),
        _funnel(db, wanted, since - length, since),
        _cohorts(db, now),
    )


def _parts(
    db: Session, since: datetime, until: datetime, width: timedelta
) -> Mapping[datetime, Totals]:
    # Weeks end today, whatever day it is.
    at = func.date_bin(width, HourTotals.begins_at, until)
    sums = select(at, *_sums()).where(HourTotals.begins_at >= since, HourTotals.begins_at < until)
    return {
        begins.astimezone(UTC): Totals(*map(int, values))
        for begins, *values in db.execute(sums.group_by(at))
    }


def _sum(db: Session, since: datetime, until: datetime) -> Totals:
    sums = select(*_sums()).where(HourTotals.begins_at >= since, HourTotals.begins_at < until)
    return Totals(*map(int, db.execute(sums).one()))


def _sums() -> list[ColumnElement[int]]:
    columns = (HourTotals.__table__.c[name] for name in NAMES)
    return [cast(func.coalesce(func.sum(column), 0), BigInteger) for column in columns]


def active(db: Session, now: datetime) -> Mapping[int, int]:
    """Tell who sent a message today, and on the last 7 and 30 days, today among them.

    As it was when days were last added up.
    """
    counts = (DayTotals.active_users, DayTotals.active_week, DayTotals.active_month)
    newest = (
        select(*counts)
        .where(DayTotals.begins_at <= now, DayTotals.active_month.is_not(None))
        .order_by(DayTotals.begins_at.desc())
        .limit(1)
    )
    found = db.execute(newest).one_or_none() or (0, 0, 0)
    return dict(zip(ACTIVE_DAYS, (count or 0 for count in found), strict=True))


def _is_of_days(wanted: Range) -> bool:
    """Tell whether a range begins with a day, or else with an hour of one."""
    return LENGTHS[wanted][1] >= DAY


def _funnel(
    db: Session, wanted: Range, since: datetime, until: datetime
) -> Mapping[ProductEventKind, int]:
    read = product_events.read_funnel if _is_of_days(wanted) else product_events.count_funnel
    return read(db, since, until)


def _newcomers(db: Session, wanted: Range, since: datetime, until: datetime) -> tuple[int, int]:
    """Count who signed up, and who of them wrote within a day."""
    if not _is_of_days(wanted):
        return product_events.count_newcomers(db, since, until)
    sums = select(
        func.coalesce(func.sum(DayTotals.sign_ups), 0),
        func.coalesce(func.sum(DayTotals.activated_users), 0),
    ).where(DayTotals.begins_at >= since)
    newcomers, activated = db.execute(sums).one()
    return int(newcomers), int(activated)


def _retention(
    db: Session, wanted: Range, now: datetime, window: tuple[datetime, datetime]
) -> Retention:
    # As many days as the range has, up to the last one whose users' second week is over.
    ripe_until = _floor(now - WEEK_TWO_IS_OVER, DAY)
    ripe = select(
        func.coalesce(func.sum(DayTotals.sign_ups), 0),
        func.coalesce(func.sum(DayTotals.returned_users), 0),
    ).where(
        DayTotals.begins_at >= ripe_until - LENGTHS[wanted][0],
        DayTotals.begins_at < ripe_until,
    )
    return Retention(*_newcomers(db, wanted, *window), *map(int, db.execute(ripe).one()))


def _cohorts(db: Session, now: datetime) -> Sequence[CohortLine]:
    """Read the last months' newcomers, and how many of them wrote in each month since."""
    months = [month_floor(now)]
    while len(months) < COHORTS:
        months.insert(0, month_floor(months[0] - DAY))
    signed_up = func.date_trunc("month", DayTotals.begins_at, "UTC")
    newcomers = select(signed_up, func.sum(DayTotals.sign_ups)).where(
        DayTotals.begins_at >= months[0]
    )
    came = {at: int(count) for at, count in db.execute(newcomers.group_by(signed_up))}
    wanted = select(CohortMonth).where(CohortMonth.cohort_at >= months[0])
    wrote = {(one.cohort_at, one.begins_at): one.active_users for one in db.scalars(wanted)}
    return [
        CohortLine(
            month, came.get(month, 0), [wrote.get((month, at), 0) for at in months if at >= month]
        )
        for month in months
    ]


def _end_of(now: datetime, width: timedelta) -> datetime:
    step = min(width, DAY)
    return _floor(now, step) + step


def _floor(moment: datetime, width: timedelta) -> datetime:
    return moment - (moment - EPOCH) % width
