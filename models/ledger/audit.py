"""The auditor: proves that the books balance, and freezes the spending of an account that does not.

Each rule is one statement, so it sees one moment: whatever changes money changes all that the rule
compares in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import new_id, utc_now
from models.ledger.clawbacks import freeze
from models.ledger.entries import lock_account
from models.schema.audits import AuditFinding, AuditRule, AuditRun, Books
from models.schema.ledger import FreezeReason

# Each lists what breaks it: whose it is, what exactly, and by how many micros it is off. In braces
# stands a whole table, what some users have in it, or what is new in it: see
# `models.ledger.incremental_audit`.
TEMPLATES: Mapping[AuditRule, str] = {
    AuditRule.BALANCE_IS_SUM: """
        SELECT users.id AS user_id, 'user:' || users.id AS subject,
               users.credits_balance_micros - coalesce(sum(amount_micros), 0) AS off_by_micros
        FROM users LEFT JOIN {summed} AS entry ON entry.user_id = users.id
        GROUP BY users.id
        HAVING users.credits_balance_micros <> coalesce(sum(amount_micros), 0)""",
    AuditRule.GRANTED_IS_SUM: """
        SELECT users.id AS user_id, 'user:' || users.id AS subject,
               users.credits_promotional_micros - coalesce(sum(promotional_micros), 0)
                   AS off_by_micros
        FROM users LEFT JOIN {summed} AS entry ON entry.user_id = users.id
        GROUP BY users.id
        HAVING users.credits_promotional_micros <> coalesce(sum(promotional_micros), 0)""",
    AuditRule.HELD_BY_OPEN_CALLS: """
        SELECT users.id AS user_id, 'user:' || users.id AS subject,
               users.credits_held_micros - coalesce(sum(held_micros), 0) AS off_by_micros
        FROM users
        LEFT JOIN model_calls ON model_calls.user_id = users.id AND model_calls.status = 'open'
        GROUP BY users.id
        HAVING users.credits_held_micros <> coalesce(sum(held_micros), 0)""",
    AuditRule.CHARGE_HAS_CALL: """
        SELECT entry.user_id, entry.reference AS subject, entry.amount_micros AS off_by_micros
        FROM {entries} AS entry
        LEFT JOIN {their_calls} AS call
               ON call.id = entry.call_id AND call.user_id = entry.user_id
        WHERE (entry.kind = 'charge' OR entry.reason IN
                   ('call_lost', 'late_call', 'beyond_hold', 'nothing_heard'))
          AND (call.id IS NULL OR call.status = 'open')""",
    # One that failed before anything came has used nothing: `failed` is its reason.
    AuditRule.CALL_HAS_CHARGE: """
        SELECT call.user_id, 'call:' || call.id AS subject, 0 AS off_by_micros
        FROM {calls} AS call
        LEFT JOIN {their_entries} AS entry
               ON entry.call_id = call.id
              AND (entry.kind = 'charge'
                   OR entry.reason IN ('call_lost', 'late_call', 'nothing_heard'))
        WHERE call.status NOT IN ('open', 'failed') AND entry.id IS NULL""",
    AuditRule.REFUND_IS_WHOLE: """
        SELECT refund.user_id, refund.reference AS subject,
               refund.amount_micros + coalesce(charge.amount_micros, 0) AS off_by_micros
        FROM {entries} AS refund
        LEFT JOIN transactions AS charge
               ON charge.id = refund.reverses_id
              AND charge.kind = 'charge' AND charge.user_id = refund.user_id
        WHERE refund.kind = 'refund'
          AND refund.amount_micros + coalesce(charge.amount_micros, 0) <> 0""",
    AuditRule.WRITE_OFF_HAS_REASON: """
        SELECT user_id, reference AS subject, amount_micros AS off_by_micros
        FROM {entries} AS entry
        WHERE (kind IN ('refund', 'absorbed')) <> (reason IS NOT NULL)""",
    # By days of UTC. Of several caps, as the setting was changed, the largest counts.
    AuditRule.WITHIN_DAILY_CAP: """
        SELECT user_id, date_trunc('day', created_at, 'UTC')::date::text AS subject,
               sum(carried_micros) - max(cap_micros) AS off_by_micros
        FROM {capped} AS capped
        WHERE cap_micros IS NOT NULL
        GROUP BY user_id, date_trunc('day', created_at, 'UTC')
        HAVING sum(carried_micros) > max(cap_micros)""",
    AuditRule.CHARGE_STANDS_OR_RETURNED: """
        SELECT stands.user_id, 'call:' || stands.call_id AS subject,
               coalesce(refund.amount_micros, -stands.charged_micros) AS off_by_micros
        FROM {standing} AS stands
        LEFT JOIN transactions AS charge
               ON charge.call_id = stands.call_id AND charge.kind = 'charge'
              AND charge.amount_micros = -stands.charged_micros
        LEFT JOIN transactions AS refund
               ON refund.call_id = stands.call_id AND refund.kind = 'refund'
        WHERE charge.id IS NULL OR (refund.id IS NULL) <> (stands.given_back_at IS NULL)""",
    # No join of the two, so that to audit one user is to read what is theirs, not all books.
    AuditRule.PAID_IS_TOPPED_UP: """
        SELECT user_id, subject, sum(amount_micros) AS off_by_micros
        FROM (
            SELECT user_id, reference AS subject, amount_micros
            FROM {entries} AS entry WHERE kind = 'top_up'
            UNION ALL
            SELECT user_id, 'payment:' || id, -amount_micros
            FROM {payments} AS payment WHERE status = 'paid'
        ) AS moved
        GROUP BY user_id, subject
        HAVING sum(amount_micros) <> 0""",
    AuditRule.RETURNED_IS_REFUNDED: """
        SELECT payment.user_id, 'payment:' || payment.id AS subject,
               payment.returned_micros
                   - coalesce(sum(refund.taken_micros + refund.absorbed_micros), 0)
                   AS off_by_micros
        FROM payments AS payment
        LEFT JOIN payment_refunds AS refund
               ON refund.payment_id = payment.id AND refund.failed_at IS NULL
        GROUP BY payment.id
        HAVING payment.returned_micros
               <> coalesce(sum(refund.taken_micros + refund.absorbed_micros), 0)""",
}
WHOLE = {
    "summed": "transactions",
    "entries": "transactions",
    "their_calls": "model_calls",
    "their_entries": "transactions",
    "capped": "transactions",
    "calls": "model_calls",
    "standing": "standing_charges",
    "payments": "payments",
}
RULES = {rule: template.format_map(WHOLE) for rule, template in TEMPLATES.items()}
# Some users' entries and calls lie all over the tables, so they are fetched once for all rules.
_OF_SOME = {
    **WHOLE,
    **dict.fromkeys(("summed", "entries", "capped"), "own_entries"),
    **dict.fromkeys(("calls", "their_calls"), "own_calls"),
}
_OWN = """
    WITH own_entries AS MATERIALIZED (SELECT * FROM transactions WHERE user_id = ANY(:only)),
         own_calls AS MATERIALIZED (SELECT * FROM model_calls WHERE user_id = ANY(:only))
