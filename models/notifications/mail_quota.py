"""How many mails of notifications a user gets in a day of theirs; what is more is collected."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from models.periods import day_of
from models.schema.notifications import Notification
from models.schema.users import User
from settings import get_settings

# Always in the same order, so that no two who mail many users wait for each other.
_LOCK = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('notification mail ' || id, 0))
    FROM (SELECT unnest(:ids) AS id ORDER BY 1) AS users
""").bindparams(bindparam("ids", type_=ARRAY(Text())))
# Days are longer when clocks are put back.
LONGEST_DAY = timedelta(hours=26)


def take(db: Session, users: Collection[User], now: datetime) -> dict[UUID, int]:
    """Return how many more mails each of these users may get today.

    Nobody else mails them a notification until `db` has committed.
    """
    days = {user.id: day_of(user.timezone, now).begins for user in users}
    db.execute(_LOCK, {"ids": sorted(map(str, days))})
    mailed = db.execute(
        select(Notification.user_id, Notification.mailed_at).where(
            Notification.user_id.in_(days), Notification.mailed_at >= now - LONGEST_DAY
        )
    )
    left = dict.fromkeys(days, get_settings().notification_mails_a_day)
    for user_id, mailed_at in mailed:
        left[user_id] -= mailed_at is not None and mailed_at >= days[user_id]
    return left
