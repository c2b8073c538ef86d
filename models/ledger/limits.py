"""What people let themselves spend: for each message, a day, a month. Checked at each model call.

A limit holds for what was charged and not given back, and for what running calls may yet cost.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Executable,
    Uuid,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import Session, aliased

from models import ledger
from models.base import utc_now
from models.errors import Refused
from models.ledger import write_offs
from models.periods import day_of, month_of
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, Transaction
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.users import User
from settings import get_settings

# Less could not pay for the shortest answer.
LEAST_LIMIT_MICROS = 10_000
MOST_LIMIT_MICROS = 10_000_000_000


class LimitReached(Refused):
    """A user has reached one of their limits."""

    code = "limit_reached"

    failure_code: ClassVar[FailureCode]


class MessageLimitReached(LimitReached):
    """A message has reached what it may cost."""

    code = "message_limit_reached"

    failure_code = FailureCode.MESSAGE_LIMIT


class DayLimitReached(LimitReached):
    """Nothing is left of a user's limit for today."""

    code = "day_limit_reached"

    failure_code = FailureCode.DAY_LIMIT


class MonthLimitReached(LimitReached):
    """Nothing is left of a user's limit for this month."""

    code = "month_limit_reached"

    failure_code = FailureCode.MONTH_LIMIT


class BadLimit(Refused):
    """A limit is out of range."""

    code = "bad_limit"


class MessageLimitTooHigh(Refused):
    """A limit is higher than any message may cost."""

    code = "message_limit_too_high"


class LimitsDoNotFit(Refused):
    """A day would have more than its month, or a message more than its day."""

    code = "limits_do_not_fit"


class AbsorbedLimitReached(LimitReached):
    """Too much was at our expense today that could not be charged: see `ledger.write_offs`."""

    code = "absorbed_limit_reached"

    failure_code = FailureCode.ABSORBED_LIMIT


@dataclass(frozen=True)
class Limits:
    """The limits as a person set them, in micros; None for the usual one, or for no limit."""

    message_micros: int | None = None
    day_micros: int | None = None
    month_micros: int | None = None

    def checked(self) -> "Limits":
        """Return them as they are; refuse what is out of range or contradicts itself."""
        given = [one for one in self._all() if one is not None]
        if any(not LEAST_LIMIT_MICROS <= one <= MOST_LIMIT_MICROS for one in given):
            raise BadLimit
        if (self.message_micros or 0) > get_settings().turn_max_cost_micros:
            raise MessageLimitTooHigh
        if given != sorted(given):
            raise LimitsDoNotFit
        return self

    def _all(self) -> tuple[int | None, ...]:
        return (self.message_micros, self.day_micros, self.month_micros)


@dataclass(frozen=True)
class Bound:
    """One thing that ends spending: how much it still allows, and how it refuses more."""

    code: FailureCode
    left_micros: int
    refusal: type[Refused]


def choose(db: Session, user_id: UUID, limits: Limits) -> None:
    """Set a person's limits, which hold from the next model call on; refuse senseless ones."""
    chosen = limits.checked()
    user = ledger.lock_account(db, user_id)
    user.message_limit_micros = chosen.message_micros
    user.day_limit_micros = chosen.day_micros
    user.month_limit_micros = chosen.month_micros
    db.flush()


def message_limit(user: User) -> int:
    """Return the most that a message of this person may cost before they are asked, in micros."""
    return user.message_limit_micros or get_settings().message_limit_micros


def refuse_if_reached(db: Session, user: User) -> None:
    """Raise DayLimitReached or MonthLimitReached when nothing is left of one of them."""
    limited = _limited_periods(user)
    used_in = _sums(db, *(_spent_since(user.id, one.begins) for one in limited))
    for one, used in zip(limited, used_in, strict=True):
        # What a running call holds is not spent, and mostly free again in a moment.
        if used >= one.limit_micros:
            raise one.refusal


def bounds(db: Session, user: User, job: Job | None) -> list[Bound]:
    """List what bounds the next call of a job: a freeze, the balance, then its person's limits.

    One more does once too much was at our expense today that could not be charged. A transcription
    is of no job, and no message's limit bounds it.
    """
    limited = _limited_periods(user)
    begins = {f"begins_{at}": one.begins for at, one in enumerate(limited)}
    ids = {"job": job.id if job else None, "user": user.id}
    given = {**ids, "today": write_offs.today_begins(utc_now()), **begins}
    used, absorbed, *used_in = map(int, db.execute(_used(len(limited)), given).one())
    is_absorbed_up = absorbed > 0 and absorbed >= get_settings().absorbed_daily_limit_micros
    return [
        *([Bound(FailureCode.FROZEN, 0, ledger.SpendingFrozen)] if user.is_frozen else []),
        *([Bound(FailureCode.ABSORBED_LIMIT, 0, AbsorbedLimitReached)] if is_absorbed_up else []),
        Bound(FailureCode.NO_CREDIT, user.credits_available_micros, ledger.OutOfCredit),
        *_of_periods(user, limited, used_in),
        *_of_message(user, job, used),
    ]


