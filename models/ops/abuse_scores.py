"""What speaks against users: looked for by the clock, kept as a score with its reasons.

Each sign gives points. None of them proves anything: somebody looks and decides. Spending is held
against what the user usually spends on a day: the median of the days before, and how far those lie
from it (the median of the distances), which a few odd days do not move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.orm import Session

from models.ops import rollups
from models.schema.abuse import AbuseReason, AbuseScore
from models.schema.users import User

LATELY, LONG_AGO = timedelta(days=7), timedelta(days=30)
PAGE = 30
# From so many on a sign counts.
CROWD, DOMAIN_CROWD, MANY_MESSAGES, MANY_FAILURES = 4, 10, 400, 3
# Days of spending that make a habit; by how many times the usual distance it is left; and what is
# too little to be worth a look.
HABIT_DAYS, FAR, LEAST_MICROS = 5, 6, 2_000_000
# A normal distribution's standard deviation, by the median distance.
SCALE = 1.4826

_SIGNS = """
    WITH decided AS (
        SELECT user_id, network_hash, created_at, false AS is_refused FROM free_credit_claims
        WHERE created_at > :lately AND user_id IS NOT NULL
        UNION ALL
        SELECT user_id, network_hash, created_at, reason <> 'held' FROM free_credit_refusals
        WHERE created_at > :lately AND user_id IS NOT NULL
    ), crowds AS (
        SELECT network_hash, count(DISTINCT user_id) AS number FROM decided
        WHERE network_hash IS NOT NULL GROUP BY 1 HAVING count(DISTINCT user_id) >= :crowd
    ), domains AS (
        SELECT split_part(email, '@', 2) AS domain,
               count(*) FILTER (WHERE created_at > :lately) AS number
        FROM users GROUP BY 1
        HAVING count(*) FILTER (WHERE created_at > :lately) >= :domain_crowd
        AND count(*) FILTER (WHERE created_at < :long_ago) = 0
    ), today AS (
        SELECT user_id, sum(messages) AS messages,
               sum(revenue_micros + free_credit_micros) AS spent
        FROM user_days WHERE begins_at = :today GROUP BY 1
    ), days AS (
        SELECT today.user_id, today.spent AS spent_today,
               user_days.revenue_micros + user_days.free_credit_micros AS spent
        FROM today JOIN user_days ON user_days.user_id = today.user_id
        AND user_days.begins_at < :today AND user_days.begins_at >= :long_ago
        WHERE today.spent > :least_micros
    ), habits AS (
        SELECT user_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY spent) AS usual
        FROM days GROUP BY 1 HAVING count(*) >= :habit_days
    ), signs AS (
        SELECT DISTINCT decided.user_id, 'network_crowded' AS reason, number,
               least(10 * (number - :crowd + 1), 40) AS points
        FROM decided JOIN crowds USING (network_hash)
        UNION ALL
        SELECT users.id, 'domain_crowded', number, 20 FROM users
        JOIN domains ON domains.domain = split_part(users.email, '@', 2)
        WHERE users.created_at > :lately
        UNION ALL
        SELECT user_id, 'credit_refused', count(*), 25 FROM decided WHERE is_refused GROUP BY 1
        UNION ALL
        SELECT user_id, 'shared_card', others, least(30 * others, 60) FROM (
            SELECT user_id, count(*) OVER (PARTITION BY card_fingerprint) - 1 AS others
            FROM billing_accounts WHERE card_fingerprint IS NOT NULL
        ) AS cards WHERE others > 0
        UNION ALL
        SELECT user_id, 'shared_device', count(*), least(15 * (count(*) - 1), 45)
        FROM shared_devices GROUP BY 1 HAVING count(*) > 1
        UNION ALL
        SELECT user_id, 'velocity', messages, 20 FROM today WHERE messages >= :many_messages
        UNION ALL
        SELECT user_id, 'spend_anomaly', spent_today / 10000, 30 FROM (
            SELECT user_id, spent_today, usual,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(spent - usual)) AS distance
            FROM days JOIN habits USING (user_id) GROUP BY 1, 2, 3
        ) AS habit
        WHERE spent_today > greatest(usual + :far * :scale * distance, 2 * usual)
        UNION ALL
        SELECT user_id, 'failed_payments', count(*), least(10 * count(*), 40) FROM payments
        WHERE status = 'failed' AND created_at > :lately
        GROUP BY 1 HAVING count(*) >= :many_failures
        UNION ALL
        SELECT payments.user_id, 'disputed', count(*), 50
        FROM payment_disputes JOIN payments ON payments.id = payment_disputes.payment_id
        WHERE payment_disputes.status <> 'won' GROUP BY 1
    )
    INSERT INTO abuse_scores (user_id, score, reasons, scored_at)
    SELECT user_id, sum(points), jsonb_agg(
               jsonb_build_object('reason', reason, 'number', number, 'points', points)
               ORDER BY points DESC, reason
           ), :now
    FROM signs WHERE NOT EXISTS (
        SELECT 1 FROM access_rules WHERE access_rules.user_id = signs.user_id
        AND verdict = 'allow' AND ended_at IS NULL
    ) GROUP BY user_id
"""
LOCK = 7_305_119


@dataclass(frozen=True)
class Sign:
    """One reason: how much of it was found, and its points."""

    reason: AbuseReason
    number: int
    points: int


@dataclass(frozen=True)
class Suspect:
    """A user, and what speaks against them."""

    user: User
    score: int
    signs: Sequence[Sign]


def rescore(db: Session, now: datetime) -> None:
    """Look for all signs anew, and replace all scores; whoever is on the list to allow has none."""
    db.execute(select(func.pg_advisory_xact_lock(LOCK)))
    db.execute(text("DELETE FROM abuse_scores"))
    values = {
        "now": now,
        "today": rollups.day_floor(now),
        "lately": now - LATELY,
        "long_ago": now - LONG_AGO,
        "crowd": CROWD,
        "domain_crowd": DOMAIN_CROWD,
        "many_messages": MANY_MESSAGES,
        "many_failures": MANY_FAILURES,
        "habit_days": HABIT_DAYS,
        "far": FAR,
        "scale": SCALE,
        "least_micros": LEAST_MICROS,
    }
    db.execute(text(_SIGNS), values)


def list_page(
    db: Session, *, limit: int = PAGE, after: tuple[int, UUID] | None = None
) -> Sequence[Suspect]:
    """List those against whom most speaks: all, or what comes after a score and user."""
    wanted = select(AbuseScore, User).join(User, User.id == AbuseScore.user_id)
    if after is not None:
        score, user_id = after
        wanted = wanted.where(tuple_(-AbuseScore.score, AbuseScore.user_id) > (-score, user_id))
    found = db.execute(
        wanted.order_by(AbuseScore.score.desc(), AbuseScore.user_id).limit(limit)
    ).all()
    return [Suspect(user, one.score, _signs(one)) for one, user in found]


def find(db: Session, user_id: UUID) -> Sequence[Sign]:
    """List what speaks against one user."""
    found = db.get(AbuseScore, user_id)
    return _signs(found) if found else ()


def _signs(found: AbuseScore) -> Sequence[Sign]:
    return [
        Sign(AbuseReason(one["reason"]), int(one["number"]), int(one["points"]))
        for one in found.reasons
    ]
