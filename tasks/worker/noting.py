"""Takes over what an assistant wrote into MEMORY.md itself, before its job is closed.

So the next turn, wherever it is, is shown it as notes; and nothing is lost that was written while
the user changed their notes on the page.
"""

from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from agent.memory import Edited, Noted
from agent.turn import AgentFailed
from models import jobs
from models.database import unit_of_work
from models.errors import NotFound
from models.jobs import LeaseLost
from models.memory import notes
from models.memory.notes import BadNote, TooManyNotes
from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.memory import MemoryNote, NoteAuthor
from tasks.worker import shown_notes
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess

log = structlog.get_logger()

BY = NoteAuthor.ASSISTANT


def take_over(process: WorkerProcess, held: LeasedJob) -> None:
    """Make notes of it, and draw the file anew. Raises LeaseLost when the job is not ours any more.

    In a conversation that is not to be remembered, or that its user deleted meanwhile, the file is
    put back as it was. A cell that is gone by then has nothing to take over: what it knew is lost
    with it, as it is with any crash. Whatever else goes wrong is logged: no answer is lost by what
    was noted beside it.
    """
    try:
        noted = process.runtime.noted(held.user_id)
        if noted is None:
            return
        with unit_of_work() as db:
            user, job = jobs.lock_held(db, held.job_id, held.attempt)
            talk = db.get_one(Conversation, job.conversation_id)
            is_remembered = talk.is_remembered and talk.deleted_at is None
            if is_remembered:
                _note(db, job, noted)
            left = shown_notes.list_for(db, user)
        carried = () if is_remembered else noted.carried
        process.runtime.show_notes(held.user_id, left, carried)
    except LeaseLost:
        raise
    except AgentFailed as error:
        log.warning("memory.not_taken_over", job_id=str(held.job_id), code=error.code)
    except Exception:
        log.exception("memory.not_taken_over", job_id=str(held.job_id))
    else:
        log.info("memory.taken_over", job_id=str(held.job_id), is_remembered=is_remembered)


def _note(db: Session, job: Job, noted: Noted) -> None:
    for words in noted.carried:
        _add(db, job.user_id, words, None)
    for words in noted.added:
        _add(db, job.user_id, words, job)
    for one in noted.edited:
        note = _as_shown(db, job, one)
        if note is None:
            # The user has changed or deleted it meanwhile: both stand.
            _add(db, job.user_id, one.words, job)
        else:
            notes.edit(db, note, one.words, author=BY, **_where(job))
    for one in noted.removed:
        note = _as_shown(db, job, one)
        if note is not None:
            notes.remove(db, note, author=BY)


def _as_shown(db: Session, job: Job, one: Edited) -> MemoryNote | None:
    try:
        note = notes.find_by_number(db, job.user_id, one.number)
    except NotFound:
        return None
    return note if note.words == one.before else None


def _add(db: Session, user_id: UUID, words: str, job: Job | None) -> None:
    try:
        notes.add(db, user_id, words, author=BY, **(_where(job) if job else {}))
    except (BadNote, TooManyNotes) as refusal:
        log.info("memory.not_noted", user_id=str(user_id), code=refusal.code)


def _where(job: Job) -> dict[str, UUID | None]:
    return {"conversation_id": job.conversation_id, "message_id": job.message_id}
