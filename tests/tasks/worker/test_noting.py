"""What an assistant writes into MEMORY.md becomes notes, whatever its user does meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent import memory
from agent.memory import Noted
from agent.turn import Note
from models.chat import conversations
from models.jobs import LeaseLost
from models.memory import notes
from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.memory import MemoryNote, NoteAuthor
from models.schema.users import User
from tasks.worker import noting, shown_notes
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess
from tests import factories

BY = NoteAuthor.USER


@dataclass
class Cell:
    """A worker whose cell has this in MEMORY.md after a turn that was shown that."""

    shown: memory.Shown
    found: str
    drawn: list[str] = field(default_factory=list[str])

    @property
    def runtime(self) -> "Cell":
        return self

    def noted(self, user_id: UUID) -> Noted | None:
        assert user_id
        return memory.compare(self.shown, self.found)

    def show_notes(self, user_id: UUID, notes: Sequence[Note], carried: Sequence[str]) -> None:
        assert user_id
        self.drawn.append(memory.render(notes, "\n".join(carried)).text)


@pytest.fixture
def running(db: Session, ada: User) -> Job:
    return factories.running(db, ada, "Remember all of this.")


def _note(db: Session, owner: User, words: str) -> MemoryNote:
    return notes.add(db, owner.id, words, author=BY)


def _shown(db: Session, owner: User, standing: str = "") -> memory.Shown:
    return memory.render(shown_notes.list_for(db, owner), standing)


def _take_over(job: Job, cell: Cell, attempt: int | None = None) -> None:
    held = LeasedJob(
        job.id, job.user_id, job.conversation_id, attempt or job.attempt, job.created_at
    )
    noting.take_over(cast(WorkerProcess, cell), held)


def _words(db: Session, owner: User) -> set[str]:
    db.expire_all()
    return {one.words for one in notes.list_own(db, owner.id)}


def test_it_becomes_notes_of_the_message_and_the_file_is_drawn_anew(
    db: Session, ada: User, running: Job
) -> None:
    shown = _shown(db, ada, "- Plays chess")
    cell = Cell(shown, shown.text + "- Likes tea\n")
    _take_over(running, cell)
    said = {one.words: one.message_id for one in notes.list_own(db, ada.id)}
    assert said == {"Plays chess": None, "Likes tea": running.message_id}
    assert cell.drawn == [_shown(db, ada).text]


def test_nothing_is_lost_when_the_user_changes_notes_meanwhile(
    db: Session, ada: User, running: Job
) -> None:
    tea, cat, dog = (_note(db, ada, words) for words in ("Likes tea", "Has a cat", "Has a dog"))
    shown = _shown(db, ada)
    notes.edit(db, tea, "Likes coffee", author=BY)
    notes.edit(db, cat, "Has two cats", author=BY)
    notes.remove(db, dog, author=BY)
    found = shown.text.replace("Likes tea", "Likes green tea") + "- Plays go\n"
    _take_over(running, Cell(shown, found))
    assert _words(db, ada) == {"Likes coffee", "Likes green tea", "Has two cats", "Plays go"}


def test_what_it_changes_and_takes_out_is_changed(db: Session, ada: User, running: Job) -> None:
    _note(db, ada, "Likes tea")
    _note(db, ada, "Has a cat")
    shown = _shown(db, ada)
    found = "\n".join(line for line in shown.text.splitlines() if "cat" not in line)
    _take_over(running, Cell(shown, found.replace("tea", "coffee")))
    assert _words(db, ada) == {"Likes coffee"}


def test_a_conversation_that_is_not_to_be_remembered_leaves_the_file_as_it_was(
    db: Session, ada: User, running: Job
) -> None:
    conversation = db.get_one(Conversation, running.conversation_id)
    conversations.remember(conversation, is_remembered=False)
    _note(db, ada, "Has a cat")
    shown = _shown(db, ada, "- Plays chess")
    cell = Cell(shown, shown.text.replace("Has a cat", "Hates cats") + "- Likes tea\n")
    _take_over(running, cell)
    assert _words(db, ada) == {"Has a cat"}
    assert cell.drawn == [shown.text]


def test_a_conversation_that_is_deleted_meanwhile_leaves_the_file_as_it_was(
    db: Session, ada: User, running: Job
) -> None:
    _note(db, ada, "Has a cat")
    shown = _shown(db, ada, "- Plays chess")
    conversations.erase(db, db.get_one(Conversation, running.conversation_id))
    db.flush()
    cell = Cell(shown, shown.text.replace("Has a cat", "Hates cats") + "- Likes tea\n")
    _take_over(running, cell)
    assert _words(db, ada) == {"Has a cat"}
    assert cell.drawn == [shown.text]


def test_what_no_note_can_keep_is_left_out(db: Session, ada: User, running: Job) -> None:
    shown = _shown(db, ada)
    _take_over(running, Cell(shown, shown.text + "- Likes\0 tea\n- \0\n"))
    assert _words(db, ada) == {"Likes tea"}


def test_no_answer_is_lost_by_what_cannot_be_noted(
    db: Session, ada: User, running: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _shown(db, ada)

    def _fail(*_: object, **__: object) -> None:
        db.execute(sa.text("SELECT 1 / 0"))

    monkeypatch.setattr(notes, "add", _fail)
    _take_over(running, Cell(shown, shown.text + "- Likes tea\n"))
    assert _words(db, ada) == set()


def test_a_job_that_is_not_ours_any_more_notes_nothing(
    db: Session, ada: User, running: Job
) -> None:
    shown = _shown(db, ada)
    with pytest.raises(LeaseLost):
        _take_over(running, Cell(shown, shown.text + "- Likes tea\n"), running.attempt + 1)
    assert _words(db, ada) == set()
