"""The steps of users, gathered by the clock from the rows that prove them, and handed on.

Nobody has to remember to write one down: who has verified an address, has an answer or has paid is
in the tables. Each user takes each step once, and the first time counts. The events have codes and
times, and nothing that anybody wrote.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from models.base import new_id
from models.ops import rollups
from models.schema.product_events import FunnelDay, ProductEvent, ProductEventKind
from models.schema.rollups import Rollup

DAY = timedelta(days=1)
# So much is gathered in one transaction.
CHUNK = 31 * DAY

_FIRSTS = text("""
    SELECT id AS user_id, 'signed_up' AS kind, created_at AS happened_at FROM users
    WHERE created_at >= :since AND created_at < :until
    UNION ALL
    SELECT id, 'verified', email_verified_at FROM users
    WHERE email_verified_at >= :since AND email_verified_at < :until
    UNION ALL
    SELECT id, 'onboarded', onboarded_at FROM users
    WHERE onboarded_at >= :since AND onboarded_at < :until
    UNION ALL
    SELECT user_id, 'first_message', min(created_at) FROM jobs
    WHERE created_at >= :since AND created_at < :until GROUP BY 1
    UNION ALL
    SELECT user_id, 'first_answer', min(finished_at) FROM jobs
    WHERE finished_at >= :since AND finished_at < :until AND status = 'completed' GROUP BY 1
    UNION ALL
    SELECT user_id, 'messenger_linked', min(linked_at) FROM channel_accounts
    WHERE linked_at >= :since AND linked_at < :until GROUP BY 1
    UNION ALL
    SELECT user_id, 'first_reminder', min(created_at) FROM reminders
    WHERE created_at >= :since AND created_at < :until GROUP BY 1
    UNION ALL
    SELECT user_id, 'first_top_up', min(created_at) FROM transactions
    WHERE created_at >= :since AND created_at < :until AND kind = 'top_up' GROUP BY 1
""")
_NOT_KNOWN = text("""
    SELECT firsts.user_id, firsts.kind, firsts.happened_at FROM (
        SELECT * FROM unnest(
            CAST(:users AS uuid[]), CAST(:kinds AS text[]), CAST(:moments AS timestamptz[])
        ) AS given (user_id, kind, happened_at)
    ) AS firsts WHERE NOT EXISTS (
        SELECT 1 FROM product_events AS known
        WHERE known.user_id = firsts.user_id AND known.kind = firsts.kind
    )
""")
_FUNNEL = text("""
    INSERT INTO funnel_days (begins_at, kind, users)
    SELECT date_bin('1 day', came.happened_at, TIMESTAMPTZ '2000-01-01 00:00Z'), step.kind, count(*)
    FROM product_events AS came JOIN product_events AS step ON step.user_id = came.user_id
    WHERE came.kind = 'signed_up' AND came.happened_at >= :since AND came.happened_at < :until
    AND date_bin('1 day', came.happened_at, TIMESTAMPTZ '2000-01-01 00:00Z')
        = ANY(CAST(:days AS timestamptz[]))
    GROUP BY 1, 2
""")


def gather(db: Session, now: datetime) -> bool:
    """Gather the steps since the last time; tell whether all are, and else call it again."""
    window = rollups.begin_window(db, Rollup.EVENTS, now, CHUNK)
    if window is None:
        return True
    since, until = window
    touched = _add(db, since, until)
    _count_again(db, touched, since, until)
    rollups.end_window(db, Rollup.EVENTS, min(until, now))
    return until > now


def read_funnel(db: Session, since: datetime, until: datetime) -> Mapping[ProductEventKind, int]:
    """Count who signed up in these days of UTC, and took each of the steps by now."""
    wanted = select(FunnelDay.kind, func.sum(FunnelDay.users)).where(
        FunnelDay.begins_at >= since, FunnelDay.begins_at < until
    )
    found = dict(db.execute(wanted.group_by(FunnelDay.kind)).all())
    return {kind: int(found.get(kind, 0)) for kind in ProductEventKind}


def count_funnel(db: Session, since: datetime, until: datetime) -> Mapping[ProductEventKind, int]:
    """Do so for any moments, one user after another: for ranges of days, not of years."""
    came, step = aliased(ProductEvent), aliased(ProductEvent)
    wanted = (
        select(step.kind, func.count())
        .join(came, came.user_id == step.user_id)
        .where(*_signed_up(came, since, until))
    )
    found = dict(db.execute(wanted.group_by(step.kind)).all())
    return {kind: int(found.get(kind, 0)) for kind in ProductEventKind}


def count_newcomers(db: Session, since: datetime, until: datetime) -> tuple[int, int]:
    """Count who signed up then, and who of them wrote within a day."""
    came, wrote = aliased(ProductEvent), aliased(ProductEvent)
    soon = and_(
        wrote.user_id == came.user_id,
        wrote.kind == ProductEventKind.FIRST_MESSAGE,
        wrote.happened_at < came.happened_at + DAY,
    )
    wanted = select(func.count(), func.count(wrote.id)).select_from(came).outerjoin(wrote, soon)
    newcomers, activated = db.execute(wanted.where(*_signed_up(came, since, until))).one()
    return newcomers, activated


def _signed_up(
    came: type[ProductEvent], since: datetime, until: datetime
) -> Sequence[ColumnElement[bool]]:
    return (
        came.kind == ProductEventKind.SIGNED_UP,
        came.happened_at >= since,
        came.happened_at < until,
    )


def lock_new(db: Session, limit: int) -> Sequence[ProductEvent]:
    """Lock events that were not handed on yet; whom another one has just now are passed over."""
    wanted = select(ProductEvent).where(ProductEvent.forwarded_at.is_(None))
    locked = wanted.order_by(ProductEvent.id).limit(limit).with_for_update(skip_locked=True)
    return db.scalars(locked).all()


def note_forwarded(db: Session, ids: Collection[UUID], now: datetime) -> None:
    """Note that the analytics service took these."""
    db.execute(update(ProductEvent).where(ProductEvent.id.in_(ids)).values(forwarded_at=now))


def _add(db: Session, since: datetime, until: datetime) -> set[UUID]:
    """Write the steps that are new, and return whose they are."""
    firsts = db.execute(_FIRSTS, {"since": since, "until": until}).all()
    given = {
        "users": [one.user_id for one in firsts],
        "kinds": [one.kind for one in firsts],
        "moments": [one.happened_at for one in firsts],
    }
    rows = [
        {"id": new_id(), "user_id": user_id, "kind": kind, "happened_at": at}
        for user_id, kind, at in db.execute(_NOT_KNOWN, given)
    ]
    if rows:
        db.execute(insert(ProductEvent).on_conflict_do_nothing(), rows)
    return {row["user_id"] for row in rows}


def _count_again(db: Session, users: Collection[UUID], since: datetime, until: datetime) -> None:
    """Count the steps again of those who signed up in this time, or on a day of one of these."""
    signed_up = select(ProductEvent.happened_at).where(
        ProductEvent.kind == ProductEventKind.SIGNED_UP,
        or_(
            ProductEvent.user_id.in_(users),
            and_(ProductEvent.happened_at >= since, ProductEvent.happened_at < until),
        ),
    )
    days = {rollups.day_floor(at) for at in db.scalars(signed_up)}
    if not days:
        return
    db.execute(delete(FunnelDay).where(FunnelDay.begins_at.in_(days)))
    db.execute(_FUNNEL, {"days": sorted(days), "since": min(days), "until": max(days) + DAY})
