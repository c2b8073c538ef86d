"""Logging a person out everywhere, when somebody else may be logged in as them."""

from uuid import UUID

from sqlalchemy.orm import Session

from models import ledger
from models.people import email_tokens, sessions
from models.people.email_tokens import Retirement


def everywhere_else(db: Session, user_id: UUID, *, keep: UUID) -> None:
    """Log out every browser of this person but `keep`, and retire what those had asked for."""
    # A link that is being used just now is used before or not at all.
    ledger.lock_account(db, user_id)
    sessions.revoke_others(db, user_id, keep=keep)
    email_tokens.retire(db, user_id, Retirement.LOGGED_OUT_EVERYWHERE)
