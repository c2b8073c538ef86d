"""Who has had the free credit, who has been refused it, and why."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id
from models.jobs.pausing import resume
from models.ops import switches
from models.people import access_rules
from models.people.identity_keys import hashed, is_blocked, is_disposable, mailbox_of, network_of
from models.schema.abuse import Verdict
from models.schema.free_credit import FreeCreditClaim, FreeCreditRefusal, RefusalReason
from models.schema.ledger import Transaction
from models.schema.users import User

WEEK = timedelta(days=7)
# What a list of admins says of somebody, which comes before all else.
LISTED: Mapping[Verdict, RefusalReason | None] = {
    Verdict.ALLOW: None,
    Verdict.HOLD: RefusalReason.HELD,
    Verdict.BLOCK: RefusalReason.LISTED,
}


def decide(db: Session, user: User, network_address: str | None) -> RefusalReason | None:
    """Give a locked account the free credit, once; else keep the reason why not and return it.

    The account's address must be verified, and `network_address` is where that was done.
    """
    amount, reference = switches.current(db).sign_up_grant_micros, f"sign-up:{user.id}"
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
        resume(db, user.id)
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
    verdict = access_rules.verdict_on(db, user.email, ip, user.id)
    if verdict is not None:
        return LISTED[verdict]
    if is_blocked(user.email, ip):
        return RefusalReason.BLOCKED
    if is_disposable(user.email):
        return RefusalReason.DISPOSABLE
    if network_hash and _is_exhausted(db, str(network_hash)):
        return RefusalReason.NETWORK
    return None


def _is_exhausted(db: Session, network_hash: str) -> bool:
    limit = switches.current(db).free_grants_per_network
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
