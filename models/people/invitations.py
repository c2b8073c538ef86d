"""Invitation codes: found as somebody types them, used by one who begins an account."""

import re
import secrets
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.errors import Refused
from models.schema.invitations import Invitation, InvitationUse
from models.schema.users import User

# Without letters and digits that look alike.
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 10
TYPED_MAX_LENGTH = 40
_IGNORED = re.compile(r"[^A-Z0-9]")


class InvitationOver(Refused):
    """There is no such code, or it was ended, has expired, or was used as often as it may be."""

    code = "invitation_over"


def new_code() -> str:
    """Make a code that nobody guesses: `7KQ2M-XP4RT`."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[:5]}-{letters[5:]}"


def normal_code(typed: str) -> str:
    """Bring a code into the form in which it is kept, however it was typed."""
    letters = _IGNORED.sub("", typed[:TYPED_MAX_LENGTH].upper())
    return f"{letters[:5]}-{letters[5:]}"


def find(db: Session, typed: str) -> Invitation:
    """Find the invitation of a code that can still be used; raise InvitationOver."""
    found = db.scalar(_usable().where(Invitation.code == normal_code(typed)))
    if found is None:
        raise InvitationOver
    return found


def is_usable(db: Session, invitation_id: UUID) -> bool:
    """Tell whether somebody can still come by an invitation."""
    return db.scalar(_usable().where(Invitation.id == invitation_id)) is not None


def take(db: Session, invitation_id: UUID) -> Invitation:
    """Use an invitation once; raise InvitationOver if somebody was faster, or it is over."""
    wanted = _usable().where(Invitation.id == invitation_id).with_for_update()
    found = db.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise InvitationOver
    found.uses += 1
    db.flush()
    return found


def welcome(db: Session, user: User, invitation: Invitation) -> None:
    """Note that a locked, new account came by an invitation, and grant what that promises."""
    db.add(InvitationUse(user_id=user.id, invitation_id=invitation.id))
    db.flush()
    if invitation.bonus_micros:
        reference = f"invitation:{user.id}"
        ledger.grant(db, user.id, invitation.bonus_micros, reference=reference)


def _usable() -> Select[Invitation]:
    return select(Invitation).where(
        Invitation.ended_at.is_(None),
        Invitation.uses < Invitation.uses_max,
        or_(Invitation.expires_at.is_(None), Invitation.expires_at > utc_now()),
    )
