"""The work of a job beside the queue's own: the reply, one entry in the ledger, the balance."""

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.queues.databases import Sent
from models.base import new_id
from models.jobs import FinishedAnswer

REPLY = "It was a no-op, done with care and at length. " * 5

MESSAGES = sa.text("""
    INSERT INTO messages (id, conversation_id, user_id, role, text)
    VALUES (:message_id, :conversation_id, :user_id, 'user', 'Hello there?')
""")
# For one job, in psycopg's words: what the other queues run, in one statement and one commit.
WORK = """
    WITH replied AS (
        INSERT INTO messages (id, conversation_id, user_id, role, text, html, created_at)
        VALUES (gen_random_uuid(), CAST(%(conversation_id)s AS uuid), CAST(%(user_id)s AS uuid),
                'assistant', CAST(%(reply)s AS text), CAST(%(reply)s AS text), clock_timestamp())
    ), booked AS (
        INSERT INTO transactions (id, user_id, kind, amount_micros, reference, created_at)
        VALUES (gen_random_uuid(), CAST(%(user_id)s AS uuid), 'charge', -1,
                'bench:' || CAST(%(message_id)s AS text), clock_timestamp())
    ), used AS (
        UPDATE conversations SET updated_at = clock_timestamp()
        WHERE id = CAST(%(conversation_id)s AS uuid)
    )
    UPDATE users SET credits_balance_micros = credits_balance_micros - 1
    WHERE id = CAST(%(user_id)s AS uuid)
"""
# For a set of jobs, beside `jobs.complete_many`, which writes the replies.
CHARGE = sa.text("""
    WITH given AS (
        SELECT * FROM unnest(CAST(:job_ids AS uuid[]), CAST(:user_ids AS uuid[]))
            AS closed (job_id, user_id)
    ), booked AS (
        INSERT INTO transactions (id, user_id, kind, amount_micros, reference, job_id, created_at)
        SELECT gen_random_uuid(), user_id, 'charge', -1, 'bench:' || job_id, job_id,
               clock_timestamp()
        FROM given
    )
    UPDATE users SET credits_balance_micros = credits_balance_micros - 1
    FROM given WHERE users.id = given.user_id
""")


def write_messages(connection: sa.Connection, each: int) -> list[Sent]:
    """Write `each` messages of every person, one of each in turn."""
    sent = [one for _ in range(each) for one in unwritten(connection)]
    if sent:
        connection.execute(MESSAGES, [vars(one) for one in sent])
    return sent


def unwritten(connection: sa.Connection) -> list[Sent]:
    """A message of every person that is not written yet."""
    people = connection.execute(sa.text("SELECT user_id, id FROM conversations ORDER BY id"))
    return [Sent(new_id(), user_id, conversation_id) for user_id, conversation_id in people]


def write_one(connection: sa.Connection, message: Sent) -> None:
    """Write a person's message, as each queue's sender does in its transaction."""
    connection.execute(MESSAGES, vars(message))


def charge(db: Session, answers: Collection[FinishedAnswer]) -> None:
    """Book one entry for each of these jobs of ours."""
    given: dict[str, Sequence[object]] = {
        "job_ids": [answer.job_id for answer in answers],
        "user_ids": [answer.user_id for answer in answers],
    }
    db.execute(CHARGE, given)
