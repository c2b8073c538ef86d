"""Links that are sent by mail: each works once, for a while, and proves who reads that mailbox.

Only a hash of a link's secret is kept, so who reads this table can open none of them. `RULES` says
of each purpose how long its links work and what ends them before; docs/mail.md has it as a table.
"""

import enum
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, true, update
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.errors import Refused
from models.schema.email_tokens import EmailToken, LinkPurpose
from models.schema.sessions import UserSession
from models.schema.users import User


class Retirement(enum.StrEnum):
    """What ends a link before its time, in the words of docs/mail.md."""

    ONE_IS_USED = "one of its kind is used"
    ASKED_AGAIN = "a newer change is asked for"
    NEW_PASSWORD = "a new password"  # noqa: S105  # not one
    NEW_ADDRESS = "a new address"
    LOGGED_OUT = "the session that asked ends"
    LOGGED_OUT_EVERYWHERE = "logging out everywhere else"
    UNDONE = "a change of address is undone"
    OLDER_ONE_IS_USED = "an older one is used"


@dataclass(frozen=True)
class LinkRule:
    """How long links of a purpose work, and what ends them before."""

    lifetime: timedelta
    retired_by: frozenset[Retirement]


_ANY_NEWS = frozenset(
    {
        Retirement.ONE_IS_USED,
        Retirement.NEW_PASSWORD,
        Retirement.NEW_ADDRESS,
        Retirement.UNDONE,
    }
)

RULES: Mapping[LinkPurpose, LinkRule] = {
    LinkPurpose.VERIFICATION: LinkRule(timedelta(days=2), _ANY_NEWS),
    LinkPurpose.PASSWORD_RESET: LinkRule(
        timedelta(hours=1), _ANY_NEWS | {Retirement.LOGGED_OUT_EVERYWHERE}
    ),
    LinkPurpose.ADDRESS_CHANGE: LinkRule(
        timedelta(days=1),
        _ANY_NEWS
        | {Retirement.ASKED_AGAIN, Retirement.LOGGED_OUT, Retirement.LOGGED_OUT_EVERYWHERE},
    ),
    # It must outlast whatever a thief of the account does, so only an undoing ends it.
    LinkPurpose.ADDRESS_UNDO: LinkRule(
        timedelta(days=7), frozenset({Retirement.OLDER_ONE_IS_USED})
    ),
    LinkPurpose.GOOGLE_CONNECTION: LinkRule(
        timedelta(hours=1), _ANY_NEWS | {Retirement.LOGGED_OUT_EVERYWHERE}
    ),
}


class LinkUsedUp(Refused):
    """A mailed link was used, or has expired."""

    code = "link_used_up"


def make(
    db: Session, user: User, purpose: LinkPurpose, *, address: str, session_id: UUID | None = None
) -> str:
    """Return the secret of a new link that goes to `address` and works as its rule says.

    `session_id` is the logged-in browser that asks, for a purpose that ends with it.
    """
    secret = secrets.token_urlsafe(32)
    db.add(
        EmailToken(
            user_id=user.id,
            purpose=purpose,
            address=address,
            session_id=session_id,
            secret_hash=_hashed(secret),
            expires_at=utc_now() + RULES[purpose].lifetime,
        )
    )
    db.flush()
    return secret


def find(db: Session, secret: str, purpose: LinkPurpose) -> EmailToken:
    """Find a link that still works, or raise LinkUsedUp. Finding it uses nothing up.

    One that was sent to an address that is no longer its person's works no more, unless it is to
    bring that address back; nor does one whose session had to go on and has ended.
    """
    link = db.scalar(
        select(EmailToken)
        .join(User, User.id == EmailToken.user_id)
        .where(
            EmailToken.secret_hash == _hashed(secret),
            EmailToken.purpose == purpose,
            *_works(),
            _address_fits(purpose),
            _asker_is_there(purpose),
        )
        .execution_options(populate_existing=True)
    )
    if link is None:
        raise LinkUsedUp
    return link


def use(db: Session, secret: str, purpose: LinkPurpose) -> tuple[User, EmailToken]:
    """Use a link up, with all that it retires by that; return whose it is, locked.

    Raises LinkUsedUp, also for all but one of those who use it at once.
    """
    user = ledger.lock_account(db, find(db, secret, purpose).user_id)
    # Whoever had the lock before may have used it.
    link = find(db, secret, purpose)
    ended = EmailToken.purpose == purpose
    if Retirement.ONE_IS_USED not in RULES[purpose].retired_by:
        # Older ones go to addresses of longer ago, whose owner may have to undo this one too.
        ended &= or_(EmailToken.id >= link.id, EmailToken.address == link.address)
    _end(db, user.id, ended)
    return user, link


def retire(db: Session, user_id: UUID, by: Retirement) -> None:
    """Let no link to this person work any more whose rule says that `by` retires it."""
    purposes = [purpose for purpose, rule in RULES.items() if by in rule.retired_by]
    _end(db, user_id, EmailToken.purpose.in_(purposes))


def is_reserved(db: Session, address: str, *, but_for: UUID | None = None) -> bool:
    """Tell whether somebody may yet take this address back as theirs, other than `but_for`."""
    waiting = exists().where(
        EmailToken.purpose == LinkPurpose.ADDRESS_UNDO,
        EmailToken.address == address,
        EmailToken.user_id.is_distinct_from(but_for),
        *_works(),
    )
    return bool(db.scalar(select(waiting)))


def _works() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return EmailToken.used_at.is_(None), EmailToken.expires_at > utc_now()


def _address_fits(purpose: LinkPurpose) -> ColumnElement[bool]:
    goes_elsewhere = purpose in (LinkPurpose.ADDRESS_CHANGE, LinkPurpose.ADDRESS_UNDO)
    return true() if goes_elsewhere else EmailToken.address == User.email


def _asker_is_there(purpose: LinkPurpose) -> ColumnElement[bool]:
    if Retirement.LOGGED_OUT not in RULES[purpose].retired_by:
        return true()
    return exists().where(
        UserSession.id == EmailToken.session_id,
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > utc_now(),
    )


def _end(db: Session, user_id: UUID, which: ColumnElement[bool]) -> None:
    db.execute(
        update(EmailToken)
        .where(EmailToken.user_id == user_id, EmailToken.used_at.is_(None), which)
        .values(used_at=utc_now())
    )


def _hashed(secret: str) -> str:
    # Long and random, so it needs neither salt nor a slow hash.
    return sha256(secret.encode()).hexdigest()
