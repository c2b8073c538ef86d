"""Passwords that are forgotten or changed.

Whoever asks for a new password is answered before anybody looks whether there is such an account:
the site only writes the request down, which takes as long for every address, and a task does the
rest.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id, utc_now
from models.email import outbox
from models.email.templates import account
from models.people import email_tokens, free_credit, identities, sessions, takeover, users
from models.people.email_tokens import Retirement
from models.schema.email_tokens import LinkPurpose
from models.schema.reset_requests import ResetRequest
from models.schema.users import User


def ask(db: Session, email: str) -> None:
    """Note that somebody forgot the password of this address.

    Raises BadAddress, also for addresses to which nothing can be sent.
    """
    db.add(ResetRequest(address=users.reachable_address(email)))
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
        send_link(db, user, reference=f"password-reset:{request.id}")
    db.delete(request)
    db.flush()
    return True


def send_link(db: Session, user: User, *, reference: str) -> str:
    """Mail a link with which this person chooses a new password; return its secret."""
    secret = email_tokens.make(db, user, LinkPurpose.PASSWORD_RESET, address=user.email)
    outbox.queue(db, user.email, account.password_reset(secret), reference=reference)
    return secret


def choose(db: Session, secret: str, password: str, *, network_address: str | None) -> User:
    """Set a new password by a mailed link and log every browser out; tell the person by mail.

    Every messenger is unlinked and the calendar link ends: somebody else may have had the account.

    Whoever opened the link reads the mail there, so the address is verified by that too: where
    nobody had done so, they begin anew, see `takeover`. Raises LinkUsedUp; a bad password is
    refused and leaves the link as it was.
    """
    link = email_tokens.find(db, secret, LinkPurpose.PASSWORD_RESET)
    # It takes a while, so before the lock.
    new_hash = users.hashed_new(password, link.address)
    user, _ = email_tokens.use(db, secret, LinkPurpose.PASSWORD_RESET)
    is_first_proof = user.email_verified_at is None
    if takeover.is_due(user):
        user = takeover.begin_anew(db, user)
    elif is_first_proof:
        identities.disconnect_all(db, user.id)
    else:
        identities.disconnect_outside(db, user.id)
    _replace(db, user, new_hash, keep=None)
    if is_first_proof:
        user.email_verified_at = utc_now()
        free_credit.decide(db, user, network_address)
    return user


def change(db: Session, user: User, *, old: str, new: str, keep: UUID) -> None:
    """Set a new password and log every browser out but `keep`; tell the person by mail.

    Messengers and the calendar link of whoever is logged in stay.

    Refuses a wrong old password and a bad new one. An account without a password, which its user
    opens with an identity, has no old one to ask for.
    """
    proved = user.password_hash
    if user.has_password:
        users.check_password(user, old)
    new_hash = users.hashed_new(new, user.email)
    locked = ledger.lock_account(db, user.id)
    # Its owner may have chosen another one meanwhile, to shut out whoever this is.
    if locked.password_hash != proved:
        raise users.WrongPassword
    _replace(db, locked, new_hash, keep=keep)


def _replace(db: Session, user: User, new_hash: str, *, keep: UUID | None) -> None:
    user.password_hash = new_hash
    email_tokens.retire(db, user.id, Retirement.NEW_PASSWORD)
    sessions.revoke_others(db, user.id, keep=keep)
    connected = identities.find(db, user.id)
    google_address = connected.email if connected else ""
    letter = account.password_changed(google_address, is_reset=keep is None)
    reference = f"password-changed:{new_id()}"
    outbox.queue(db, user.email, letter, reference=reference)
    db.flush()
