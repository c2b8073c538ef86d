"""The browsers that show a user's notifications."""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import Refused
from models.schema.notifications import PushSubscription
from models.schema.sessions import UserSession

# More browsers than anybody uses; those that were not used for longest go.
MOST = 20
# A push service that has refused so many in a row is not asked again.
MOST_FAILURES = 5


class SubscriptionTaken(Refused):
    """The endpoint is another browser's: whoever names it does not have its keys."""

    code = "push_subscription_taken"


@dataclass(frozen=True)
class Keys:
    """Where a browser is written to, and how; checked by the gate."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True)
class Device:
    """A browser as its user sees it in a list."""

    subscription: PushSubscription
    session: UserSession

    @property
    def id(self) -> UUID:
        return self.subscription.id


def subscribe(db: Session, session: UserSession, keys: Keys) -> PushSubscription:
    """Show the notifications of a session's user in its browser, and in none of its others.

    A browser whose keys are given is its own proof: it follows whoever is logged in there. Raises
    SubscriptionTaken for the endpoint of a browser whose keys are not known.
    """
    # Two tabs may do so at once.
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(keys.endpoint, 0))))
    known = db.scalar(
        select(PushSubscription).where(PushSubscription.endpoint == keys.endpoint).with_for_update()
    )
    if known is not None and not _same_keys(known, keys):
        raise SubscriptionTaken
    if known is not None and known.user_id != session.user_id:
        # What waits to be shown there is the other user's.
        db.delete(known)
        db.flush()
        known = None
    kept = known or PushSubscription(
        user_id=session.user_id, endpoint=keys.endpoint, p256dh=keys.p256dh, auth=keys.auth
    )
    kept.session_id, kept.failures = session.id, 0
    db.add(kept)
    db.flush()
    _drop_others(db, kept)
    return kept


def list_live(db: Session, user_id: UUID) -> list[Device]:
    """List the browsers that show a user's notifications, the latest first."""
    found = db.execute(_live({user_id}))
    return [Device(subscription, session) for subscription, session in found]


def list_live_of(
    db: Session, user_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[PushSubscription]]:
    """List, by user, the browsers that show their notifications; none, no entry."""
    found: dict[UUID, list[PushSubscription]] = {}
    for subscription, _ in db.execute(_live(user_ids)):
        found.setdefault(subscription.user_id, []).append(subscription)
    return found


def lock_all(db: Session, user_id: UUID) -> Sequence[UUID]:
    """Take the locks of all browsers of a user, as one does before those of their pushes."""
    mine = select(PushSubscription.id).where(PushSubscription.user_id == user_id)
    return db.scalars(mine.order_by(PushSubscription.id).with_for_update(key_share=True)).all()


def lock(db: Session, subscription_id: UUID) -> None:
    """Take the lock of a browser, if it is still known, as one does before those of its pushes."""
    known = select(PushSubscription.id).where(PushSubscription.id == subscription_id)
    db.execute(known.with_for_update(key_share=True))


def remove_own(db: Session, user_id: UUID, subscription_id: UUID) -> None:
    """Show nothing more in a browser of this user; nothing happens to anyone else's."""
    db.execute(
        delete(PushSubscription).where(
            PushSubscription.id == subscription_id, PushSubscription.user_id == user_id
        )
    )


def remove(db: Session, subscription_id: UUID) -> None:
    """Forget a browser that its push service does not know any more."""
    db.execute(delete(PushSubscription).where(PushSubscription.id == subscription_id))


def note_success(db: Session, subscription_id: UUID) -> None:
    """Note that a browser's push service took a push."""
    db.execute(
        update(PushSubscription)
        .where(PushSubscription.id == subscription_id)
        .values(last_used_at=func.clock_timestamp(), failures=0)
    )


def note_failure(db: Session, subscription_id: UUID) -> None:
    """Note that a browser's push service refused a push; after several in a row it is forgotten."""
    failures = db.scalar(
        update(PushSubscription)
        .where(PushSubscription.id == subscription_id)
        .values(failures=PushSubscription.failures + 1)
        .returning(PushSubscription.failures)
    )
    if failures is not None and failures >= MOST_FAILURES:
        remove(db, subscription_id)


def _live(user_ids: Collection[UUID]) -> Select[PushSubscription, UserSession]:
    """Find browsers with their sessions, the latest first."""
    return (
        select(PushSubscription, UserSession)
        .join(UserSession, UserSession.id == PushSubscription.session_id)
        .where(
            PushSubscription.user_id.in_(user_ids),
            UserSession.user_id == PushSubscription.user_id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > utc_now(),
        )
        .order_by(PushSubscription.id.desc())
    )


def _same_keys(known: PushSubscription, keys: Keys) -> bool:
    has_secret = hmac.compare_digest(known.auth, keys.auth)
    return hmac.compare_digest(known.p256dh, keys.p256dh) and has_secret


def _drop_others(db: Session, kept: PushSubscription) -> None:
    """Forget what the same login had before, and what is too much."""
    used = func.coalesce(PushSubscription.last_used_at, PushSubscription.created_at)
    latest = (
        select(PushSubscription.id)
        .where(PushSubscription.user_id == kept.user_id, PushSubscription.id != kept.id)
        .order_by(used.desc())
        .limit(MOST - 1)
    )
    is_same_login = PushSubscription.session_id == kept.session_id
    db.execute(
        delete(PushSubscription).where(
            PushSubscription.user_id == kept.user_id,
            PushSubscription.id != kept.id,
            is_same_login | PushSubscription.id.not_in(latest),
        )
    )
