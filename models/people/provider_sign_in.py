"""Continuing with an identity that a provider has vouched for, such as an account at Google.

It opens the account that it is connected to. A new person's begins at once, as the provider says
that they read the mail of its address. An address that an account has already is another matter:
the provider's word alone connects nothing to that account, only its password or a mailed link does.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.email import outbox
from models.email.templates import account
from models.errors import Refused
from models.people import (
    admission,
    email_tokens,
    free_credit,
    identities,
    sessions,
    sign_ups,
    takeover,
    users,
)
from models.people.admission import Newcomer
from models.people.email_tokens import Retirement
from models.people.identities import IdentityTaken, ProvenIdentity
from models.people.users import WrongCredentials, WrongPassword
from models.schema.email_tokens import LinkPurpose
from models.schema.users import User


class AddressKnown(Refused):
    """An account has this address, which Google is not connected to."""

    code = "address_known"


class AddressReserved(Refused):
    """An account had this address until lately and may take it back."""

    code = "address_reserved"


class NotTheBrowserThatAsked(Refused):
    """The link was asked for in another browser."""

    code = "not_the_browser_that_asked"


@dataclass(frozen=True)
class Entry:
    """Whose account a proven identity has opened, and whether it has just begun."""

    user: User
    is_new: bool


def enter(
    db: Session, proven: ProvenIdentity, *, network_address: str | None, code: str = ""
) -> Entry:
    """Open the account that a proven identity opens; begin one for who is new.

    Raises AddressKnown where an account has its address that it does not open, AddressReserved,
    BadAddress for addresses that no account may have, and what `admission.admit` raises of who is
    new, whose invitation has this code.
    """
    user = identities.sign_in(db, proven)
    if user is not None:
        return Entry(user, is_new=False)
    try:
        return Entry(_sign_up(db, proven, network_address, code), is_new=True)
    except (AddressKnown, IdentityTaken):
        # Who pressed twice has an account by now.
        user = identities.sign_in(db, proven)
        if user is None:
            raise
        return Entry(user, is_new=False)


def connect_by_password(
    db: Session, proven: ProvenIdentity, password: str, *, network_address: str | None
) -> User:
    """Connect a proven identity to the account of its address by that account's password.

    Raises WrongPassword, also where there is none or no account any more, and what
    `identities.connect` raises.
    """
    try:
        user = users.match(db, proven.email, password)
    except WrongCredentials as wrong:
        raise WrongPassword from wrong
    proved = user.password_hash
    # Whoever had the lock before may have chosen another one.
    if ledger.lock_account(db, user.id).password_hash != proved:
        raise WrongPassword
    user = identities.connect(db, user.id, proven)
    if user.email_verified_at is None:
        user.email_verified_at = utc_now()
        free_credit.decide(db, user, network_address)
    return user


def send_link(db: Session, proven: ProvenIdentity) -> None:
    """Mail a link that connects a proven identity to the account of its address, if there is one.

    Raises UnreachableAddress for one to which nothing can be sent.
    """
    user_id = users.find_id(db, proven.email)
    if user_id is None:
        return
    user = db.get_one(User, user_id)
    users.reachable_address(user.email)
    purpose = LinkPurpose.GOOGLE_CONNECTION
    secret = email_tokens.make(db, user, purpose, address=user.email)
    reference = f"google-connection:{email_tokens.find(db, secret, purpose).id}"
    letter = account.google_connection(secret, proven.email)
    outbox.queue(db, user.email, letter, reference=reference)


def check_link(db: Session, secret: str, proven: ProvenIdentity | None) -> ProvenIdentity:
    """Return what a link connects in the browser that asked for it, which holds what was proven.

    Raises LinkUsedUp, and NotTheBrowserThatAsked in any other: there, whoever only reads the mail
    would connect what somebody else has proven.
    """
    link = email_tokens.find(db, secret, LinkPurpose.GOOGLE_CONNECTION)
    if proven is None or users.normal_address(proven.email) != link.address:
        raise NotTheBrowserThatAsked
    return proven


def connect_by_link(
    db: Session, secret: str, proven: ProvenIdentity | None, *, network_address: str | None
) -> User:
    """Connect a proven identity to the account whose mail its owner reads.

    Where nobody had verified the address, they begin anew, see `takeover`. Raises what `check_link`
    and `identities.connect` raise.
    """
    held = check_link(db, secret, proven)
    user, _ = email_tokens.use(db, secret, LinkPurpose.GOOGLE_CONNECTION)
    if user.email_verified_at is not None:
        return identities.connect(db, user.id, held)
    if takeover.is_due(user):
        user = takeover.begin_anew(db, user)
    else:
        _take_over(db, user)
    user = identities.connect(db, user.id, held)
    free_credit.decide(db, user, network_address)
    return user


def _take_over(db: Session, user: User) -> None:
    """Leave a locked account to who reads its mail, where addresses are not verified."""
    user.password_hash, user.email_verified_at = None, utc_now()
    identities.disconnect_all(db, user.id)
    sessions.revoke_others(db, user.id, keep=None)
    email_tokens.retire(db, user.id, Retirement.NEW_PASSWORD)
    db.flush()


def _sign_up(db: Session, proven: ProvenIdentity, network_address: str | None, code: str) -> User:
    address = users.reachable_address(proven.email)
    sign_ups.lock_address(db, address)
    if users.find_id(db, address) is not None:
        raise AddressKnown
    if email_tokens.is_reserved(db, address):
        raise AddressReserved
    invitation = admission.admit(db, Newcomer(address, network_address, code))
    user = ledger.lock_account(db, _begin(db, address, proven))
    admission.welcome(db, user, invitation.id if invitation else None)
    sign_ups.retire(db, address)
    free_credit.decide(db, user, network_address)
    return user


def _begin(db: Session, address: str, proven: ProvenIdentity) -> UUID:
    """Make an account that this identity alone opens; leave none if somebody does so just now."""
    user = User(email=address, password_hash=None, email_verified_at=utc_now())
    try:
        with db.begin_nested():
            db.add(user)
            db.flush()
            identities.add(db, user.id, proven)
    except IntegrityError as taken:
        raise AddressKnown from taken
    return user.id
