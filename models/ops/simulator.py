"""A month that is over, once more at other prices: what we would have earned, and who had run dry.

It begins with the books and changes only what a scenario changes, user by user: what their calls
cost, what they were charged, and what they were given for signing up. Everything else stays as it
was: who wrote, how much, and what they paid in. Whose credits had not been enough then writes less,
by as much as was missing at the month's end. So a scenario that changes nothing has the books'
numbers, to the micro-dollar.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Subquery,
    Uuid,
    case,
    cast,
    column,
    func,
    literal,
    select,
    text,
    true,
)
from sqlalchemy.orm import Session

from models.ops import profit, switches
from models.ops.profit import NAMES, Amounts, Rows
from models.schema.rollups import UserMonth
from models.schema.users import User

MOST = 25


@dataclass(frozen=True)
class Rate:
    """What a token costs us, in micro-dollars."""

    tokens_in: Decimal
    tokens_out: Decimal
    tokens_cache_read: Decimal
    tokens_cache_write: Decimal


@dataclass(frozen=True)
class Scenario:
    """What is to be otherwise; None leaves it as it was."""

    margin_percent: int | None = None
    # Who answers users that chose no model.
    default_model: str | None = None
    sign_up_grant_micros: int | None = None
    # Of all input, how much is read from the provider's cache.
    cached_percent: int | None = None


@dataclass(frozen=True)
class RunDry:
    """A user whose credits had not been enough, and what was missing."""

    user_id: UUID
    email: str
    name: str
    missing_micros: int


@dataclass(frozen=True)
class Outcome:
    """What becomes of the month; of calls without a price the cost stays as it was."""

    amounts: Amounts
    dry_users: int
    missing_micros: int
    unpriced_calls: int
    dry: Sequence[RunDry]


# By how much the calls of each user would have cost and been charged otherwise.
_CALLS = """
    SELECT used.user_id, sum(charge_micros - used.charged_micros)::bigint AS charged_more,
           sum(cost.micros - used.cost_micros)::bigint AS cost_more,
           sum(CASE WHEN is_changed AND rate.model IS NULL THEN calls ELSE 0 END)::bigint
               AS unpriced_calls
    FROM user_model_months AS used
    JOIN users ON users.id = used.user_id
    CROSS JOIN LATERAL (
        SELECT used.model <> ALL (CAST(:besides AS text[])) AS is_answer
    ) AS asked
    CROSS JOIN LATERAL (
        SELECT CASE WHEN users.model IS NULL AND is_answer
                    THEN coalesce(CAST(:default_model AS text), used.model)
                    ELSE used.model END AS model
    ) AS answers
    CROSS JOIN LATERAL (
        SELECT answers.model <> used.model
                   OR (CAST(:cached_percent AS bigint) IS NOT NULL AND is_answer)
            AS is_changed, tokens_in + tokens_cache_read + tokens_cache_write AS input
    ) AS whole
    CROSS JOIN LATERAL (
        SELECT coalesce(input * CAST(:cached_percent AS bigint) / 100, tokens_cache_read) AS read
    ) AS cached
    CROSS JOIN LATERAL (
        SELECT coalesce((input - read) * tokens_cache_write
                        / nullif(tokens_in + tokens_cache_write, 0), 0) AS written
    ) AS fresh
    LEFT JOIN (
        SELECT * FROM unnest(
            CAST(:models AS text[]), CAST(:tokens_in AS numeric[]), CAST(:tokens_out AS numeric[]),
            CAST(:tokens_cache_read AS numeric[]), CAST(:tokens_cache_write AS numeric[])
        ) AS known (model, for_in, for_out, for_read, for_written)
    ) AS rate ON rate.model = answers.model
    CROSS JOIN LATERAL (
        SELECT CASE WHEN is_changed AND rate.model IS NOT NULL
            THEN ceil((input - read - written) * for_in + tokens_out * for_out
                      + read * for_read + written * for_written)
            ELSE used.cost_micros END AS micros
    ) AS cost
    CROSS JOIN LATERAL (
        SELECT coalesce(nullif(used.margin_percent, 0), :usual_margin) AS had
    ) AS margin
    CROSS JOIN LATERAL (
        SELECT ceil(charged_micros * coalesce(cost.micros / nullif(cost_micros, 0)::numeric, 1)
                    * (100 - had) / (100 - coalesce(CAST(:margin_percent AS bigint), had)))
            AS charge_micros
    ) AS charge
    WHERE used.begins_at = :month
    GROUP BY used.user_id
