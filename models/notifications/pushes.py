"""The outbox of pushes: written with what causes them, and sent afterwards.

As with mail, a sender claims a push for a while (a lease), talks to the push service without a
transaction, and writes down how it went with its attempt as the proof that the push is still its
own. One that is sent twice all the same replaces itself in the browser.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import new_id
from models.database import clock
from models.notifications.subscriptions import Keys
from models.schema.notifications import Push, PushStatus, PushSubscription
from models.schema.sessions import UserSession

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=1)
# After this it is no news any more.
GIVEN_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class ClaimedPush:
    """A push that a sender has claimed; `attempt` proves that it is still theirs."""

    id: UUID
    attempt: int
    subscription_id: UUID
    to: Keys
    content: dict[str, str]
    reference: str


def queue(
    db: Session, subscription: PushSubscription, content: dict[str, str], *, reference: str
) -> None:
    """Show something in a browser once `db` has committed; once for each `reference`."""
    db.execute(
        insert(Push)
        .values(
            id=new_id(),
            subscription_id=subscription.id,
            reference=reference,
            content=content,
            status=PushStatus.WAITING,
            next_try_at=func.clock_timestamp(),
            created_at=func.clock_timestamp(),
        )
        .on_conflict_do_nothing(index_elements=[Push.subscription_id, Push.reference])
    )


def has_due(db: Session) -> bool:
    """Tell whether a push waits for somebody to send it now."""
    return db.scalar(select(Push.id).where(*_IS_DUE).limit(1)) is not None


def claim_next(db: Session, lease: timedelta) -> ClaimedPush | None:
    """Take the push that has been due longest; for the length of `lease` nobody else gets it.

    What was queued for a login that has ended since is nobody's news there, and goes.
    """
    while True:
        due = select(Push).where(*_IS_DUE).order_by(Push.next_try_at).limit(1)
        both = due.join(PushSubscription, PushSubscription.id == Push.subscription_id)
        # Who goes with its subscription would wait for what others have of it.
        locked = both.with_for_update(key_share=True, skip_locked=True, of=(PushSubscription, Push))
        push = db.scalar(locked)
        if push is None:
            return None
        subscription = db.get_one(PushSubscription, push.subscription_id)
        session = db.get_one(UserSession, subscription.session_id, populate_existing=True)
        if session.revoked_at is None and session.expires_at > clock(db):
            return _claim(db, push, subscription, lease)
        db.delete(subscription)
        db.flush()
        db.expunge(push)


def _claim(
    db: Session, push: Push, subscription: PushSubscription, lease: timedelta
) -> ClaimedPush:
    push.attempts += 1
    push.next_try_at = clock(db) + lease
    db.flush()
    to = Keys(subscription.endpoint, subscription.p256dh, subscription.auth)
    content = push.content or {}
    return ClaimedPush(push.id, push.attempts, subscription.id, to, content, push.reference)


def mark_sent(db: Session, push: ClaimedPush) -> None:
    """Write down that the push service took a claimed push."""
    _close(db, push, PushStatus.SENT, None)


def give_up(db: Session, push: ClaimedPush, failure: str) -> None:
    """Try a claimed push never again."""
    _close(db, push, PushStatus.FAILED, failure)


def put_off(db: Session, push: ClaimedPush, failure: str, wait: timedelta | None = None) -> bool:
    """Try a claimed push again later, or give it up a day after it was written.

    It waits for `wait`, or each time twice as long. Returns whether it was given up. Nothing
    changes if it is another's by now.
    """
    kept = db.scalar(select(Push).where(*_is_still(push)).with_for_update())
    if kept is None:
        return False
    now = clock(db)
    if now - kept.created_at > GIVEN_UP_AFTER:
        _close(db, push, PushStatus.FAILED, failure)
        return True
    longer = max(wait or retry_delay(kept.attempts), FIRST_RETRY)
    kept.failure, kept.next_try_at = failure[:500], now + min(longer, LONGEST_RETRY)
    db.flush()
    return False


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: each time twice as long, up to an hour."""
    return min(FIRST_RETRY * 2 ** min(attempts - 1, 20), LONGEST_RETRY)


def _close(db: Session, push: ClaimedPush, status: PushStatus, failure: str | None) -> None:
    over = {"status": status, "failure": failure and failure[:500]}
    emptied = {"content": None, "next_try_at": None, "finished_at": func.clock_timestamp()}
    db.execute(update(Push).where(*_is_still(push)).values(**over, **emptied))


_IS_DUE = (Push.status == PushStatus.WAITING, Push.next_try_at <= func.clock_timestamp())


def _is_still(push: ClaimedPush) -> tuple[ColumnElement[bool], ...]:
    return (
        Push.id == push.id,
        Push.attempts == push.attempt,
        Push.status == PushStatus.WAITING,
    )
