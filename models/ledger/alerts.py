"""Alerts: each told once, at half, three quarters and all of a limit, and at a low balance.

They are shown for as long as what they say is so, unless their person dismisses them before.
"""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.errors import NotFound
from models.ledger import limits, write_offs
from models.periods import Period, day_of, month_of
from models.schema.alerts import NEARLY, REACHED_BY, Alert, AlertKind
from models.schema.failure_codes import FailureCode
from models.schema.ledger import EntryKind, Transaction
from models.schema.users import User
from settings import get_settings

PERCENTS = (100, 75, 50)
# What brings no new credits.
NO_CREDIT = (EntryKind.CHARGE, EntryKind.REFUND, EntryKind.ABSORBED)


def raise_due(db: Session, user_id: UUID) -> list[Alert]:
    """Raise the alerts that a person's spending calls for by now; return the new ones.

    Whoever tells people by other ways too tells what is returned: each comes once.
    """
    user = ledger.lock_account(db, user_id)
    due = [*_of_limits(db, user), *_of_balance(db, user)]
    return [alert for alert in due if _is_new(db, alert)]


def raise_reached(db: Session, user_id: UUID, code: FailureCode) -> list[Alert]:
    """Raise the last alert of the limit at which a message ended; return it if it is new.

    What was left may have been too little for any answer: then it says that, and not used up.
    """
    user = ledger.lock_account(db, user_id)
    reached = [
        Alert(
            user_id=user.id,
            kind=kind,
            percent=100 if limits.spent_since(db, user.id, of.begins) >= limit else NEARLY,
            limit_micros=limit,
            period_begins=of.begins,
        )
        for kind, limit, of in _limits(user)
        if code is REACHED_BY[kind]
    ]
    return [alert for alert in reached if _is_new(db, alert)]


def raise_absorbed(db: Session, user_id: UUID, code: FailureCode | None = None) -> list[Alert]:
    """Raise the alert that we carry no more of a person's failures today; return it if it is new.

    It is due when charges stand, or when a message ended by that limit's `code`.
    """
    user, today = ledger.lock_account(db, user_id), write_offs.today_begins(utc_now())
    is_closed = code is FailureCode.ABSORBED_LIMIT
    is_due = is_closed or ledger.standing_micros(db, user.id, today) > 0
    alert = Alert(
        user_id=user.id,
        kind=AlertKind.ABSORBED,
        percent=100,
        limit_micros=get_settings().absorbed_daily_limit_micros,
        period_begins=today,
    )
    return [alert] if is_due and _is_new(db, alert) else []


def list_open(db: Session, user: User) -> list[Alert]:
    """List the alerts that a person has not dismissed and that still hold, a kind's newest each.

    One of a limit holds in its day or month, under the limit that it was about, while so much of it
    is spent; one of a low balance until credits come; one of what we carry for its day.
    """
    found = db.scalars(
        select(Alert)
        .where(Alert.user_id == user.id, Alert.dismissed_at.is_(None))
        .order_by(Alert.id)
    ).all()
    if not found:
        return []
    today = write_offs.today_begins(utc_now())
    limited = {(kind, limit, period.begins) for kind, limit, period in _limits(user)}
    reached = {one.about: one.percent for one in (*_of_limits(db, user), *_of_balance(db, user))}
    holding = (
        alert
        for alert in found
        if alert.percent <= reached.get(alert.about, 0)
        or (alert.percent == NEARLY and alert.about in limited)
        or (alert.kind is AlertKind.ABSORBED and alert.period_begins == today)
    )
    return list({alert.kind: alert for alert in holding}.values())


def dismiss(db: Session, user_id: UUID, alert_id: UUID) -> None:
    """Show an alert, and those of its kind before it, no more; raise NotFound for another's."""
    alert = db.scalar(select(Alert).where(Alert.id == alert_id, Alert.user_id == user_id))
    if alert is None:
        raise NotFound
    before = select(Alert).where(
        Alert.user_id == user_id,
        Alert.kind == alert.kind,
        Alert.id <= alert.id,
        Alert.dismissed_at.is_(None),
    )
    for one in db.scalars(before):
        one.dismissed_at = utc_now()
    db.flush()


def _limits(user: User) -> Iterator[tuple[AlertKind, int, Period]]:
    now = utc_now()
    if user.day_limit_micros is not None:
        yield AlertKind.DAY, user.day_limit_micros, day_of(user.timezone, now)
    if user.month_limit_micros is not None:
        yield AlertKind.MONTH, user.month_limit_micros, month_of(user.timezone, now)


def _of_limits(db: Session, user: User) -> Iterator[Alert]:
    """The highest step that each limit's spending has come to."""
    for kind, limit, period in _limits(user):
        spent = limits.spent_since(db, user.id, period.begins)
        step = next((percent for percent in PERCENTS if spent * 100 >= limit * percent), None)
        if step is not None:
            yield Alert(
                user_id=user.id,
                kind=kind,
                percent=step,
                limit_micros=limit,
                period_begins=period.begins,
            )


def _of_balance(db: Session, user: User) -> Iterator[Alert]:
    low = get_settings().low_balance_micros
    if user.credits_balance_micros >= low:
        return
    came_last = db.scalar(
        select(func.max(Transaction.created_at)).where(
            Transaction.user_id == user.id,
            Transaction.kind.not_in(NO_CREDIT),
            # What lapses or goes back brings none either.
            Transaction.amount_micros > 0,
        )
    )
    yield Alert(
        user_id=user.id,
        kind=AlertKind.BALANCE,
        percent=100,
        limit_micros=low,
        period_begins=came_last or user.created_at,
    )


def _is_new(db: Session, alert: Alert) -> bool:
    """Keep an alert of a locked account, unless this step or a higher one was told already."""
    known = db.scalar(
        select(Alert.id).where(
            Alert.user_id == alert.user_id,
            Alert.kind == alert.kind,
            Alert.period_begins == alert.period_begins,
            Alert.limit_micros == alert.limit_micros,
            Alert.percent >= alert.percent,
        )
    )
    if known is not None:
        return False
    db.add(alert)
    db.flush()
    return True