@cache
def _used(periods: int) -> Executable:
    """Ask what a job has used, what of today could not be charged, and what each period has used.

    In one question, as each model call waits for the answer, and made once: to put it together
    takes longer than to have it answered.
    """
    job, user = bindparam("job", type_=Uuid()), bindparam("user", type_=Uuid())
    begins = (bindparam(f"begins_{at}", type_=DateTime(timezone=True)) for at in range(periods))
    return select(
        _spent(Transaction.job_id == job) + _held_by(job),
        write_offs.unchargeable_since(user, bindparam("today", type_=DateTime(timezone=True))),
        *(_spent_since(user, begin) for begin in begins),
    )


def tightest(found: list[Bound]) -> Bound:
    """Return the bound of what may be held that allows least; of equals the first.

    A message's own limit is none of them: it bounds what a call is likely to cost, and what is held
    is the most that it can.
    """
    held_by = (bound for bound in found if bound.code is not FailureCode.MESSAGE_LIMIT)
    return min(held_by, key=lambda bound: bound.left_micros)


def spent_since(db: Session, user_id: UUID, since: datetime) -> int:
    """Add up what was charged to a person since then and not given back, in micros."""
    return _sums(db, _spent_since(user_id, since))[0]


def spent(db: Session, *which: ColumnElement[bool]) -> int:
    """Add up what was charged by these entries and not given back by them, in micros."""
    return _sums(db, _spent(*which))[0]


def is_given_back() -> ColumnElement[bool]:
    """Say of a charge whether its refund is in the books, whenever that was."""
    refund = aliased(Transaction)
    # With the account PostgreSQL reads its few refunds once instead of looking for one by one.
    whose = refund.user_id == Transaction.user_id
    return select(refund.id).where(whose, refund.reverses_id == Transaction.id).exists()


@dataclass(frozen=True)
class _LimitedPeriod:
    """A day or month that its person has set a limit for."""

    limit_micros: int
    begins: datetime
    refusal: type[LimitReached]


def _limited_periods(user: User) -> list[_LimitedPeriod]:
    now = utc_now()
    found = (
        (user.month_limit_micros, month_of(user.timezone, now), MonthLimitReached),
        (user.day_limit_micros, day_of(user.timezone, now), DayLimitReached),
    )
    return [
        _LimitedPeriod(limit, period.begins, refusal)
        for limit, period, refusal in found
        if limit is not None
    ]


def _of_message(user: User, job: Job | None, used: int) -> list[Bound]:
    left = ((job.cost_limit_micros or message_limit(user)) - used) if job else None
    return [] if left is None else [Bound(FailureCode.MESSAGE_LIMIT, left, MessageLimitReached)]


def _of_periods(user: User, limited: list[_LimitedPeriod], used_in: list[int]) -> list[Bound]:
    return [
        Bound(
            one.refusal.failure_code,
            one.limit_micros - used - user.credits_held_micros,
            one.refusal,
        )
        for one, used in zip(limited, used_in, strict=True)
    ]


def _sums(db: Session, *wanted: ColumnElement[int]) -> list[int]:
    return [int(total) for total in db.execute(select(*wanted)).one()] if wanted else []


def _spent_since(
    user_id: UUID | BindParameter[UUID], since: datetime | BindParameter[datetime]
) -> ColumnElement[int]:
    """Subtract what was given back of these charges; of earlier ones it counts for their period.

    A charge goes back whole, and never before it was made: so the refunds since then are all that
    need be looked at. There are few, and each call to a model waits for this.
    """
    entry, charge, refund = (aliased(Transaction) for _ in range(3))
    charged = select(func.coalesce(func.sum(-entry.amount_micros), 0)).where(
        entry.user_id == user_id, entry.created_at >= since, entry.kind == EntryKind.CHARGE
    )
    given_back = (
        select(func.coalesce(func.sum(refund.amount_micros), 0))
        .join(charge, charge.id == refund.reverses_id)
        .where(
            refund.user_id == user_id,
            refund.created_at >= since,
            refund.kind == EntryKind.REFUND,
            refund.reason.is_not(None),
            charge.created_at >= since,
        )
    )
    return charged.scalar_subquery() - given_back.scalar_subquery()


def _spent(*which: ColumnElement[bool]) -> ColumnElement[int]:
    """Add up whole jobs or accounts, whose refunds are among these entries too."""
    total = select(func.coalesce(func.sum(-Transaction.amount_micros), 0))
    kinds = (EntryKind.CHARGE, EntryKind.REFUND)
    return total.where(Transaction.kind.in_(kinds), *which).scalar_subquery()


def _held_by(job_id: BindParameter[UUID]) -> ColumnElement[int]:
    held = select(func.coalesce(func.sum(ModelCall.held_micros), 0)).where(
        ModelCall.job_id == job_id, ModelCall.status == CallStatus.OPEN
    )
    return held.scalar_subquery()
