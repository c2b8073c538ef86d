"""Changing one's e-mail address, and undoing it.

The new address counts once the browser that asked opens a link that was sent there. The address of
before is told at once, and for a week whoever reads its mail can take the account back.
"""

from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import utc_now
from models.email import outbox
from models.email.templates import account
from models.errors import Refused
from models.people import (
    email_tokens,
    free_credit,
    identities,
    password_reset,
    sessions,
    two_factor,
    users,
    verification,
)
from models.people.email_tokens import Retirement
from models.schema.email_tokens import EmailToken, LinkPurpose
from models.schema.sessions import UserSession
from models.schema.users import User

# A thief may set up two factors first, and these would shut the owner out who undoes the change.
# What was on longer is the owner's: they were mailed of it, and had as long as the undoing works.
DISTRUSTED_BEFORE = timedelta(days=7)


class SameAddress(Refused):
    """The new address is the account's already."""

    code = "same_address"


class AddressTaken(Refused):
    """Another account has the new address by now."""

    code = "address_taken"


class OtherBrowser(Refused):
    """The link was opened in another browser than it was asked for in."""

    code = "other_browser"


class CannotComeBack(Refused):
    """Another account has the old address by now."""

    code = "cannot_come_back"


def ask(db: Session, session: UserSession, *, password: str, email: str) -> str:
    """Mail a link to a new address and return that; the old one stays until the link is opened.

    The old one is told at once, with a link that undoes all of it. Refuses a wrong password and
    what is no address. Whether another account has it is told only to who reads the mail there.
    """
    user = session.user
    users.check_password(user, password)
    address = users.reachable_address(email)
    if address == user.email:
        raise SameAddress
    email_tokens.retire(db, user.id, Retirement.ASKED_AGAIN)
    purpose = LinkPurpose.ADDRESS_CHANGE
    secret = email_tokens.make(db, user, purpose, address=address, session_id=session.id)
    link_id = email_tokens.find(db, secret, purpose).id
    outbox.queue(db, address, account.address_change(secret), reference=f"address-change:{link_id}")
    if _was_theirs(user):
        letter = account.address_change_asked(address, _undo_secret(db, user))
        outbox.queue(db, user.email, letter, reference=f"address-change-asked:{link_id}")
    return address


def find_for(db: Session, secret: str, session: UserSession | None) -> EmailToken:
    """Find the link to a new address for the browser that asked for it.

    Raises LinkUsedUp, and OtherBrowser for any other: whoever only reads the mail there could be
    somebody whom a thief of the account sent it to.
    """
    link = email_tokens.find(db, secret, LinkPurpose.ADDRESS_CHANGE)
    if session is None or session.id != link.session_id:
        raise OtherBrowser
    return link


def change(
    db: Session, secret: str, session: UserSession | None, *, network_address: str | None
) -> User:
    """Take the address that a link was sent to, which is verified by that; tell the old one.

    Raises LinkUsedUp, OtherBrowser and AddressTaken.
    """
    find_for(db, secret, session)
    user, link = email_tokens.use(db, secret, LinkPurpose.ADDRESS_CHANGE)
    old_address, was_theirs = user.email, _was_theirs(user)
    if email_tokens.is_reserved(db, link.address, but_for=user.id):
        raise AddressTaken
    undo_secret = _undo_secret(db, user) if was_theirs else ""
    _move(db, user, link.address, AddressTaken)
    email_tokens.retire(db, user.id, Retirement.NEW_ADDRESS)
    if was_theirs:
        letter = account.address_changed(link.address, undo_secret)
        outbox.queue(db, old_address, letter, reference=f"address-changed:{link.id}")
    free_credit.decide(db, user, network_address)
    return user


def undo(db: Session, secret: str) -> str:
    """Give an account back to its address of before, and return the secret of a link there.

    Every browser is logged out, every pending link is retired, and neither the password nor the
    identity of until now opens the account: the link, which is also mailed, lets a new password be
    chosen. Two-factor sign-in ends if it was switched on after the change was asked for, or no
    longer than DISTRUSTED_BEFORE ahead of that. It is the same whether the change was made already
    or only asked for. Raises LinkUsedUp and CannotComeBack.
    """
    user, link = email_tokens.use(db, secret, LinkPurpose.ADDRESS_UNDO)
    _move(db, user, link.address, CannotComeBack)
    user.password_hash = None
    # A thief may have connected one of their own.
    identities.disconnect_all(db, user.id)
    two_factor.forget(db, user.id, since=link.created_at - DISTRUSTED_BEFORE)
    sessions.revoke_others(db, user.id, keep=None)
    email_tokens.retire(db, user.id, Retirement.UNDONE)
    return password_reset.send_link(db, user, reference=f"address-undone:{link.id}")


def _move(db: Session, user: User, address: str, refusal: type[Refused]) -> None:
    try:
        with db.begin_nested():
            user.email = address
            db.flush()
    except IntegrityError as taken:
        raise refusal from taken
    user.email_verified_at = utc_now()


def _was_theirs(user: User) -> bool:
    # An address that nobody has verified may be a stranger's, by a slip of the finger.
    return not verification.is_awaited(user)


def _undo_secret(db: Session, user: User) -> str:
    return email_tokens.make(db, user, LinkPurpose.ADDRESS_UNDO, address=user.email)
