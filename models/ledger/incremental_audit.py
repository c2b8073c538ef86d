"""The hourly audit: its cost follows what has changed, not what was ever written.

What was summed up once is kept: for each user the sum of their entries up to a moment, and only
newer entries are added to it. All balances are held against that; the other rules look at entries,
calls and payments that are new. Whoever any of this makes suspect is audited as a whole, so that
nothing is found here that a full audit would not find. What was changed behind the back of all
this, in old rows, is found by the rolling part: a few users each time, as a whole, in turns.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from models.base import utc_now
from models.ledger.audit import TEMPLATES, Mismatch, audit, audit_some, open_findings
from models.ops.retention import first_id
from models.schema.audits import AuditFinding, AuditRule, AuditRun, Books
from models.schema.users import User

# An entry may be committed so long after its id was made, by a clock that is so much behind.
LAG = timedelta(minutes=15)
# Every user has been audited as a whole after so many audits: within a month, by the hour.
ROUNDS = 720
# A call is older than its entry, or its end, by so much at most, but for few.
CALL_AGE = timedelta(hours=1)
_NEW = {
    "entries": "(SELECT * FROM transactions WHERE id > :through)",
    "their_calls": "(SELECT * FROM model_calls WHERE id > :before)",
    "their_entries": "(SELECT * FROM transactions WHERE id > :before)",
    # All of a day on which anything was given back.
    "capped": """(
        SELECT entry.* FROM transactions AS entry JOIN (
            SELECT DISTINCT user_id, date_trunc('day', created_at, 'UTC') AS day
            FROM transactions WHERE id > :through AND cap_micros IS NOT NULL
        ) AS new ON entry.user_id = new.user_id
                AND entry.created_at >= new.day AND entry.created_at < new.day + interval '1 day'
    )""",
    "calls": "(SELECT * FROM model_calls WHERE closed_at > :since)",
    "standing": """(SELECT * FROM standing_charges
                    WHERE created_at > :since OR given_back_at > :since)""",
    "payments": "(SELECT * FROM payments WHERE paid_at > :since)",
}
# These two compare sums; the others list single rows.
_SUMMED = (AuditRule.BALANCE_IS_SUM, AuditRule.GRANTED_IS_SUM)
_UNEQUAL_SUMS = text("""
    SELECT users.id FROM users
    LEFT JOIN audit_sums AS kept ON kept.user_id = users.id
    LEFT JOIN (
        SELECT user_id, sum(amount_micros) AS amount, sum(promotional_micros) AS granted
        FROM transactions WHERE id > :through GROUP BY user_id
    ) AS new ON new.user_id = users.id
    WHERE credits_balance_micros <> coalesce(kept.amount_micros, 0) + coalesce(new.amount, 0)
       OR credits_promotional_micros <> coalesce(kept.granted_micros, 0) + coalesce(new.granted, 0)
""")
_ADD_UP = """
    INSERT INTO audit_sums (user_id, amount_micros, granted_micros)
    SELECT user_id, sum(amount_micros), sum(promotional_micros)
    FROM transactions WHERE id > :after AND id <= :until{only} GROUP BY user_id
    ON CONFLICT (user_id) DO UPDATE
    SET amount_micros = audit_sums.amount_micros + excluded.amount_micros,
        granted_micros = audit_sums.granted_micros + excluded.granted_micros
"""
_FIRST = UUID(int=0)


@dataclass(frozen=True)
class Since:
    """Up to when the books were added up, and whom the rolling part audited last."""

    through_at: datetime
    rolled_id: UUID


def audit_changes(db: Session) -> Mapping[AuditRule, list[Mismatch]]:
    """Audit what is new since the last time, and a few users as a whole; return what is broken.

    It finds of them what `audit` finds. The first time it looks at everything. It changes only what
    it remembers itself.
    """
    now, since = utc_now(), _since(db)
    if since is None:
        broken = audit(db)
        _remember(db, _FIRST, first_id(now - LAG))
        _note(db, Since(now - LAG, _FIRST))
        return broken
    rolled = _next_in_turn(db, since.rolled_id)
    suspects = _suspects(db, since)
    broken = audit_some(db, {*suspects, *rolled, *_with_findings(db)})
    _remember(db, first_id(since.through_at), first_id(now - LAG))
    _note(db, Since(now - LAG, rolled[-1] if rolled else _FIRST))
    _forget_wrong_sums(db, suspects, first_id(now - LAG))
    return broken


def _since(db: Session) -> Since | None:
    run = db.get(AuditRun, Books.LEDGER)
    if run is None or run.through_at is None:
        return None
    return Since(run.through_at, run.rolled_id or _FIRST)


def _note(db: Session, since: Since) -> None:
    run = db.get(AuditRun, Books.LEDGER)
    if run is None:
        run = AuditRun(books=Books.LEDGER, began_at=utc_now())
        db.add(run)
    run.through_at, run.rolled_id = since.through_at, since.rolled_id
    db.flush()


def _suspects(db: Session, since: Since) -> set[UUID]:
    """Return who may break a rule by what is new."""
    given = {
        "through": first_id(since.through_at),
        "since": since.through_at,
        "before": first_id(since.through_at - CALL_AGE),
    }
    found = set(db.scalars(_UNEQUAL_SUMS, {"through": given["through"]}))
    for rule, template in TEMPLATES.items():
        if rule not in _SUMMED:
            statement = template.format_map(_NEW)
            bound = {name: value for name, value in given.items() if f":{name}" in statement}
            found |= {row.user_id for row in db.execute(text(statement), bound)}
    return found


def _next_in_turn(db: Session, after: UUID) -> list[UUID]:
    """Return the next users by their ids, so many that all have had their turn in `ROUNDS`."""
    share = -(-(db.scalar(select(func.count()).select_from(User)) or 0) // ROUNDS)
    following = select(User.id).where(User.id > after).order_by(User.id).limit(share)
    return list(db.scalars(following))


def _with_findings(db: Session) -> set[UUID]:
    """Return whose findings are open: they end as soon as they are true no more."""
    return set(db.scalars(open_findings().with_only_columns(AuditFinding.user_id).order_by(None)))


def _remember(db: Session, after: UUID, until: UUID) -> None:
    """Add the entries of a stretch to what is kept."""
    db.execute(text(_ADD_UP.format(only="")), {"after": after, "until": until})


def _forget_wrong_sums(db: Session, suspects: Collection[UUID], until: UUID) -> None:
    """Add up anew for whoever was suspect: an entry may have come later than it should have."""
    if suspects:
        given = {"only": list(suspects)}
        db.execute(text("DELETE FROM audit_sums WHERE user_id = ANY(:only)"), given)
        again = _ADD_UP.format(only=" AND user_id = ANY(:only)")
        db.execute(text(again), {"after": _FIRST, "until": until, **given})
