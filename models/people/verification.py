"""Verifying an address: a mail with a link, and what comes of opening it."""

from sqlalchemy.orm import Session

from models.base import utc_now
from models.email import outbox
from models.email.templates import account
from models.errors import Refused
from models.people import email_tokens, free_credit, users
from models.schema.email_tokens import LinkPurpose
from models.schema.users import User
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
    secret = email_tokens.make(db, user, LinkPurpose.VERIFICATION, address=user.email)
    reference = f"verification:{email_tokens.find(db, secret, LinkPurpose.VERIFICATION).id}"
    outbox.queue(db, user.email, account.verification(secret), reference=reference)


def verify(db: Session, secret: str, *, network_address: str | None) -> User:
    """Verify the address that a link was sent to, and decide about the free credit.

    Raises LinkUsedUp. `network_address` is where the link was opened.
    """
    user, _ = email_tokens.use(db, secret, LinkPurpose.VERIFICATION)
    user.email_verified_at = utc_now()
    free_credit.decide(db, user, network_address)
    return user
