"""Brings together what a turn needs: the message, its files, the person, what was said before."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session, joinedload

from actions.sentences.reminders import since_due
from agent.tools.registry import SERVER
from agent.turn import (
    Attachment,
    Exchange,
    FileToPlace,
    Note,
    Profile,
    Reminded,
    SavedPack,
    SavedState,
    Turn,
)
from gateways.s3_files import Storage
from models import jobs
from models.archives import imported
from models.chat import context, erasures, research
from models.database import unit_of_work
from models.ops import snapshots
from models.reminders import queries, task_runs
from models.schema.archives import ImportedFile
from models.schema.chat import Conversation, Message
from models.schema.jobs import Job, JobOrigin
from models.schema.snapshots import StateSnapshot
from models.schema.uploads import Upload
from models.schema.users import User
from tasks.worker import shown_notes

# Enough to be remembered by, and little enough to pay for with each message.
RECENT_EXCHANGES = 8
# Of a conversation of which the assistant has lost all, as a message of it was deleted.
RETOLD_EXCHANGES = 40
# Of an answer that is to be continued: what comes before is in the conversation too.
SO_FAR_CHARS = 2_000
GO_ON = """{words}

(Your answer to this stopped at a cost limit, which has been raised. It ended like this:)
{so_far}
(Go on from there without repeating it.)"""


NOTHING_TO_TELL = f"{SERVER}__nothing_to_tell"
# Who set it is not there, so there is nobody to ask.
TASK = """{words}

(This is a task that they set before, and it is due now{late}. Do it with what you know and your \
tools, and answer with the result alone: nobody is there to answer questions.{only_if})"""
ONLY_IF = " Tell it only if this holds: {condition}. If it does not, use `{tool}`."


@dataclass(frozen=True)
class _Rows:
    user: User
    message: Message
    words: str
    model: str
    thinks_longer: bool
    recent: tuple[Exchange, ...]
    states: tuple[SavedState, ...]
    reminded: tuple[Reminded, ...]
    imported: tuple[ImportedFile, ...]
    notes: tuple[Note, ...]
    is_research: bool


# In the one question.
_WITH_FILES = joinedload(Message.uploads)


class MessageGone(Exception):
    """The conversation was deleted while its message waited."""


class MustForget(Exception):
    """The person's files still know of a conversation that was deleted: that goes first."""


def prepare(storage: Storage, job_id: UUID, attempt: int) -> Turn:
    """Read what the turn needs from PostgreSQL, then its files from storage.

    Raises LeaseLost, MessageGone, MustForget, StorageFailed or NotStored.
    """
    rows = _read(job_id, attempt)
    user = rows.user
    return Turn(
        job_id=job_id,
        attempt=attempt,
        user_id=user.id,
        conversation_id=rows.message.conversation_id,
        text=rows.words,
        attachments=tuple(_fetch(storage, upload) for upload in rows.message.uploads),
        model=rows.model,
        profile=Profile(user.name, user.timezone, user.needs),
        recent=rows.recent,
        states=rows.states,
        reminded=rows.reminded,
        imported=tuple(
            FileToPlace(one.path, storage.get(one.storage_key)) for one in rows.imported
        ),
        notes=rows.notes,
        is_research=rows.is_research,
        thinks_longer=rows.thinks_longer,
    )


def _read(job_id: UUID, attempt: int) -> _Rows:
    with unit_of_work() as db:
        user, job = jobs.lock_held(db, job_id, attempt)
        message = db.get(Message, job.message_id, options=[_WITH_FILES]) if job.message_id else None
        if message is None:
            raise MessageGone
        if erasures.is_any(db, job.user_id):
            raise MustForget
        newest = snapshots.newest(db, job.user_id)
        saved = newest[0] if newest else None
        recent = context.recent(
            db,
            job.user_id,
            job.conversation_id,
            saved=saved,
            limit=RETOLD_EXCHANGES if _is_to_be_retold(db, job) else RECENT_EXCHANGES,
        )
        here = job.conversation_id
        recent += imported.said_before(db, here, saved=saved, limit=RECENT_EXCHANGES)
        return _Rows(
            user=user,
            message=message,
            words=_words(_asked(db, job, message.text), jobs.written_so_far(db, job)),
            model=job.model,
            thinks_longer=job.thinks_longer,
            recent=tuple(
                Exchange(
                    one.conversation_id, one.conversation_title, one.asked, one.answered, one.at
                )
                for one in recent
            ),
            states=saved_states(newest),
            reminded=tuple(
                Reminded(one.words, one.fired_at) for one in queries.list_fired_before(db, message)
            ),
            imported=tuple(imported.list_to_place(db, job.user_id, job.id)),
            notes=shown_notes.list_for(db, user),
            is_research=research.is_requested(db, message.id),
        )


def _asked(db: Session, job: Job, words: str) -> str:
    """Say of a task that it is one, how late it is, and on which condition it is told."""
    found = task_runs.find_condition(db, job.id) if job.origin is JobOrigin.TASK else None
    if found is None:
        return words
    fired, condition = found
    late = since_due(fired.fired_at - fired.due_at, fired.missed)
    only_if = ONLY_IF.format(condition=condition, tool=NOTHING_TO_TELL) if condition else ""
    return TASK.format(words=words, late=late, only_if=only_if)


def _is_to_be_retold(db: Session, job: Job) -> bool:
    return db.get_one(Conversation, job.conversation_id).forgotten_at is not None


def _words(words: str, so_far: str) -> str:
    return GO_ON.format(words=words, so_far=so_far[-SO_FAR_CHARS:]) if so_far else words


def saved_states(snapshots: Sequence[StateSnapshot]) -> tuple[SavedState, ...]:
    """Say for the runtime what is saved of a person, newest first."""
    return tuple(
        SavedState(one.version, tuple(SavedPack(**pack) for pack in one.packs), one.size_bytes)
        for one in snapshots
    )


def _fetch(storage: Storage, upload: Upload) -> Attachment:
    return Attachment(upload.name, upload.media_type, storage.get(upload.storage_key))
