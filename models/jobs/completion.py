"""How a job ends, and how the next of its lane moves up."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from models import database, ledger
from models.base import new_id
from models.chat import conversations
from models.jobs import charging
from models.jobs.affinity import PREFERRED_UNTIL, PREFERRED_WORKER, preference
from models.schema.chat import Conversation, Message, Role
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import WriteOffReason

NO_TIME = timedelta(0)


@dataclass(frozen=True)
class FinishedAnswer:
    """What a job is completed with; `attempt` proves that it is still ours.

    `is_unwatched`: no browser had it open just before, so its user may have to be told.
    """

    job_id: UUID
    user_id: UUID
    attempt: int
    text: str
    html: str
    is_unwatched: bool = False


# In the order of their ids: two who lock several never wait for each other.
LOCK_ACCOUNTS = text("""
    SELECT id FROM users WHERE id = ANY (:user_ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
""")
# Each step hands all that it was given to the next: joined again to what came before, a set of a
# hundred would be compared ten thousand times. A person has one running job, so no conversation
# comes twice in a set.
COMPLETE = text("""
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:job_ids AS uuid[]), CAST(:attempts AS bigint[]),
            CAST(:reply_ids AS uuid[]), CAST(:texts AS text[]), CAST(:htmls AS text[])
        ) AS answer (job_id, attempt, reply_id, text, html)
    ), ours AS (
        -- Whoever renews leases meanwhile locks in the same order.
        SELECT given.* FROM jobs JOIN given ON given.job_id = jobs.id
        WHERE jobs.status = 'running' AND jobs.attempt = given.attempt
        ORDER BY jobs.id FOR NO KEY UPDATE OF jobs
    ), closed AS (
        UPDATE jobs
        SET status = 'completed', is_head = false, lease_until = NULL,
            finished_at = clock_timestamp()
        FROM ours WHERE jobs.id = ours.job_id
        RETURNING jobs.user_id, jobs.conversation_id, ours.*
    ), saving AS (
        UPDATE users
        SET cell_worker_id = :worker_id, cell_worker_until = clock_timestamp() + :save_time
        FROM closed WHERE users.id = closed.user_id
    ), open AS (
        -- In one that was deleted while this was being written nothing of it is kept.
        UPDATE conversations SET updated_at = clock_timestamp()
        FROM closed
        WHERE conversations.id = closed.conversation_id AND conversations.deleted_at IS NULL
        RETURNING closed.*
    ), replied AS (
        INSERT INTO messages
            (id, conversation_id, user_id, job_id, role, text, html, created_at)
        SELECT reply_id, conversation_id, user_id, job_id, 'assistant', text, html,
               clock_timestamp()
        FROM open
    )
    SELECT job_id FROM closed
""")
PROMOTE = text(f"""
    UPDATE jobs
    SET is_head = true,
        -- Behind the heads of all others who wait: people take turns.
        ready_at = clock_timestamp(),
        preferred_worker_id = {PREFERRED_WORKER}, preferred_until = {PREFERRED_UNTIL}
    FROM users
    WHERE users.id = jobs.user_id AND jobs.id = ANY (ARRAY(
        SELECT oldest.id FROM unnest(CAST(:user_ids AS uuid[])) AS lane (user_id)
        CROSS JOIN LATERAL (
            SELECT id FROM jobs
            WHERE jobs.user_id = lane.user_id AND status = 'pending' AND NOT is_head
            ORDER BY priority, id LIMIT 1
        ) AS oldest
    ))
""")  # noqa: S608  # only words of our own


# What was preferred before may be a worker that has nothing of the user any more.
_PREFER = text(f"""
    UPDATE jobs
    SET preferred_worker_id = {PREFERRED_WORKER}, preferred_until = {PREFERRED_UNTIL}
    FROM users WHERE users.id = jobs.user_id AND jobs.id = :job_id
""")  # noqa: S608  # only words of our own
# The reply to a commit may be lost, and the answer be written again.
_WRITTEN_BEFORE = text("""
    SELECT jobs.id
    FROM jobs JOIN unnest(CAST(:job_ids AS uuid[]), CAST(:attempts AS bigint[]))
        AS answer (job_id, attempt) ON answer.job_id = jobs.id AND answer.attempt = jobs.attempt
    WHERE jobs.status = 'completed' AND jobs.worker_id = :worker_id
