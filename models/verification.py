"""Verifying an address: a mail with a link, and what comes of opening it."""

from sqlalchemy.orm import Session

from models import free_credit, mailed_links, outbox, users
from models.base import utc_now
from models.errors import Refused
from models.letters import account
from models.mailed_links import LinkPurpose
from models.users import User
from settings import get_settings


class AddressNotVerified(Refused):
    """A user without credits has not confirmed their address yet."""

    code = "address_not_verified"


def is_awaited(user: User) -> bool:
    """Tell whether this person has still to verify their address."""
    return get_settings().verify_email and user.email_verified_at is None


def send_link(db: Session, user: User) -> None:
    """Mail a link that verifies the address; nothing happens if that is not awaited.

    Raises UnreachableAddress for one of before such were refused, to which nothing can be sent.
    """
    if not is_awaited(user):
        return
    users.reachable_address(user.email)
    secret = mailed_links.make(db, user, LinkPurpose.VERIFICATION, address=user.email)
    reference = f"verification:{mailed_links.find(db, secret, LinkPurpose.VERIFICATION).id}"
    outbox.queue(db, user.email, account.verification(secret), reference=reference)


def verify(db: Session, secret: str, *, network_address: str | None) -> User:
    """Verify the address that a link was sent to, and decide about the free credit.

    Raises LinkUsedUp. `network_address` is where the link was opened.
    """
    user, _ = mailed_links.use(db, secret, LinkPurpose.VERIFICATION)
    user.email_verified_at = utc_now()
    free_credit.decide(db, user, network_address)
    return user
