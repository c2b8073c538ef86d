"""Accounts elsewhere that open an account here: so far those at Google.

An identity is known by its provider's subject, which never changes, and not by its address, which
may. Nothing else that a provider knows of a person is kept.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id, utc_now
from models.channels import accounts
from models.email import outbox
from models.email.templates import account
from models.email.templates.content import EmailContent
from models.errors import Refused
from models.people import verification
from models.reminders import feeds
from models.schema.identities import Identity, IdentityKind
from models.schema.users import User


@dataclass(frozen=True)
class ProvenIdentity:
    """What a provider has just vouched for: who somebody is there, and that they read this mail."""

    subject: str
    email: str
    kind: IdentityKind = IdentityKind.GOOGLE


class IdentityTaken(Refused):
    """The Google account opens another account here."""

    code = "identity_taken"


class HasAnotherIdentity(Refused):
    """The account is connected to another Google account."""

    code = "has_another_identity"


class LastWayIn(Refused):
    """Without Google there would be no way into the account."""

    code = "last_way_in"


def find(db: Session, user_id: UUID, kind: IdentityKind = IdentityKind.GOOGLE) -> Identity | None:
    """Return the identity of this kind that opens a user's account, if there is one."""
    return db.scalar(select(Identity).where(Identity.user_id == user_id, Identity.kind == kind))


def sign_in(db: Session, proven: ProvenIdentity) -> User | None:
    """Return whose account a proven identity opens, locked; None if it opens none."""
    known = _find_proven(db, proven)
    if known is None:
        return None
    user = ledger.lock_account(db, known.user_id)
    # Whoever had the lock before may have disconnected it.
    known = _find_proven(db, proven)
    if known is None or known.user_id != user.id:
        return None
    _note_use(known, proven)
    db.flush()
    return user


def connect(db: Session, user_id: UUID, proven: ProvenIdentity) -> User:
    """Let a proven identity open this account from now on; tell its owner by mail.

    The caller has made sure that the account is that person's. Refuses an identity that opens
    another account (IdentityTaken), and a second one of its kind (HasAnotherIdentity).
    """
    user = ledger.lock_account(db, user_id)
    present = find(db, user.id, proven.kind)
    if present is not None and present.subject != proven.subject:
        raise HasAnotherIdentity
    if present is not None:
        _note_use(present, proven)
        db.flush()
        return user
    add(db, user.id, proven)
    _mail(db, user, account.google_connected(proven.email))
    return user


def add(db: Session, user_id: UUID, proven: ProvenIdentity) -> None:
    """Write a proven identity down for an account that has none of its kind, and tell nobody."""
    made = Identity(user_id=user_id, kind=proven.kind, subject=proven.subject, email=proven.email)
    try:
        with db.begin_nested():
            db.add(made)
            db.flush()
    except IntegrityError as taken:
        raise IdentityTaken from taken


def disconnect(db: Session, user_id: UUID, kind: IdentityKind = IdentityKind.GOOGLE) -> None:
    """Let an identity no longer open this account; tell its owner by mail.

    Raises LastWayIn where no password opens it. Nothing happens if none was connected.
    """
    user = ledger.lock_account(db, user_id)
    present = find(db, user.id, kind)
    if present is None:
        return
    if not user.has_password:
        raise LastWayIn
    _mail(db, user, account.google_disconnected(present.email))
    db.delete(present)
    db.flush()


def disconnect_all(db: Session, user_id: UUID) -> None:
    """Let no identity open a locked account any more, as its owner may have set up none of them.

    Nor does any messenger write for it that was linked before, or any calendar read its reminders.
    """
    disconnect_outside(db, user_id)
    db.execute(delete(Identity).where(Identity.user_id == user_id))


def disconnect_outside(db: Session, user_id: UUID) -> None:
    """Let no messenger write for a locked account any more, and no calendar read its reminders."""
    accounts.unlink_all(db, user_id)
    feeds.revoke(db, user_id)


def _mail(db: Session, user: User, letter: EmailContent) -> None:
    # An address that nobody has verified may be a stranger's, by a slip of the finger.
    if not verification.is_awaited(user):
        outbox.queue(db, user.email, letter, reference=f"{letter.kind}:{new_id()}")


def _find_proven(db: Session, proven: ProvenIdentity) -> Identity | None:
    wanted = select(Identity).where(
        Identity.kind == proven.kind, Identity.subject == proven.subject
    )
    return db.scalar(wanted.execution_options(populate_existing=True))


def _note_use(identity: Identity, proven: ProvenIdentity) -> None:
    identity.email, identity.last_used_at = proven.email, utc_now()
