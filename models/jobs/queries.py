"""What people and pages ask about jobs."""

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.errors import NotFound
from models.ops import switches
from models.ops.switches import Pause
from models.schema.chat import ASSISTANT, WEB, Message
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus

UNFINISHED = (JobStatus.PENDING, JobStatus.PAUSED, JobStatus.RUNNING)
# Enough to know that it takes long; counting on would cost each who watches a full queue.
MOST_COUNTED = 200


def find_own(db: Session, user_id: UUID, job_id: UUID, *, lock: bool = False) -> Job:
    """Find one of this person's jobs, or raise NotFound."""
    wanted = select(Job).where(Job.id == job_id, Job.user_id == user_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    job = db.scalar(wanted)
    if job is None:
        raise NotFound
    return job


def find_pause(db: Session, job: Job) -> Pause | None:
    """Return the pause by which an admin keeps a waiting job from being claimed, or None."""
    now = switches.current(db)
    if not now.pauses or job.status is not JobStatus.PENDING:
        return None
    channel = db.scalar(select(Message.channel).where(Message.id == job.message_id))
    return now.find_pause(job.model.partition("/")[0], channel or WEB)


def written_so_far(db: Session, job: Job) -> str:
    """Return what the job before wrote for the same message until it reached its limit, or ""."""
    before = (
        select(Job.id, Job.failure_code)
        .where(Job.message_id == job.message_id, Job.id < job.id)
        .order_by(Job.id.desc())
        .limit(1)
        .subquery()
    )
    answer = (
        select(Message.text)
        .join(before, Message.job_id == before.c.id)
        .where(before.c.failure_code == FailureCode.MESSAGE_LIMIT, Message.role == ASSISTANT)
    )
    return db.scalar(answer) or ""


# Heads that a worker may take before this one. Whoever waits for the worker that holds their own
# cell is not among them: they take no cell that this person could have.
_BEFORE = text("""
    WITH mine AS (
        SELECT priority, ready_at, id, preferred_until FROM jobs
        WHERE id = :job_id AND status = 'pending' AND is_head
    ), before AS (
        SELECT 1 FROM jobs, mine
        WHERE jobs.status = 'pending' AND jobs.is_head
          AND (jobs.priority, jobs.ready_at, jobs.id) < (mine.priority, mine.ready_at, mine.id)
          AND (jobs.preferred_until IS NULL OR jobs.preferred_until <= statement_timestamp())
        LIMIT :most
    )
    SELECT CASE WHEN mine.preferred_until > statement_timestamp() THEN 0
                ELSE (SELECT count(*) FROM before) END
    FROM mine
""")


def position(db: Session, job: Job) -> int | None:
    """Count the people who will be answered before this job; at most MOST_COUNTED.

    Of each person only the head counts, whatever else they have waiting: people take turns. For the
    same reason there is no number for a job that waits behind others of its own lane: then, and
    when it does not wait at all, it is None.
    """
    return db.scalar(_BEFORE, {"job_id": job.id, "most": MOST_COUNTED})
