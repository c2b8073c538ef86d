"""A user who talks with a real OpenClaw as a worker has it done: from rows to what is saved."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast
from uuid import UUID

from sqlalchemy.orm import Session

from agent.runtime import Runtime
from gateways.s3_files import Storage
from models import jobs, ledger
from models.chat import conversations
from models.database import unit_of_work
from models.memory import notes
from models.ops import snapshots
from models.schema.jobs import Job
from models.schema.memory import NoteAuthor
from models.schema.uploads import SentFile
from tasks.worker import build_turn, noting
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess
from tasks.worker.saving import snapshot_of
from tests import factories
from tests.agent.people import MODEL, Purse, TurnListener
from tests.agent.scripted_model import Line, ScriptedModel


class Talk:
    """A user whose messages a worker answers: it prepares the turn, takes over, and saves."""

    def __init__(
        self, runtime: Runtime, storage: Storage, model: ScriptedModel, user_id: UUID
    ) -> None:
        self.runtime, self.storage, self.model = runtime, storage, model
        self.user_id = user_id
        self.process = cast(WorkerProcess, SimpleNamespace(runtime=runtime, storage=storage))
        self.conversation_id: UUID | None = None
        self.listener = TurnListener()

    def asks(self, words: str, *script: Line, files: Sequence[SentFile] = ()) -> str:
        """Have a message answered by the script; return what the last request had."""
        with unit_of_work() as db:
            job = self._claimed(db, words, files)
        self.conversation_id = job.conversation_id
        turn = build_turn.prepare(self.storage, job.id, job.attempt)
        held = LeasedJob(job.id, job.user_id, job.conversation_id, job.attempt)
        self.model.will(*(script or ("Very well.",)))
        answer = self.runtime.run(turn, self.listener, Purse(), held.stop)
        noting.take_over(self.process, held)
        with unit_of_work() as db:
            factories.answer(db, db.get_one(Job, job.id), answer.text)
        saved = self.runtime.save(self.user_id)
        with unit_of_work() as db:
            ledger.lock_account(db, self.user_id)
            snapshots.add(db, snapshot_of(self.user_id, saved, job.id))
        return self.model.last_request

    def _claimed(self, db: Session, words: str, files: Sequence[SentFile]) -> Job:
        if self.conversation_id is None:
            talk = conversations.start(db, self.user_id)
        else:
            talk = conversations.find_own(db, self.user_id, self.conversation_id)
        jobs.ask(db, talk, words, files=files, model=MODEL)
        job = factories.claim(db)
        assert job is not None
        return job

    def notes(self, words: str) -> UUID:
        """Note something by hand."""
        with unit_of_work() as db:
            return notes.add(db, self.user_id, words, author=NoteAuthor.USER).id

    def known(self) -> set[str]:
        with unit_of_work() as db:
            return {note.words for note in notes.list_own(db, self.user_id)}
