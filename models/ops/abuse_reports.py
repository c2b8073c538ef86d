"""Where newcomers come from, and what goes wrong with payments: the week at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.schema.free_credit import FreeCreditRefusal
from models.schema.payments import Dispute, DisputeStatus, Payment, PaymentStatus
from models.schema.users import User

WEEK = timedelta(days=7)
MOST = 10


@dataclass(frozen=True)
class Origin:
    """A network, by its hash, or a domain: who came from there, and who was refused the credit."""

    name: str
    sign_ups: int
    refused: int


@dataclass(frozen=True)
class Week:
    """What there was within seven days; disputes that are open or lost, of all time."""

    sign_ups: int
    refused: int
    failed_payments: int
    disputes: int
    networks: Sequence[Origin]
    domains: Sequence[Origin]


_NETWORKS = text("""
    SELECT network_hash, count(DISTINCT user_id), count(DISTINCT user_id) FILTER (WHERE is_refused)
    FROM (
        SELECT network_hash, user_id, false AS is_refused FROM free_credit_claims
        WHERE created_at > :since
        UNION ALL
        SELECT network_hash, user_id, true FROM free_credit_refusals WHERE created_at > :since
    ) AS decided
    WHERE network_hash IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
""")
_DOMAINS = text("""
    SELECT split_part(users.email, '@', 2), count(DISTINCT users.id),
           count(DISTINCT free_credit_refusals.user_id)
    FROM users LEFT JOIN free_credit_refusals ON free_credit_refusals.user_id = users.id
    WHERE users.created_at > :since GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most
""")


def read(db: Session, now: datetime) -> Week:
    """Read the last seven days."""
    since = now - WEEK
    window = {"since": since, "most": MOST}
    failed = Payment.status == PaymentStatus.FAILED, Payment.created_at > since
    return Week(
        sign_ups=_count(db, User.id, User.created_at > since),
        refused=_count(db, FreeCreditRefusal.id, FreeCreditRefusal.created_at > since),
        failed_payments=_count(db, Payment.id, *failed),
        disputes=_count(db, Dispute.id, Dispute.status != DisputeStatus.WON),
        networks=[Origin(*row) for row in db.execute(_NETWORKS, window)],
        domains=[Origin(*row) for row in db.execute(_DOMAINS, window)],
    )


def _count(
    db: Session, what: InstrumentedAttribute[object], *conditions: ColumnElement[bool]
) -> int:
    return db.scalar(select(func.count(what)).where(*conditions)) or 0
