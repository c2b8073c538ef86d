"""Whether a user may send, and where in the queue there is room for a further job of theirs."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from models import ledger
from models.errors import Refused
from models.jobs import lanes
from models.jobs.closures import AccountClosing, UnderMaintenance
from models.jobs.pausing import has_room, is_paused
from models.ledger import limits
from models.ops import switches
from models.people import access_rules, verification
from models.schema.jobs import PRIORITIES, JobOrigin
from models.schema.users import User
from settings import get_settings

# Counts no further than it must: a long lane or a full queue costs no more than the limits.
_LANE = text("""
    WITH own AS (
        SELECT 1 FROM jobs WHERE user_id = :user_id AND is_head
        UNION ALL
        SELECT 1 FROM jobs WHERE user_id = :user_id AND status = 'pending' AND NOT is_head
        LIMIT :most_own
    ), others AS (
        SELECT 1 FROM jobs WHERE status = 'pending' AND is_head LIMIT :most_users
    ), lane AS (
        SELECT count(*) AS length FROM own
    )
    SELECT length, length = 0 AND (SELECT count(*) FROM others) >= :most_users AS is_full FROM lane
""")


class TooManyWaiting(Refused):
    """A user has as many messages waiting as one may have."""

    code = "too_many_waiting"


class TooManyUsersWaiting(Refused):
    """As many users wait as the queue takes."""

    code = "too_many_users_waiting"


class SendingSuspended(Refused):
    """An admin keeps an account from sending."""

    code = "sending_suspended"


def refuse_if_unable(db: Session, user: User) -> None:
    """Refuse whatever a user would send, if it must be refused as their account stands."""
    now = switches.current(db)
    if now.is_maintenance:
        raise UnderMaintenance(now.maintenance_sentence)
    if user.deletion_due_at is not None:
        raise AccountClosing
    if user.sending_suspended_at is not None:
        access_rules.refuse_if_listed(db, user.id)
        raise SendingSuspended
    if user.is_frozen:
        raise ledger.SpendingFrozen(user.spending_frozen_reason, user.spending_frozen_details)
    if user.credits_balance_micros <= 0 and verification.is_awaited(user):
        raise verification.AddressNotVerified
    limits.refuse_if_reached(db, user)


def make_room(db: Session, user: User, origin: JobOrigin) -> dict[str, object]:
    """Say where a further job of a locked account stands; tasks of theirs step aside for it.

    Refuses all that `refuse_if_unable` does, one too many waiting, and one more user than may wait.
    """
    rank: dict[str, object] = {"origin": origin, "priority": PRIORITIES[origin]}
    refuse_if_unable(db, user)
    if is_paused(db, user):
        if not has_room(db, user):
            raise TooManyWaiting
        return {**rank, "status": "paused", "is_head": False}
    if origin is JobOrigin.USER:
        lanes.let_tasks_step_aside(db, user.id)
    settings = get_settings()
    length, is_full = db.execute(
        _LANE,
        {
            "user_id": user.id,
            "most_own": settings.max_waiting_jobs_per_user,
            "most_users": settings.max_waiting_users,
        },
    ).one()
    if length >= settings.max_waiting_jobs_per_user:
        raise TooManyWaiting
    # Who is in the queue already may add to their own lane, which has a limit of its own.
    if is_full:
        raise TooManyUsersWaiting
    return {**rank, "status": "pending", "is_head": not length or lanes.has_no_head(db, user.id)}
