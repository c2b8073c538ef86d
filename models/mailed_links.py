"""Links that are sent by mail: each works once, for a while, and proves who reads that mailbox.

Only a hash of a link's secret is kept, so who reads this table can open none of them.
"""

import enum
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ForeignKey, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import ledger
from models.base import Base, Created, PrimaryKey, stored_as_text, utc_now
from models.errors import Refused
from models.users import User


class LinkPurpose(enum.StrEnum):
    VERIFICATION = "verification"
    PASSWORD_RESET = "password_reset"  # noqa: S105  # a purpose
    ADDRESS_CHANGE = "address_change"


class MailedLink(Base):
    __tablename__ = "mailed_links"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[LinkPurpose] = mapped_column(stored_as_text(LinkPurpose))
    # Where it was sent.
    address: Mapped[str]
    secret_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class LinkUsedUp(Refused):
    """This link has been used already, or it has expired. Ask for a new one."""


def make(
    db: Session, user: User, purpose: LinkPurpose, *, address: str, lifetime: timedelta
) -> str:
    """Return the secret of a new link that goes to `address` and works until `lifetime` is over."""
    secret = secrets.token_urlsafe(32)
    db.add(
        MailedLink(
            user_id=user.id,
            purpose=purpose,
            address=address,
            secret_hash=_hashed(secret),
            expires_at=utc_now() + lifetime,
        )
    )
    db.flush()
    return secret


def find(db: Session, secret: str, purpose: LinkPurpose) -> MailedLink:
    """Find a link that still works, or raise LinkUsedUp. Finding it uses nothing up.

    One that was sent to an address that is no longer its person's works no more.
    """
    goes_to_a_new_address = MailedLink.purpose == LinkPurpose.ADDRESS_CHANGE
    link = db.scalar(
        select(MailedLink)
        .join(User, User.id == MailedLink.user_id)
        .where(
            MailedLink.secret_hash == _hashed(secret),
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
            MailedLink.expires_at > utc_now(),
            or_(goes_to_a_new_address, MailedLink.address == User.email),
        )
        .execution_options(populate_existing=True)
    )
    if link is None:
        raise LinkUsedUp
    return link


def use(db: Session, secret: str, purpose: LinkPurpose) -> tuple[User, MailedLink]:
    """Use a link up, with all others of its person and purpose; return whose it is, locked.

    Raises LinkUsedUp, also for all but one of those who use it at once.
    """
    user = ledger.lock_account(db, find(db, secret, purpose).user_id)
    # Whoever had the lock before may have used it.
    link = find(db, secret, purpose)
    retire(db, user, purpose)
    return user, link


def retire(db: Session, user: User, purpose: LinkPurpose) -> None:
    """Let no link of this purpose that was sent to this person work any more."""
    db.execute(
        update(MailedLink)
        .where(
            MailedLink.user_id == user.id,
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
        )
        .values(used_at=utc_now())
    )


def _hashed(secret: str) -> str:
    # Long and random, so it needs neither salt nor a slow hash.
    return sha256(secret.encode()).hexdigest()
