"""Rolled-up numbers: the jobs and the ledger, added up by hour, by day, and by user and day.

The raw rows are the truth. A window of time is always added up anew as a whole and replaces what
was there, so adding up twice changes nothing, and everything can be made again from the raw rows.
A transaction may commit after later ones: each time the hours before are added up once more, and
each day the week before.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.ops import rollup_statements as statements
from models.periods import month_floor, next_month
from models.schema.rollups import Rollup, RollupRun, UserDay
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
TABLES = (
    *("hour_totals", "day_totals", "split_days", "user_days"),
    *("user_months", "cohort_months", "user_model_months", "funnel_days"),
)


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
    if is_done:
        today = _floor(now, DAY)
        lately = {"today": today, "week": today - 6 * DAY, "month": today - 29 * DAY}
        db.execute(statements.LATELY_ACTIVE, lately)
    return is_done


def roll_months(db: Session, now: datetime) -> bool:
    """Once a day, add up from the raw rows what is looked at by months alone; always True.

    A month is gone over for a week after its end, for rows that were committed late. What users
    keep is measured while it runs, and once after its end: files that are deleted later leave no
    row behind that tells how it was then.
    """
    _lock(db)
    rolled = _rolled_until(db, Rollup.MONTHS)
    begins = rolled - LATE if rolled else db.scalar(select(func.min(User.created_at)))
    if begins is None or (rolled and _floor(rolled, DAY) == _floor(now, DAY)):
        return True
    since = month_floor(begins)
    while since <= now:
        until = next_month(since)
        window = {"since": since, "until": until}
        _delete(db, "user_model_months", window)
        db.execute(statements.USER_MODEL_MONTHS, window)
        if rolled is None or rolled < until:
            _measure_storage(db, window)
        since = until
    _note(db, Rollup.MONTHS, now)
    return True


def _measure_storage(db: Session, window: dict[str, datetime]) -> None:
    for statement in (statements.NO_STORAGE, statements.STORAGE, statements.EMPTY_MONTHS):
        db.execute(statement, window)


def begin_window(
    db: Session, rollup: Rollup, now: datetime, longest: timedelta
) -> tuple[datetime, datetime] | None:
    """Return from when until when something is to be gathered next, under the lock of rollups.

    None before there is anybody.
    """
    _lock(db)
    rolled = _rolled_until(db, rollup)
    begins = rolled - OVERLAP if rolled else db.scalar(select(func.min(User.created_at)))
    return None if begins is None else (begins, min(begins + longest, now + OVERLAP))


def end_window(db: Session, rollup: Rollup, until: datetime) -> None:
    """Note until when it was gathered."""
    _note(db, rollup, until)


def forget(db: Session) -> None:
    """Drop all numbers, so that they are added up from the beginning."""
    _lock(db)
    for table in (*TABLES, "rollup_runs"):
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
        db.execute(statements.HOURS, {**window, "width": HOUR})
        return
    touched = _users_of(db, window)
    for table in ("user_days", "day_totals", "split_days"):
        _delete(db, table, window)
    for statement in (statements.USER_DAYS, statements.DAYS, statements.SPLIT_DAYS):
        db.execute(statement, {**window, "width": DAY})
    db.execute(statements.ACTIVATION, {"since": since - COHORT, "until": until, "width": DAY})
    _replace_months(db, touched | _users_of(db, window), since, until)


def _users_of(db: Session, window: dict[str, datetime]) -> set[UUID]:
    had = UserDay.begins_at >= window["since"], UserDay.begins_at < window["until"]
    return set(db.scalars(select(UserDay.user_id).where(*had).distinct()))


def _replace_months(db: Session, users: set[UUID], since: datetime, until: datetime) -> None:
    """Add the months up again in which the days of these users have changed."""
    window = {"since": month_floor(since), "until": next_month(until - DAY)}
    of_users = {**window, "users": list(users)}
    db.execute(statements.USER_MONTHS, of_users)
    db.execute(statements.CLEARED_MONTHS, of_users)
    db.execute(statements.LEFT_MONTHS, of_users)
    _delete(db, "cohort_months", window)
    db.execute(statements.COHORT_MONTHS, window)


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


def day_floor(moment: datetime) -> datetime:
    """Return when the day of UTC began."""
    return _floor(moment, DAY)


def _floor(moment: datetime, width: timedelta) -> datetime:
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    return moment - (moment - epoch) % width
