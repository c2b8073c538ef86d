"""Changing one's e-mail address: the new one counts once a link that was sent there is opened."""

from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import free_credit, mailed_links, outbox, users
from models.base import utc_now
from models.errors import Refused
from models.letters import account
from models.mailed_links import LinkPurpose
from models.users import User

LINK_LIFETIME = timedelta(days=1)


class SameAddress(Refused):
    """This is your address already."""


class AddressTaken(Refused):
    """Another account has this address by now, so yours keeps the old one."""


def ask(db: Session, user: User, *, password: str, email: str) -> str:
    """Mail a link to a new address and return that; the old one stays until the link is opened.

    Refuses a wrong password and what is no address. Whether another account has it is told only
    to who reads the mail that is sent there.
    """
    users.prove(user, password)
    address = users.normal_address(email)
    if address == user.email:
        raise SameAddress
    mailed_links.retire(db, user, LinkPurpose.ADDRESS_CHANGE)
    secret = mailed_links.make(
        db, user, LinkPurpose.ADDRESS_CHANGE, address=address, lifetime=LINK_LIFETIME
    )
    reference = f"address-change:{mailed_links.find(db, secret, LinkPurpose.ADDRESS_CHANGE).id}"
    outbox.queue(db, address, account.address_change(secret), reference=reference)
    return address


def change(db: Session, secret: str, *, network_address: str | None) -> User:
    """Take the address that a link was sent to, which is verified by that; tell the old one.

    Raises LinkUsedUp, and AddressTaken.
    """
    user, link = mailed_links.use(db, secret, LinkPurpose.ADDRESS_CHANGE)
    old_address = user.email
    try:
        with db.begin_nested():
            user.email = link.address
            db.flush()
    except IntegrityError as taken:
        raise AddressTaken from taken
    user.email_verified_at = utc_now()
    letter = account.address_changed(link.address)
    outbox.queue(db, old_address, letter, reference=f"address-changed:{link.id}")
    free_credit.decide(db, user, network_address)
    return user