"""
_AUDIT_OF_SOME = _OWN + " UNION ALL ".join(
    f"SELECT '{rule}' AS rule, * FROM ({template.format_map(_OF_SOME)}) AS broken"  # noqa: S608
    " WHERE user_id = ANY(:only)"
    for rule, template in TEMPLATES.items()
)
# So many users' entries fit into memory.
AT_ONCE = 50


@dataclass(frozen=True)
class Mismatch:
    """Something that breaks a rule."""

    user_id: UUID
    rule: AuditRule
    subject: str
    off_by_micros: int


def audit(db: Session, only: UUID | None = None) -> dict[AuditRule, list[Mismatch]]:
    """Hold every account, or `only` one, to every rule; return what breaks each of them.

    It changes nothing.
    """
    return {rule: _broken(db, rule, statement, only) for rule, statement in RULES.items()}


def audit_some(db: Session, users: Collection[UUID]) -> dict[AuditRule, list[Mismatch]]:
    """Find of some users what `audit` finds of each, for less; it changes nothing either."""
    broken: dict[AuditRule, list[Mismatch]] = {rule: [] for rule in RULES}
    everybody = sorted(users)
    for first in range(0, len(everybody), AT_ONCE):
        some = everybody[first : first + AT_ONCE]
        for row in db.execute(text(_AUDIT_OF_SOME), {"only": some}):
            rule = AuditRule(row.rule)
            broken[rule].append(Mismatch(row.user_id, rule, row.subject, int(row.off_by_micros)))
    return broken


def note(db: Session, mismatch: Mismatch) -> bool:
    """Keep what an audit found and freeze the account's spending; False if it is known already."""
    user = lock_account(db, mismatch.user_id)
    kept = db.scalar(
        insert(AuditFinding)
        .values(id=new_id(), **vars(mismatch))
        .on_conflict_do_nothing(
            index_elements=["rule", "subject", "off_by_micros"],
            index_where=AuditFinding.resolved_at.is_(None),
        )
        .returning(AuditFinding.id)
    )
    if kept is None:
        return False
    # Also of one that is frozen for something that ends by itself: this does not.
    freeze(user, FreezeReason.AUDIT)
    db.flush()
    return True


def resolve(
    db: Session, rule: AuditRule, seen: Collection[Mismatch], *, found_before: datetime
) -> list[AuditFinding]:
    """End the findings of a rule that an audit, begun at `found_before`, saw no more; return them.

    The account stays frozen until somebody has looked: see `models.ledger.freezes`.
    """
    still = {(one.subject, one.off_by_micros) for one in seen}
    known = db.scalars(
        open_findings().where(AuditFinding.rule == rule, AuditFinding.created_at < found_before)
    )
    over = [one for one in known if (one.subject, one.off_by_micros) not in still]
    for finding in over:
        finding.resolved_at = utc_now()
    db.flush()
    return over


def open_findings() -> Select[AuditFinding]:
    """Select what audits have found and still see, oldest first."""
    return select(AuditFinding).where(AuditFinding.resolved_at.is_(None)).order_by(AuditFinding.id)


def note_run(db: Session, books: Books, began_at: datetime) -> None:
    """Keep when the last audit of these books began; call it once what it found is kept."""
    ended = insert(AuditRun).values(books=books, began_at=began_at)
    # Of two at once the later counts.
    latest = func.greatest(AuditRun.began_at, ended.excluded.began_at)
    db.execute(
        ended.on_conflict_do_update(index_elements=[AuditRun.books], set_={"began_at": latest})
    )


def last_runs(db: Session) -> dict[Books, datetime]:
    """Tell when the last audit began of those books that were audited at all."""
    return {one.books: one.began_at for one in db.scalars(select(AuditRun))}


def _broken(db: Session, rule: AuditRule, statement: str, only: UUID | None) -> list[Mismatch]:
    if only is not None:
        statement = f"SELECT * FROM ({statement}) AS broken WHERE user_id = :only"  # noqa: S608
    found = db.execute(text(statement), {"only": only} if only else {})
    rows: Sequence[tuple[UUID, str, int]] = [
        (row.user_id, row.subject, int(row.off_by_micros)) for row in found
    ]
    return [Mismatch(user_id, rule, subject, off_by) for user_id, subject, off_by in rows]
