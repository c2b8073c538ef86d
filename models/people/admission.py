"""Who may begin an account: the switch for signing up, invitations, and the lists of admins."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from models.errors import Refused
from models.ops import switches
from models.ops.switches import SignUpRule
from models.people import access_rules, invitations, waiting_list
from models.schema.abuse import Verdict
from models.schema.invitations import Invitation
from models.schema.users import User


class SignUpClosed(Refused):
    """Nobody may begin an account just now."""

    code = "sign_up_closed"


class InvitationNeeded(Refused):
    """Only who has an invitation may begin an account."""

    code = "invitation_needed"


class SignUpBlocked(Refused):
    """A list of admins blocks the network or the domain."""

    code = "sign_up_blocked"


@dataclass(frozen=True)
class Newcomer:
    """Who would begin an account, from where, and with which code, as it was typed."""

    address: str
    network_address: str | None = None
    code: str = ""


def rule(db: Session) -> SignUpRule:
    """Tell who may begin an account now."""
    return switches.current(db).sign_up


def admit(db: Session, newcomer: Newcomer) -> Invitation | None:
    """Let somebody ask for an account; return the invitation by which they come, if by one.

    Raises SignUpClosed, InvitationNeeded, InvitationOver, also where none is needed, and
    SignUpBlocked.
    """
    wanted = rule(db)
    if wanted is SignUpRule.CLOSED:
        raise SignUpClosed
    verdict = access_rules.verdict_on(db, newcomer.address, newcomer.network_address)
    if verdict is Verdict.BLOCK:
        raise SignUpBlocked
    if newcomer.code.strip():
        return invitations.find(db, newcomer.code)
    if wanted is SignUpRule.INVITE_ONLY:
        raise InvitationNeeded
    return None


def welcome(db: Session, user: User, invitation_id: UUID | None) -> None:
    """Take a new account off the waiting list, and use the invitation by which it came.

    Raises InvitationOver if others have used it up meanwhile: then nothing of the account may stay.
    """
    waiting_list.leave(db, user.email)
    if invitation_id is not None:
        invitations.welcome(db, user, invitations.take(db, invitation_id))
