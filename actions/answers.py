"""What a user does with an answer: stop it, ask for it again, let it cost more.

Each takes the caller's session, finds the job through its owner and raises NotFound for any other.
The caller commits; workers and open pages hear of it then.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from actions import offers
from actions.announcements import Publisher, announce_cancelled, announce_queued
from actions.channels import following
from models import jobs, ledger
from models.chat import conversations, uploads
from models.jobs.cancellation import cancel
from models.schema.jobs import Job
from models.schema.users import User


def stop(db: Session, user: User, job_id: UUID, publisher: Publisher) -> Job:
    """Close a job that waits, or ask its worker to stop it; a job that is over stays as it is."""
    job = cancel(db, user.id, job_id)
    announce_cancelled(db, job, publisher)
    return job


def retry(db: Session, user: User, job_id: UUID, publisher: Publisher) -> Job:
    """Queue another job for the message of one that failed or was stopped, and return it.

    Refuses a message that is being answered or has been, one of which nothing is left, and whatever
    `jobs.ask` would refuse as the account stands.
    """
    failed = _find(db, user, job_id)
    job = jobs.ask_again(db, failed, model=offers.current(user).id)
    following.expect(db, job)
    announce_queued(db, job, publisher)
    return job


def go_on(db: Session, user: User, job_id: UUID, publisher: Publisher) -> Job:
    """Queue another job, which may cost more, for a message that reached its limit; return it.

    Refuses a job that ended in any other way, and what `retry` refuses.
    """
    failed = _find(db, user, job_id)
    job = jobs.go_on(db, failed, model=offers.current(user).id)
    following.expect(db, job)
    announce_queued(db, job, publisher)
    return job


def _find(db: Session, user: User, job_id: UUID) -> Job:
    """Find the job as it is under the account's lock: its message may be deleted meanwhile."""
    ledger.lock_account(db, user.id)
    job = jobs.find_own(db, user.id, job_id, lock=True)
    conversations.find_own(db, user.id, job.conversation_id)
    if job.message_id is not None and not uploads.says_anything(db, job.message_id):
        raise jobs.NothingToSend
    return job