"""


def replay(
    db: Session,
    month: datetime,
    scenario: Scenario,
    rates: Mapping[str, Rate],
    *,
    besides: Collection[str] = (),
) -> Outcome:
    """Live the month that begins then through once more; `rates` prices tokens by model.

    `besides` are no models that answer, such as those who search the web: their calls stay.
    """
    # Of charges that name no margin it is that of today.
    usual_margin = switches.current(db).margin_percent
    calls = _calls(month, scenario, rates, besides, usual_margin)
    users = _users(month, scenario, calls).cte("users_then")
    sums, dry = _sums(users).subquery(), _dry(users).subquery()
    # In one statement, as all users are gone through for either.
    wanted: Rows = select(sums, dry).join(dry, true(), isouter=True).order_by(dry.c.place)
    rows = db.execute(wanted).all()
    *amounts, dry_users, missing, unpriced = map(int, rows[0][: len(sums.c)])
    run_dry = [RunDry(*row[len(sums.c) + 1 :]) for row in rows if dry_users]
    return Outcome(Amounts(*amounts), dry_users, missing, unpriced, run_dry)


def models_of(db: Session, month: datetime) -> Sequence[str]:
    """List the models that answered anything in that month."""
    wanted = text("SELECT DISTINCT model FROM user_model_months WHERE begins_at = :month")
    return sorted(db.scalars(wanted, {"month": month}))


def _sums(users: CTE) -> Rows:
    """Add up the columns of `Amounts`, and say how many had run dry and what was missing."""
    sums = (cast(func.coalesce(func.sum(users.c[name]), 0), BigInteger) for name in NAMES)
    others = (
        cast(func.coalesce(func.sum(users.c[name]), 0), BigInteger)
        for name in ("missing", "unpriced_calls")
    )
    return select(*sums, func.count().filter(users.c.missing > 0), *others)


def _dry(users: CTE) -> Rows:
    """Have a row for each of those who missed most, with their place among them."""
    order = (users.c.missing.desc(), users.c.user_id)
    most = (
        select(
            users.c.user_id, users.c.missing, func.row_number().over(order_by=order).label("place")
        )
        .where(users.c.missing > 0)
        .order_by(*order)
        .limit(MOST)
        .subquery()
    )
    return select(most.c.place, User.id, User.email, User.name, most.c.missing).join(
        most, most.c.user_id == User.id
    )


def _users(month: datetime, scenario: Scenario, calls: Subquery) -> Rows:
    """Have a row for each user of the month, with the columns of `Amounts` as they become."""
    ends = _ends(month)
    had = profit.by_user(month).add_columns(UserMonth.sign_up_granted_micros).subquery()
    charged_more = func.coalesce(calls.c.charged_more, 0)
    given_more = _given_more(had.c.sign_up_granted_micros, scenario)
    charged = had.c.revenue_micros + had.c.free_credit_micros
    wants = charged + charged_more
    missing = func.greatest(
        func.least(charged_more - given_more - ends.c.closing, wants), literal(0, BigInteger)
    )
    cost = had.c.cost_micros + func.coalesce(calls.c.cost_more, 0)
    walked = (
        select(
            *(had.c[name] for name in ("user_id", *NAMES) if name != "cost_micros"),
            (cost - case((wants > 0, cost * missing / wants), else_=0)).label("cost_micros"),
            charged.label("charged"),
            (wants - missing).label("spent"),
            given_more.label("given_more"),
            missing.label("missing"),
            ends.c.closing_granted,
            func.coalesce(calls.c.unpriced_calls, 0).label("unpriced_calls"),
        )
        .join(calls, calls.c.user_id == had.c.user_id, isouter=True)
        .join(ends, ends.c.user_id == had.c.user_id)
        .subquery()
    )
    return _split(walked)


def _split(walked: Subquery) -> Rows:
    """Divide what is spent between granted credits, which are used first, and bought ones."""
    here = walked.c
    free = func.greatest(
        func.least(
            here.spent,
            here.free_credit_micros
            + func.greatest(here.given_more, 0)
            + func.greatest(here.spent - here.charged, 0),
            here.free_credit_micros + here.closing_granted + here.given_more,
        ),
        0,
    )
    as_it_was = (
        here[name] for name in NAMES if name not in {"revenue_micros", "free_credit_micros"}
    )
    return select(
        here.user_id,
        *as_it_was,
        (here.spent - free).label("revenue_micros"),
        free.label("free_credit_micros"),
        here.missing,
        here.unpriced_calls,
    )


def _calls(
    month: datetime,
    scenario: Scenario,
    rates: Mapping[str, Rate],
    besides: Collection[str],
    usual_margin: int,
) -> Subquery:
    priced = {
        name: [str(getattr(rate, name)) for rate in rates.values()]
        for name in ("tokens_in", "tokens_out", "tokens_cache_read", "tokens_cache_write")
    }
    values: dict[str, object] = {
        "month": month,
        "usual_margin": usual_margin,
        "margin_percent": scenario.margin_percent,
        "default_model": scenario.default_model,
        "cached_percent": scenario.cached_percent,
        "models": list(rates),
        "besides": list(besides),
        **priced,
    }
    bound = text(_CALLS).bindparams(**values)
    numbers = ("charged_more", "cost_more", "unpriced_calls")
    named = bound.columns(
        column("user_id", Uuid()), *(column(one, BigInteger()) for one in numbers)
    )
    return named.subquery()


def _ends(month: datetime) -> Subquery:
    """What each user had at the end of the month, and the granted part of it."""
    sums = {"closing": UserMonth.moved_micros, "closing_granted": UserMonth.moved_granted_micros}
    there = select(UserMonth.user_id).where(UserMonth.begins_at == month)
    return (
        select(
            UserMonth.user_id,
            *(cast(func.sum(one), BigInteger).label(name) for name, one in sums.items()),
        )
        .where(UserMonth.begins_at <= month, UserMonth.user_id.in_(there))
        .group_by(UserMonth.user_id)
        .subquery()
    )


def _given_more(was: ColumnElement[int], scenario: Scenario) -> ColumnElement[int]:
    """Say how much more each newcomer gets who was given anything for signing up."""
    if scenario.sign_up_grant_micros is None:
        return literal(0, BigInteger)
    grant = literal(scenario.sign_up_grant_micros, BigInteger)
    return case((was > 0, grant - was), else_=literal(0, BigInteger))
