"""Passwords that are forgotten or changed.

Whoever asks for a new password is answered before anybody looks whether there is such an account:
the site only writes the request down, which takes as long for every address, and a task does the
rest.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session

from models import ledger, mailed_links, outbox, sessions, users
from models.base import Base, Created, PrimaryKey, new_id
from models.letters import account
from models.mailed_links import LinkPurpose
from models.users import User

LINK_LIFETIME = timedelta(hours=1)


class ResetRequest(Base):
    __tablename__ = "password_reset_requests"

    id: Mapped[PrimaryKey]
    # As it was typed, whether or not anybody has it. The row goes when it is answered.
    address: Mapped[str]
    created_at: Mapped[Created]


def ask(db: Session, email: str) -> None:
    """Note that somebody forgot the password of this address; refuse what is no address."""
    db.add(ResetRequest(address=users.normal_address(email)))
    db.flush()


def has_requests(db: Session) -> bool:
    """Tell whether a request waits for its answer."""
    return db.scalar(select(ResetRequest.id).limit(1)) is not None


def answer_next(db: Session) -> bool:
    """Mail a link to whoever asked first, if they have an account; False if nobody has asked."""
    request = db.scalar(
        select(ResetRequest).order_by(ResetRequest.id).limit(1).with_for_update(skip_locked=True)
    )
    if request is None:
        return False
    user = db.scalar(select(User).where(User.email == request.address))
    if user is not None:
        secret = mailed_links.make(
            db, user, LinkPurpose.PASSWORD_RESET, address=user.email, lifetime=LINK_LIFETIME
        )
        letter = account.password_reset(secret)
        outbox.queue(db, user.email, letter, reference=f"password-reset:{request.id}")
    db.delete(request)
    db.flush()
    return True


def choose(db: Session, secret: str, password: str) -> User:
    """Set a new password by a mailed link and log every browser out; tell the person by mail.

    Raises LinkUsedUp; a bad password is refused and leaves the link as it was.
    """
    mailed_links.find(db, secret, LinkPurpose.PASSWORD_RESET)
    # It takes a while, so before the lock.
    new_hash = users.hashed_new(password)
    user, _ = mailed_links.use(db, secret, LinkPurpose.PASSWORD_RESET)
    _replace(db, user, new_hash, keep=None)
    return user


def change(db: Session, user: User, *, old: str, new: str, keep: UUID) -> None:
    """Set a new password and log every browser out but `keep`; tell the person by mail.

    Refuses a wrong old password and a bad new one.
    """
    users.prove(user, old)
    new_hash = users.hashed_new(new)
    _replace(db, ledger.lock_account(db, user.id), new_hash, keep=keep)


def _replace(db: Session, user: User, new_hash: str, *, keep: UUID | None) -> None:
    user.password_hash = new_hash
    mailed_links.retire(db, user, LinkPurpose.PASSWORD_RESET)
    sessions.revoke_others(db, user.id, keep=keep)
    letter, reference = account.password_changed(), f"password-changed:{new_id()}"
    outbox.queue(db, user.email, letter, reference=reference)
    db.flush()
