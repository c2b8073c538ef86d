"""How somebody's free credit stands, as far as the chat has to say something of it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from actions.sentences import free_credit as sentences
from models.money import money
from models.ops import switches
from models.people import free_credit, verification
from models.schema.users import User
from models.translation import gettext, marked
from settings import get_settings

TOP_UP = marked("You can top up at any time; everything else is there for you.")


@dataclass(frozen=True)
class Newcomer:
    """Somebody whose address has still to be verified, or who was refused the free credit."""

    is_awaited: bool
    email: str
    grant_micros: int
    # Where mail can be read, on a machine that sends none.
    mailbox_url: str | None
    # Why there is no free credit, and what to do; empty for everybody else.
    refusal: str


def read_status(db: Session, user: User) -> Newcomer:
    """Say how it stands; who has credits has no questions, and costs no query."""
    settings = get_settings()
    is_awaited = verification.is_awaited(user) and user.credits_available_micros <= 0
    return Newcomer(
        is_awaited=is_awaited,
        email=user.email,
        grant_micros=switches.current(db).sign_up_grant_micros,
        mailbox_url=settings.mailbox_url,
        refusal="" if is_awaited else refusal(db, user),
    )


def thanks(user: User) -> str:
    """Thank who has just verified their address, and say what that has brought them."""
    # Why there is none, if so, stands in the chat for as long as it matters.
    has_had_it = user.credits_available_micros > 0
    if not has_had_it:
        return gettext("Thank you, your address is confirmed.")
    gift = money(user.credits_available_micros)
    return gettext("Thank you, your address is confirmed. %(gift)s of credit is yours.", gift=gift)


def refusal(db: Session, user: User) -> str:
    """Say why a person never had any credit; empty if they have or had some."""
    if user.credits_available_micros > 0:
        return ""
    reason = free_credit.find_refusal(db, user.id)
    return f"{sentences.refusal(reason)} {gettext(TOP_UP)}" if reason else ""