""")


def complete_many(
    db: Session, answers: Collection[FinishedAnswer], worker_id: UUID, save_time: timedelta
) -> dict[UUID, bool]:
    """Write answers and close their jobs, all of them in the caller's transaction.

    Returns, by job id, whether it was still ours; for a job that was not, nothing is written. One
    that this worker has completed by this attempt already is ours, and not written twice. A job
    that is missing from the answer belongs to somebody whose account is locked just now: come back.
    For `save_time` only `worker_id`, which has the files of these turns, may take the next jobs of
    these people.
    """
    at_hand = set(db.scalars(LOCK_ACCOUNTS, {"user_ids": [answer.user_id for answer in answers]}))
    reached = [answer for answer in answers if answer.user_id in at_hand]
    if not reached:
        return {}
    given = {
        "job_ids": [answer.job_id for answer in reached],
        "attempts": [answer.attempt for answer in reached],
        "reply_ids": [new_id() for _ in reached],
        "texts": [answer.text for answer in reached],
        "htmls": [answer.html for answer in reached],
        "worker_id": worker_id,
        "save_time": save_time,
    }
    closed = set(db.scalars(COMPLETE, given))
    before = set(db.scalars(_WRITTEN_BEFORE, given)) if len(closed) < len(reached) else set[UUID]()
    promote(db, [answer.user_id for answer in reached if answer.job_id in closed])
    return {answer.job_id: answer.job_id in closed | before for answer in reached}


def fail(  # what is kept of it is by name
    db: Session,
    job: Job,
    code: FailureCode,
    *,
    was_shown: bool = False,
    answer: str = "",
    html: str = "",
) -> None:
    """Close a job that failed.

    `answer` is what was written, and `was_shown` whether anything was seen, if only steps. By its
    code, see `charging`, the part is kept and paid for, or else its charges are given back. Those
    that do not fit into the day's cap stand, and then the part is kept all the same.
    """
    has_words = bool(answer.strip())
    is_paid = charging.is_paid(code, was_shown=was_shown or has_words)
    stands = not is_paid and _has_standing(db, job, code)
    is_kept = has_words and (is_paid or stands)
    reply = _reply(db, job, answer, html) if is_kept else None
    cost = ledger.charged(db, job.id)
    job.failure_code = code
    job.failure_details = {
        "charged_micros": cost,
        # Whether words of the answer are kept, and whether charges could not be given back.
        "has_part": reply is not None,
        "stands": stands,
    }
    _close(db, job, JobStatus.FAILED)


def _has_standing(db: Session, job: Job, code: FailureCode) -> bool:
    """Give a job's charges back; tell whether some stand."""
    return ledger.refund_job(db, job.id, reason=charging.reason_of(code)).standing_micros > 0


def stop(
    db: Session, job: Job, *, answer: str = "", html: str = "", was_shown: bool = True
) -> Message | None:
    """Close a job that the person stopped, keeping what had been written so far.

    Of which nothing was shown, not even a step, is given back, as far as the day's cap goes.
    """
    reply = _reply(db, job, answer, html) if answer else None
    if not was_shown:
        ledger.refund_job(db, job.id, reason=WriteOffReason.NOTHING_SHOWN)
    _close(db, job, JobStatus.CANCELLED)
    return reply


def requeue(db: Session, job: Job, *, wait: timedelta = NO_TIME) -> None:
    """Let any worker try a running job again, at once or after `wait`; it stays head of its lane.

    At once means before all whose turn came later, as if it had never begun. A worker that keeps
    the user's live files goes first, and alone while it saves them. A job that the user asked to
    stop meanwhile is closed instead.
    """
    if job.stop_requested_at is not None:
        stop(db, job)
        return
    job.status = JobStatus.PENDING
    job.lease_until = None
    job.worker_id = None
    if wait > NO_TIME:
        job.ready_at = database.clock(db) + wait
    db.flush()
    db.execute(_PREFER, {"job_id": job.id, **preference()})
    db.expire(job, ["preferred_worker_id", "preferred_until"])


def _reply(db: Session, job: Job, answer: str, html: str) -> Message | None:
    conversation = db.get_one(Conversation, job.conversation_id)
    if conversation.deleted_at is not None:
        # It was deleted while this was being written: then nothing of it is kept.
        return None
    return conversations.say(db, conversation, Role.ASSISTANT, answer, html=html, job_id=job.id)


def _close(db: Session, job: Job, status: JobStatus) -> None:
    was_head = job.is_head
    job.status = status
    job.is_head = False
    job.lease_until = None
    job.finished_at = database.clock(db)
    db.flush()
    if was_head:
        promote(db, [job.user_id])


def promote(db: Session, user_ids: Collection[UUID]) -> None:
    """Make the oldest waiting job of each of these locked accounts the head of its lane."""
    db.execute(PROMOTE, {"user_ids": list(user_ids), **preference()})
