"""Codes that link a messenger: each works once, for an hour."""

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import Refused
from models.schema.channels import ChannelLink

LIFETIME = timedelta(hours=1)
# A messenger hands a code in as part of an address, which may be 64 characters of A-Z a-z 0-9 _ -.
SECRET_BYTES = 24
# So many of a messenger account work at a time.
MOST_OFFERED = 5


class LinkGone(Refused):
    """A code was used, has expired or never was."""

    code = "channel_link_gone"


def make_for_user(db: Session, user_id: UUID, channel: str) -> str:
    """Return a code by which whoever opens it in the messenger links it; older ones end."""
    db.execute(
        delete(ChannelLink).where(
            ChannelLink.user_id == user_id,
            ChannelLink.channel == channel,
            ChannelLink.used_at.is_(None),
        )
    )
    return _add(db, ChannelLink(channel=channel, user_id=user_id))


def make_for_outside(db: Session, channel: str, account_id: str, address: str, name: str) -> str:
    """Return a code by which whoever is logged in links this messenger account.

    Its latest ones work beside it: whoever has opened one may write again meanwhile.
    """
    latest = (
        select(ChannelLink.id)
        .where(*_offered(channel, account_id))
        .order_by(ChannelLink.id.desc())
        .limit(MOST_OFFERED - 1)
    )
    older = delete(ChannelLink).where(*_offered(channel, account_id), ChannelLink.id.not_in(latest))
    db.execute(older)
    link = ChannelLink(channel=channel, account_id=account_id, address=address, name=name)
    return _add(db, link)


def find_for_outside(db: Session, channel: str, secret: str) -> ChannelLink:
    """Find a code that was made in a messenger, without using it. Raises LinkGone."""
    found = db.scalar(
        select(ChannelLink).where(*_works(channel, secret), ChannelLink.account_id.is_not(None))
    )
    if found is None:
        raise LinkGone
    return found


def use_for_outside(db: Session, channel: str, secret: str) -> ChannelLink:
    """Use up a code that was made in a messenger, and return it. Raises LinkGone."""
    return _use(db, channel, secret, ChannelLink.account_id.is_not(None))


def use_for_user(db: Session, channel: str, secret: str) -> UUID:
    """Use up a code that a user made, and return whose it is. Raises LinkGone."""
    user_id = _use(db, channel, secret, ChannelLink.user_id.is_not(None)).user_id
    if user_id is None:
        raise LinkGone
    return user_id


def end_all(db: Session, user_id: UUID) -> None:
    """End the codes that a user has made and nobody has used."""
    db.execute(
        delete(ChannelLink).where(ChannelLink.user_id == user_id, ChannelLink.used_at.is_(None))
    )


def end_offered(db: Session, channel: str, account_id: str) -> None:
    """End the codes that were made in a messenger account and nobody has used."""
    db.execute(delete(ChannelLink).where(*_offered(channel, account_id)))


def _offered(channel: str, account_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        ChannelLink.account_id == account_id,
        ChannelLink.channel == channel,
        ChannelLink.used_at.is_(None),
    )


def _add(db: Session, link: ChannelLink) -> str:
    secret = secrets.token_urlsafe(SECRET_BYTES)
    link.secret_hash = _hashed(secret)
    link.expires_at = utc_now() + LIFETIME
    db.add(link)
    db.flush()
    return secret


def _use(db: Session, channel: str, secret: str, side: ColumnElement[bool]) -> ChannelLink:
    used = db.scalars(
        update(ChannelLink)
        .where(*_works(channel, secret), side)
        .values(used_at=utc_now())
        .returning(ChannelLink)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if used is None:
        raise LinkGone
    return used


def _works(channel: str, secret: str) -> tuple[ColumnElement[bool], ...]:
    return (
        ChannelLink.channel == channel,
        ChannelLink.secret_hash == _hashed(secret),
        ChannelLink.used_at.is_(None),
        ChannelLink.expires_at > utc_now(),
    )


def _hashed(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
