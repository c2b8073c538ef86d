"""Logged-in browsers, each of which can be sent away."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session, joinedload

from models.base import utc_now
from models.channels import links
from models.errors import Refused
from models.schema.sessions import UserSession
from models.schema.two_factor import TwoFactor
from models.schema.users import User
from settings import get_settings

# Writing "last seen" on each request would make every page a write.
SEEN_AGAIN_AFTER = timedelta(minutes=5)
# So long has somebody whose password was right to type the code of their app.
CODE_WITHIN = timedelta(minutes=10)


# Every request asks this; putting it together anew took as long as asking.
_LIVE = (
    select(UserSession)
    .where(
        UserSession.id == bindparam("wanted"),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > bindparam("now"),
        UserSession.awaits_code == bindparam("awaits_code"),
    )
    .options(joinedload(UserSession.user))
)


class SignInSuspended(Refused):
    """An admin keeps an account from being signed in to."""

    code = "sign_in_suspended"


def open_for(
    db: Session, user: User, user_agent: str, *, has_shown_code: bool = False
) -> UserSession:
    """Log a browser in as `user` for `session_days` days; refused while that is suspended."""
    session = _open(db, user, user_agent, timedelta(days=get_settings().session_days))
    session.two_factor_at = utc_now() if has_shown_code else None
    return session


def await_code(db: Session, user: User, user_agent: str) -> UserSession:
    """Keep for CODE_WITHIN that a browser may become `user`'s by a code; so far it is nobody's.

    What logs their browsers out ends it too.
    """
    session = _open(db, user, user_agent, CODE_WITHIN)
    session.awaits_code = True
    db.flush()
    return session


def find_awaiting(db: Session, session_id: UUID) -> UserSession | None:
    """Find a session that still lacks its code, with its user."""
    return db.scalar(_LIVE, {"wanted": session_id, "now": utc_now(), "awaits_code": True})


def _open(db: Session, user: User, user_agent: str, lifetime: timedelta) -> UserSession:
    if user.sign_in_suspended_at is not None:
        raise SignInSuspended
    session = UserSession(
        user_id=user.id,
        user=user,
        user_agent=user_agent[:200],
        expires_at=utc_now() + lifetime,
    )
    db.add(session)
    db.flush()
    return session


def find_live(db: Session, session_id: UUID) -> UserSession | None:
    """Find a session that has neither expired nor been revoked, with its user."""
    session = db.scalar(_LIVE, {"wanted": session_id, "now": utc_now(), "awaits_code": False})
    if session and utc_now() - session.seen_at > SEEN_AGAIN_AFTER:
        session.seen_at = utc_now()
    return session


def list_live(db: Session, user_id: UUID) -> list[UserSession]:
    """List where this person is logged in, latest first."""
    return list(
        db.scalars(
            select(UserSession)
            .where(
                UserSession.user_id == user_id,
                UserSession.revoked_at.is_(None),
                UserSession.expires_at > utc_now(),
                UserSession.awaits_code.is_(False),
            )
            .order_by(UserSession.seen_at.desc())
        )
    )


def revoke(db: Session, user_id: UUID, session_id: UUID) -> None:
    """Log one browser of this person out; nothing happens to anyone else's."""
    db.execute(
        update(UserSession)
        .where(
            UserSession.id == session_id,
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
        )
        .values(revoked_at=utc_now())
    )


def revoke_others(db: Session, user_id: UUID, *, keep: UUID | None) -> None:
    """Log every browser of this person out but the one to keep, if there is one.

    Codes by which a messenger could be linked end too, and a set-up of two-factor sign-in that no
    code has confirmed: one of those browsers may have made them.
    """
    links.end_all(db, user_id)
    unconfirmed = TwoFactor.user_id == user_id, TwoFactor.confirmed_at.is_(None)
    db.execute(delete(TwoFactor).where(*unconfirmed))
    db.execute(
        update(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.id.is_distinct_from(keep),
            UserSession.revoked_at.is_(None),
        )
        .values(revoked_at=utc_now())
    )
