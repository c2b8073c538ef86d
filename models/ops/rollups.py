"""Rolled-up numbers: the jobs and the ledger, added up by hour, by day, and by user and day.

The raw rows are the truth. A window of time is always added up anew as a whole and replaces what
was there, so adding up twice changes nothing, and everything can be made again from the raw rows.
A transaction may commit after later ones: each time the hours before are added up once more, and
each day the week before.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.schema.rollups import Rollup, RollupRun
from models.schema.users import User

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# What was written late is found within this, at the next turn of the clock.
OVERLAP = 2 * HOUR
# What was written later still, at the next change of the day.
LATE = 7 * DAY
# Somebody who signed up so long ago may still come back in their second week.
COHORT = 15 * DAY
# So much is added up in one transaction.
CHUNK = 31 * DAY
LOCK = 7_305_118

_MONEY = """
    coalesce(-sum(amount_micros - promotional_micros)
        FILTER (WHERE kind IN ('charge', 'refund')), 0)
        AS revenue_micros,
    coalesce(-sum(promotional_micros) FILTER (WHERE kind IN ('charge', 'refund')), 0)
        AS free_credit_micros,
    coalesce(sum(provider_cost_micros)
        FILTER (WHERE kind = 'charge' OR kind = 'absorbed' AND NOT is_of_payments), 0)
        AS cost_micros,
    coalesce(sum(amount_micros) FILTER (WHERE kind = 'refund'), 0) AS given_back_micros,
    coalesce(sum(carried_micros) FILTER (WHERE NOT is_of_payments), 0) AS absorbed_micros,
    coalesce(sum(amount_micros) FILTER (WHERE kind = 'top_up'), 0) AS topped_up_micros,
    count(*) FILTER (WHERE kind = 'top_up') AS top_ups,
    coalesce(sum(CASE WHEN is_of_payments THEN carried_micros ELSE -amount_micros END)
        FILTER (WHERE is_of_payments OR kind IN ('payment_refund', 'chargeback')
                OR kind = 'adjustment' AND reverses_id IS NOT NULL), 0) AS refunds_micros,
    coalesce(sum(carried_micros) FILTER (WHERE is_of_payments), 0) AS gone_micros,
    coalesce(sum(amount_micros) FILTER (WHERE kind = 'grant'), 0) AS granted_micros"""
# What is added up of jobs and of the ledger, by the names of the columns.
SUMS = (
    *("messages", "answered", "failed", "cancelled", "busy_ms", "revenue_micros"),
    *("free_credit_micros", "cost_micros", "given_back_micros", "absorbed_micros"),
    *("topped_up_micros", "top_ups", "refunds_micros", "gone_micros", "granted_micros"),
)
_BEGIN = "date_bin(CAST(:width AS interval), {at}, TIMESTAMPTZ '2000-01-01 00:00Z') AS begins_at"
_WINDOW = "{at} >= :since AND {at} < :until"


def _at(pattern: str, column: str) -> str:
    return pattern.format(at=column)


# One row for each user and part of the window in which there was anything of theirs.
_PARTS = f"""
    asked AS (
        SELECT {_at(_BEGIN, "created_at")}, user_id, count(*) AS messages
        FROM jobs WHERE {_at(_WINDOW, "created_at")} GROUP BY 1, 2
    ), ended AS (
        SELECT {_at(_BEGIN, "finished_at")}, user_id,
               count(*) FILTER (WHERE status = 'completed') AS answered,
               count(*) FILTER (WHERE status = 'failed') AS failed,
               count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               coalesce(sum(floor(extract(epoch FROM finished_at - started_at) * 1000))::bigint, 0)
                   AS busy_ms
        FROM jobs WHERE {_at(_WINDOW, "finished_at")} GROUP BY 1, 2
    ), entries AS (
        SELECT {_at(_BEGIN, "created_at")}, user_id, {_MONEY}
        FROM (SELECT *, coalesce(reason IN ('credits_gone', 'credits_back'), false)
                        AS is_of_payments FROM transactions) AS entry
        WHERE {_at(_WINDOW, "created_at")} GROUP BY 1, 2
    ), parts AS (
        SELECT begins_at, user_id, {", ".join(f"coalesce({name}, 0) AS {name}" for name in SUMS)}
        FROM asked FULL JOIN ended USING (begins_at, user_id)
        FULL JOIN entries USING (begins_at, user_id)
    )"""  # noqa: S608  # only words of our own
_NAMES = ", ".join(SUMS)
_HOURS = text(f"""
    WITH {_PARTS}, newcomers AS (
        SELECT {_at(_BEGIN, "created_at")}, count(*) AS sign_ups
        FROM users WHERE {_at(_WINDOW, "created_at")} GROUP BY 1
    ), sums AS (
        SELECT begins_at, count(*) FILTER (WHERE messages > 0) AS active_users,
               {", ".join(f"sum({name}) AS {name}" for name in SUMS)}
        FROM parts GROUP BY begins_at
    )
    INSERT INTO hour_totals (begins_at, sign_ups, active_users, {_NAMES})
    SELECT begins_at, coalesce(sign_ups, 0), coalesce(active_users, 0),
           {", ".join(f"coalesce({name}, 0)" for name in SUMS)}
    FROM sums FULL JOIN newcomers USING (begins_at)
""")  # noqa: S608
_USER_DAYS = text(f"""
    WITH {_PARTS}
    INSERT INTO user_days (begins_at, user_id, {_NAMES})
    SELECT begins_at, user_id, {_NAMES} FROM parts
