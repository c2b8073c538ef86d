"""Which account with a messenger is which user's."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.channels import deliveries, updates
from models.errors import Refused
from models.schema.channels import ChannelAccount
from models.schema.chat import Conversation


class LinkedElsewhere(Refused):
    """The messenger account is another user's; only they can let go of it."""

    code = "channel_linked_elsewhere"


class OtherLinked(Refused):
    """The user has linked another account with this messenger, and has to unlink that one first."""

    code = "channel_other_linked"


def find_outside(db: Session, channel: str, account_id: str) -> ChannelAccount | None:
    """Return the linked account that the messenger knows by this id; None if it is nobody's."""
    return db.scalar(
        select(ChannelAccount).where(
            ChannelAccount.channel == channel, ChannelAccount.account_id == account_id
        )
    )


def find_own(db: Session, user_id: UUID, channel: str) -> ChannelAccount | None:
    """Return a user's account with a messenger; None if they have linked none."""
    return db.scalar(
        select(ChannelAccount).where(
            ChannelAccount.channel == channel, ChannelAccount.user_id == user_id
        )
    )


def list_own(db: Session, user_id: UUID) -> list[ChannelAccount]:
    """List a user's linked messengers, the first one first."""
    return list(
        db.scalars(
            select(ChannelAccount)
            .where(ChannelAccount.user_id == user_id)
            .order_by(ChannelAccount.linked_at, ChannelAccount.id)
        )
    )


def showing(db: Session, conversation_id: UUID) -> list[ChannelAccount]:
    """List the reachable messengers that show a conversation."""
    return list(
        db.scalars(
            select(ChannelAccount).where(
                ChannelAccount.conversation_id == conversation_id,
                ChannelAccount.blocked_at.is_(None),
            )
        )
    )


def list_reachable(db: Session, user_ids: Collection[UUID]) -> dict[UUID, list[ChannelAccount]]:
    """List, by user, the messengers in which they can be written to; none, no entry."""
    found: dict[UUID, list[ChannelAccount]] = {}
    wanted = select(ChannelAccount).where(
        ChannelAccount.user_id.in_(user_ids), ChannelAccount.blocked_at.is_(None)
    )
    for account in db.scalars(wanted.order_by(ChannelAccount.id)) if user_ids else ():
        found.setdefault(account.user_id, []).append(account)
    return found


def link(
    db: Session, user_id: UUID, channel: str, account_id: str, address: str, name: str
) -> ChannelAccount:
    """Make a messenger account the user's; it goes on in the conversation they used last.

    An account that is theirs already stays so. Raises LinkedElsewhere for another user's, and
    OtherLinked if they have another one.
    """
    updates.lock_account(db, channel, account_id)
    ledger.lock_account(db, user_id)
    known = find_outside(db, channel, account_id)
    if known is not None:
        if known.user_id != user_id:
            raise LinkedElsewhere
        known.address, known.name, known.blocked_at = address, name, None
        return known
    if find_own(db, user_id, channel) is not None:
        raise OtherLinked
    # Of whoever had it before, who was asked while they let go of it.
    updates.forget_asked(db, channel, account_id)
    account = ChannelAccount(
        user_id=user_id,
        channel=channel,
        account_id=account_id,
        address=address,
        name=name,
        conversation_id=_used_last(db, user_id),
    )
    db.add(account)
    db.flush()
    return account


def unlink(db: Session, account: ChannelAccount) -> None:
    """Let go of a messenger; what has not been sent to it is not sent any more.

    What its user was asked about can be agreed to no more.
    """
    # Whoever sends just now has written down what they expect, or does not find the messenger.
    ledger.lock_account(db, account.user_id)
    deliveries.cancel_all(db, account)
    updates.forget_asked(db, account.channel, account.account_id)
    db.delete(account)
    db.flush()


def unlink_all(db: Session, user_id: UUID) -> None:
    """Let go of every messenger of a user, for whoever proves that the account is theirs."""
    for account in list_own(db, user_id):
        unlink(db, account)


def show(account: ChannelAccount, conversation_id: UUID | None) -> None:
    """Let the messenger go on in a conversation; None lets its next message begin one."""
    account.conversation_id = conversation_id


def current_conversation(db: Session, account: ChannelAccount) -> Conversation | None:
    """Return the conversation in which the messenger goes on; None if there is none any more."""
    if account.conversation_id is None:
        return None
    return db.scalar(
        select(Conversation).where(
            Conversation.id == account.conversation_id,
            Conversation.user_id == account.user_id,
            Conversation.deleted_at.is_(None),
        )
    )


def mark_blocked(db: Session, channel: str, account_id: str) -> None:
    """Send nothing more to a messenger whose user has blocked us."""
    account = find_outside(db, channel, account_id)
    if account is not None and account.blocked_at is None:
        account.blocked_at = utc_now()
        deliveries.cancel_all(db, account)


def release_conversation(db: Session, conversation_id: UUID) -> None:
    """Let no messenger go on in a conversation that is being deleted; send nothing more of it."""
    deliveries.cancel_conversation(db, conversation_id)
    db.execute(
        update(ChannelAccount)
        .where(ChannelAccount.conversation_id == conversation_id)
        .values(conversation_id=None)
    )


def _used_last(db: Session, user_id: UUID) -> UUID | None:
    return db.scalar(
        select(Conversation.id)
        .where(Conversation.user_id == user_id, Conversation.deleted_at.is_(None))
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(1)
    )
