"""Audits of messages and money: what stands in the database when everything has come to rest."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.jobs.charging import STEERED

# Each finds what should not be there, as text that says where. `:people` are the drill's own.
FINDINGS = {
    "unfinished": """
        SELECT 'job ' || id || ' is ' || status FROM jobs
         WHERE user_id = ANY(:people) AND status IN ('pending', 'paused', 'running')""",
    "without an end": """
        SELECT 'job ' || j.id || ' is ' || j.status FROM jobs j
         WHERE j.user_id = ANY(:people) AND (
            (j.status = 'completed' AND NOT EXISTS (
                SELECT 1 FROM messages m WHERE m.job_id = j.id AND m.role = 'assistant'))
            OR (j.status = 'failed' AND j.failure_code IS NULL)
            OR (j.status = 'cancelled' AND j.stop_requested_at IS NULL))""",
    "without a job": """
        SELECT 'message ' || m.id FROM messages m
         WHERE m.user_id = ANY(:people) AND m.role = 'user'
           AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.message_id = m.id)""",
    "answered twice": """
        SELECT 'message ' || j.message_id FROM jobs j
          JOIN messages m ON m.job_id = j.id AND m.role = 'assistant'
         WHERE j.user_id = ANY(:people) GROUP BY j.message_id HAVING count(*) > 1""",
    "out of order": """
        SELECT 'job ' || id FROM (
            SELECT id, finished_at, max(finished_at) OVER (
                PARTITION BY user_id ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS before FROM jobs WHERE user_id = ANY(:people) AND finished_at IS NOT NULL) ends
         WHERE finished_at < before""",
    # Calls of an attempt that brought no answer are refunded or absorbed.
    "charged twice": """
        SELECT 'job ' || c.job_id FROM model_calls c
          JOIN transactions t ON t.call_id = c.id AND t.kind = 'charge'
         WHERE c.user_id = ANY(:people)
           AND NOT EXISTS (SELECT 1 FROM transactions r WHERE r.reverses_id = t.id)
           AND NOT EXISTS (SELECT 1 FROM standing_charges s WHERE s.call_id = c.id)
         GROUP BY c.job_id HAVING count(DISTINCT c.attempt) > 1""",
    # Beyond the cap of a day charges stand, and steps that were shown are paid for where the user
    # brought the end about; they are told of both.
    "charged for nothing": """
        SELECT 'job ' || j.id || ': ' || -sum(t.amount_micros) FROM jobs j
          JOIN transactions t ON t.job_id = j.id AND t.kind IN ('charge', 'refund')
         WHERE j.user_id = ANY(:people) AND NOT EXISTS (
            SELECT 1 FROM messages m WHERE m.job_id = j.id AND m.role = 'assistant')
           AND NOT EXISTS (SELECT 1 FROM standing_charges s WHERE s.job_id = j.id)
           AND coalesce(j.failure_code, '') <> ALL(:steered)
         GROUP BY j.id HAVING sum(t.amount_micros) <> 0""",
    "answered for free": """
        SELECT 'job ' || j.id FROM jobs j
         WHERE j.user_id = ANY(:people) AND j.status = 'completed' AND NOT EXISTS (
            SELECT 1 FROM transactions t WHERE t.job_id = j.id AND t.kind = 'charge')""",
    "ledger drift": """
        SELECT 'user ' || u.id || ': ' || u.credits_balance_micros || ' is not '
               || coalesce(sum(t.amount_micros), 0)
          FROM users u LEFT JOIN transactions t ON t.user_id = u.id
         WHERE u.id = ANY(:people) GROUP BY u.id
        HAVING u.credits_balance_micros <> coalesce(sum(t.amount_micros), 0)""",
    "still held": """
        SELECT 'user ' || id || ' ' || credits_held_micros FROM users
         WHERE id = ANY(:people) AND credits_held_micros <> 0
         UNION ALL SELECT 'call ' || id FROM model_calls
         WHERE user_id = ANY(:people) AND status = 'open'""",
}


def audit(db: Session, people: Collection[UUID]) -> dict[str, list[str]]:
    """Return what was found, by the name of the finding; nothing anywhere is as it should be."""
    mine = {"people": list(people), "steered": list(STEERED)}
    return {
        name: list(db.scalars(sa.text(finding), mine).all()) for name, finding in FINDINGS.items()
    }


def lost(db: Session, people: Collection[UUID], accepted: Collection[str]) -> list[str]:
    """List the marks of messages that the site said it has, and that are not there."""
    words = db.scalars(
        sa.text("SELECT text FROM messages WHERE user_id = ANY(:people) AND role = 'user'"),
        {"people": list(people)},
    )
    known = {text.partition(":")[0] for text in words}
    return sorted(mark for mark in accepted if mark not in known)


def doubled(db: Session, people: Collection[UUID]) -> list[str]:
    """List the marks that stand in more messages than one: nobody sent one twice."""
    found = db.scalars(
        sa.text("""
            SELECT split_part(text, ':', 1) FROM messages
             WHERE user_id = ANY(:people) AND role = 'user' AND text LIKE 'mark-%'
             GROUP BY 1 HAVING count(*) > 1"""),
        {"people": list(people)},
    )
    return sorted(found)
