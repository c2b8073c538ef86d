"""What is missing before an update that came in, where a messenger numbers them without gaps."""

from datetime import timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from models.database import clock
from models.schema.channels import ChannelUpdate, UpdateStatus

# So long an update waits for one with a smaller number that may still be on its way: while the door
# was open, as later ones came in, and at the most, as the door may have been closed all the while.
GAP = timedelta(seconds=2)
OPEN_FOR = timedelta(seconds=1)
LONGEST_GAP = timedelta(seconds=10)
NEXT_LOOK = timedelta(seconds=1)
# Where so many are missing, the messenger has begun to count anew.
MOST_MISSING = 1_000
# Marks in the details of an update that it waits for another one.
AWAITS = "awaits"

# What came in before `settled` waits for nothing any more. The newest number shows how lately the
# door was open.
_MISSING = text("""
    WITH door AS (
        SELECT greatest(
            least(
                clock_timestamp() - :gap,
                (SELECT received_at FROM channel_updates
                 WHERE channel = :channel AND number IS NOT NULL
                 ORDER BY number DESC LIMIT 1) - :open_for
            ),
            clock_timestamp() - :longest
        ) AS settled
    ), floor AS (
        SELECT coalesce(
            (SELECT number FROM channel_updates, door
             WHERE channel = :channel AND number < :number AND received_at <= settled
             ORDER BY number DESC LIMIT 1),
            (SELECT min(number) FROM channel_updates WHERE channel = :channel)
        ) AS number
    ), missing AS (
        SELECT :number - floor.number - 1 - count(come.number) AS count
        FROM floor LEFT JOIN channel_updates AS come
            ON come.channel = :channel AND come.number > floor.number AND come.number < :number
        GROUP BY floor.number
    )
    SELECT settled < :received_at AND count BETWEEN 1 AND :most FROM door, missing
""")


def has_gap(db: Session, new: ChannelUpdate) -> bool:
    """Tell whether an update with a smaller number may still be on its way."""
    if new.number is None:
        return False
    given = {
        "gap": GAP,
        "open_for": OPEN_FOR,
        "longest": LONGEST_GAP,
        "channel": new.channel,
        "number": new.number,
        "received_at": new.received_at,
        "most": MOST_MISSING,
    }
    return bool(db.scalar(_MISSING, given))


def await_gap(db: Session, new: ChannelUpdate) -> None:
    """Let an update wait until what is missing before it should have come."""
    new.ready_at = max(new.received_at + GAP, clock(db) + NEXT_LOOK)
    new.details = {**new.details, AWAITS: True}


def hasten(db: Session, new: ChannelUpdate) -> None:
    """Let those look again that may have waited for this update."""
    if new.number is None:
        return
    # Whoever is at one of them looks anyway; to wait for them could be for ever.
    waiting = (
        select(ChannelUpdate.id)
        .where(
            ChannelUpdate.channel == new.channel,
            ChannelUpdate.number > new.number,
            ChannelUpdate.status == UpdateStatus.WAITING,
            ChannelUpdate.attempts == 0,
            ChannelUpdate.details.has_key(AWAITS),
        )
        .with_for_update(skip_locked=True)
    )
    db.execute(
        update(ChannelUpdate)
        .where(ChannelUpdate.id.in_(waiting))
        .values(ready_at=func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