""")  # noqa: S608
_DAYS = text(f"""
    WITH newcomers AS (
        SELECT {_at(_BEGIN, "created_at")}, count(*) AS sign_ups
        FROM users WHERE {_at(_WINDOW, "created_at")} GROUP BY 1
    ), sums AS (
        SELECT begins_at, count(*) FILTER (WHERE messages > 0) AS active_users,
               {", ".join(f"sum({name}) AS {name}" for name in SUMS)}
        FROM user_days WHERE begins_at >= :since AND begins_at < :until GROUP BY begins_at
    )
    INSERT INTO day_totals (begins_at, sign_ups, active_users, {_NAMES})
    SELECT begins_at, coalesce(sign_ups, 0), coalesce(active_users, 0),
           {", ".join(f"coalesce({name}, 0)" for name in SUMS)}
    FROM sums FULL JOIN newcomers USING (begins_at)
""")  # noqa: S608
_COHORTS = text(f"""
    WITH newcomers AS (
        SELECT {_at(_BEGIN, "users.created_at")}, EXISTS (
                   SELECT 1 FROM jobs WHERE jobs.user_id = users.id
                   AND jobs.created_at < users.created_at + interval '1 day'
               ) AS is_activated, EXISTS (
                   SELECT 1 FROM jobs WHERE jobs.user_id = users.id
                   AND jobs.created_at >= users.created_at + interval '7 days'
                   AND jobs.created_at < users.created_at + interval '14 days'
               ) AS has_returned
        FROM users WHERE {_at(_WINDOW, "users.created_at")}
    )
    UPDATE day_totals SET activated_users = cohort.activated, returned_users = cohort.returned
    FROM (
        SELECT begins_at, count(*) FILTER (WHERE is_activated) AS activated,
               count(*) FILTER (WHERE has_returned) AS returned
        FROM newcomers GROUP BY begins_at
    ) AS cohort
    WHERE cohort.begins_at = day_totals.begins_at
""")  # noqa: S608


def roll_hours(db: Session, now: datetime) -> bool:
    """Add up the hours since the last time; tell whether all is added up to now.

    A long backlog is taken in chunks: call it again. The caller commits each.
    """
    return _roll(db, Rollup.HOURS, now, HOUR)


def roll_days(db: Session, now: datetime) -> bool:
    """Do so with the days; with the first of a new day the week before is added up once more."""
    is_done = _roll(db, Rollup.DAYS, now, DAY)
    if is_done and _floor(_rolled_until(db, Rollup.LATE) or now - DAY, DAY) < _floor(now, DAY):
        late = _floor(now, DAY) - LATE
        _replace(db, Rollup.HOURS, late, _floor(now, HOUR))
        _replace(db, Rollup.DAYS, late, _floor(now, DAY) + DAY)
        _note(db, Rollup.LATE, now)
    return is_done


def forget(db: Session) -> None:
    """Drop all numbers, so that they are added up from the beginning."""
    _lock(db)
    for table in ("hour_totals", "day_totals", "user_days", "rollup_runs"):
        db.execute(text(f"DELETE FROM {table}"))  # noqa: S608


def _roll(db: Session, rollup: Rollup, now: datetime, width: timedelta) -> bool:
    _lock(db)
    rolled = _rolled_until(db, rollup)
    begins = rolled - OVERLAP if rolled else db.scalar(select(func.min(User.created_at)))
    if begins is None:
        return True
    # What a host with a fast clock has written is a little ahead of ours.
    end = _floor(now + OVERLAP, width) + width
    since = _floor(begins, width)
    until = min(since + CHUNK, end)
    _replace(db, rollup, since, until)
    _note(db, rollup, min(until, now))
    return until == end


def _replace(db: Session, rollup: Rollup, since: datetime, until: datetime) -> None:
    window = {"since": since, "until": until}
    if rollup is Rollup.HOURS:
        _delete(db, "hour_totals", window)
        db.execute(_HOURS, {**window, "width": HOUR})
        return
    _delete(db, "user_days", window)
    _delete(db, "day_totals", window)
    db.execute(_USER_DAYS, {**window, "width": DAY})
    db.execute(_DAYS, {**window, "width": DAY})
    db.execute(_COHORTS, {"since": since - COHORT, "until": until, "width": DAY})


def _delete(db: Session, table: str, window: dict[str, datetime]) -> None:
    statement = f"DELETE FROM {table} WHERE begins_at >= :since AND begins_at < :until"  # noqa: S608
    db.execute(text(statement), window)


def _lock(db: Session) -> None:
    # Of two clocks the second waits and finds that all is done.
    db.execute(select(func.pg_advisory_xact_lock(LOCK)))


def rolled_until(db: Session) -> datetime | None:
    """Tell up to when the hours are added up; None if they never were."""
    return _rolled_until(db, Rollup.HOURS)


def _rolled_until(db: Session, rollup: Rollup) -> datetime | None:
    return db.scalar(select(RollupRun.rolled_until).where(RollupRun.rollup == rollup))


def _note(db: Session, rollup: Rollup, until: datetime) -> None:
    run = insert(RollupRun).values(rollup=rollup, rolled_until=until)
    db.execute(
        run.on_conflict_do_update(
            index_elements=[RollupRun.rollup], set_={"rolled_until": run.excluded.rolled_until}
        )
    )


def _floor(moment: datetime, width: timedelta) -> datetime:
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    return moment - (moment - epoch) % width
