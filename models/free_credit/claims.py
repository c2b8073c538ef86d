"""Who has had the free credit, who has been refused it, and why."""

import enum
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from models import ledger
from models.base import Base, Created, PrimaryKey, new_id, stored_as_text
from models.free_credit.same_person import (
    hashed,
    is_blocked,
    is_disposable,
    mailbox_of,
    network_of,
)
from models.ledger import Transaction
from models.users import User
from settings import get_settings

WEEK = timedelta(days=7)


class RefusalReason(enum.StrEnum):
    CLAIMED = "claimed"
    DISPOSABLE = "disposable"
    BLOCKED = "blocked"
    NETWORK = "network"


class FreeCreditClaim(Base):
    __tablename__ = "free_credit_claims"
    __table_args__ = (
        Index("ix_free_credit_claims_network_hash_created_at", "network_hash", "created_at"),
    )

    id: Mapped[PrimaryKey]
    # Without its person when the account is gone: the mailbox has had the credit all the same.
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    mailbox_hash: Mapped[str] = mapped_column(unique=True)
    network_hash: Mapped[str | None]
    created_at: Mapped[Created]


class FreeCreditRefusal(Base):
    __tablename__ = "free_credit_refusals"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    reason: Mapped[RefusalReason] = mapped_column(stored_as_text(RefusalReason))
    mailbox_hash: Mapped[str]
    network_hash: Mapped[str | None]
    created_at: Mapped[Created]


def decide(db: Session, user: User, network_address: str | None) -> RefusalReason | None:
    """Give a locked account the free credit, once; else keep the reason why not and return it.

    The account's address must be verified, and `network_address` is where that was done.
    """
    amount, reference = get_settings().sign_up_grant_micros, f"sign-up:{user.id}"
    if not amount or ledger.is_booked(db, reference):
        return None
    network = network_of(network_address)
    marks = {
        "user_id": user.id,
        "mailbox_hash": hashed("mailbox", mailbox_of(user.email)),
        "network_hash": hashed("network", network) if network else None,
    }
    reason = _objection(db, user, network_address, marks["network_hash"])
    if reason is None and not _claim(db, marks):
        reason = RefusalReason.CLAIMED
    if reason is None:
        ledger.grant(db, user.id, amount, reference=reference)
    else:
        db.add(FreeCreditRefusal(reason=reason, **marks))
    db.flush()
    return reason


def find_refusal(db: Session, user_id: UUID) -> RefusalReason | None:
    """Tell why this person was refused the free credit last.

    None if they were not, or have had credit of whatever kind since.
    """
    has_had_credit = exists().where(Transaction.user_id == user_id)
    latest = select(FreeCreditRefusal.reason).where(
        FreeCreditRefusal.user_id == user_id, ~has_had_credit
    )
    return db.scalar(latest.order_by(FreeCreditRefusal.id.desc()).limit(1))


def _objection(
    db: Session, user: User, ip: str | None, network_hash: object
) -> RefusalReason | None:
    if is_blocked(user.email, ip):
        return RefusalReason.BLOCKED
    if is_disposable(user.email):
        return RefusalReason.DISPOSABLE
    if network_hash and _is_exhausted(db, str(network_hash)):
        return RefusalReason.NETWORK
    return None


def _is_exhausted(db: Session, network_hash: str) -> bool:
    limit = get_settings().free_grants_per_network
    if not limit:
        return False
    # Counting and claiming go in single file, or several at once would each be the last.
    db.execute(text("SELECT pg_advisory_xact_lock(hashtext(:of))"), {"of": network_hash})
    lately = select(func.count()).where(
        FreeCreditClaim.network_hash == network_hash,
        FreeCreditClaim.created_at > func.clock_timestamp() - WEEK,
    )
    return (db.scalar(lately) or 0) >= limit


def _claim(db: Session, marks: Mapping[str, object]) -> bool:
    """Note the claim of a mailbox; False if it has claimed before, or does so just now."""
    claim = insert(FreeCreditClaim).values(id=new_id(), **marks)
    claim = claim.on_conflict_do_nothing(index_elements=[FreeCreditClaim.mailbox_hash])
    return db.scalar(claim.returning(FreeCreditClaim.id)) is not None
