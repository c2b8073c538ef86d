"""Handing over a file: kept, bounded, and the user's whose turn runs."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.tools.registry import FILE, ToolRefused, WorkspaceFile
from agent.turn import Profile, Turn
from gateways.s3_files import Storage
from models.chat import answer_files, conversations
from models.schema.answer_files import AnswerFile
from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.users import User
from tasks.worker.tools import HANDLERS
from tests import factories
from tests.hostile.pictures import picture


@pytest.fixture(autouse=True)
def stored(storage: Storage) -> Storage:
    """The bucket, without what other tests left in it."""
    for key in storage.list("answers/"):
        storage.delete(key)
    return storage


@pytest.fixture
def turn(db: Session, ada: User) -> Turn:
    """A message of Ada's that is being answered."""
    job = factories.running(db, ada, "Write me a plan")
    return Turn(
        job_id=job.id,
        attempt=job.attempt,
        user_id=job.user_id,
        conversation_id=job.conversation_id,
        text="",
        attachments=(),
        model=job.model,
        profile=Profile("", "UTC", ""),
        recent=(),
        states=(),
    )


def hand_over(turn: Turn, data: bytes | None, path: str = "files/plan.md", **given: object) -> str:
    file = None if data is None else WorkspaceFile(path, data)
    return HANDLERS["hand_over"](turn, {"path": path, **given, FILE: file})


def handed_over(db: Session) -> list[AnswerFile]:
    db.expire_all()
    return list(db.scalars(select(AnswerFile).order_by(AnswerFile.id)))


def test_it_is_kept_and_belongs_to_the_answer(turn: Turn, db: Session, stored: Storage) -> None:
    said = hand_over(turn, b"# Plan\n", title="The plan")
    assert said.startswith("Handed over: plan.md, 7 bytes.")
    (file,) = handed_over(db)
    assert (file.user_id, file.job_id) == (turn.user_id, turn.job_id)
    assert (file.name, file.title, file.media_type) == ("plan.md", "The plan", "text/markdown")
    assert stored.get(file.storage_key) == b"# Plan\n"
    assert file.thumbnail_key is None


def test_a_picture_gets_a_small_one_made_by_a_helper(
    turn: Turn, db: Session, stored: Storage
) -> None:
    hand_over(turn, picture("PNG", (900, 600)), "chart.png")
    (file,) = handed_over(db)
    assert file.media_type == "image/png"
    assert stored.get(file.thumbnail_key or "").startswith((b"\xff\xd8", b"RIFF"))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", b"<script>alert(1)</script>"),
        ("a.png", b"\x89PNG\r\n\x1a\nbroken"),
        ("a.svg", b"<svg onload='alert(1)'/>"),
    ],
)
def test_what_only_says_that_it_is_a_picture_is_none(
    turn: Turn, db: Session, name: str, data: bytes
) -> None:
    hand_over(turn, data, name)
    (file,) = handed_over(db)
    assert (file.media_type, file.is_image) == ("application/octet-stream", False)


def test_the_same_file_once_more_takes_its_place(turn: Turn, db: Session, stored: Storage) -> None:
    hand_over(turn, b"first")
    hand_over(turn, b"second")
    (file,) = handed_over(db)
    assert stored.list("answers/") == [file.storage_key]
    assert stored.get(file.storage_key) == b"second"


@pytest.mark.parametrize("data", [None, b""])
def test_there_must_be_such_a_file(turn: Turn, db: Session, data: bytes | None) -> None:
    with pytest.raises(ToolRefused):
        hand_over(turn, data)
    assert handed_over(db) == []


def test_a_title_is_a_line(turn: Turn, db: Session) -> None:
    for odd in (5, ["x"], "a\u202eb", "x" * 121):
        with pytest.raises(ToolRefused):
            hand_over(turn, b"x", title=odd)
    assert handed_over(db) == []


def test_what_is_too_large_is_refused_before_it_is_stored(
    turn: Turn, stored: Storage, adjust: Callable[..., None]
) -> None:
    adjust(HANDED_OVER_MAX_BYTES="4")
    with pytest.raises(ToolRefused, match="4 bytes"):
        hand_over(turn, b"12345")
    assert stored.list("answers/") == []


def test_what_there_is_no_room_for_is_refused(
    turn: Turn, db: Session, stored: Storage, adjust: Callable[..., None]
) -> None:
    adjust(UPLOADS_MAX_BYTES_PER_USER="10")
    hand_over(turn, b"123456", "a.txt")
    with pytest.raises(ToolRefused, match="room"):
        hand_over(turn, b"123456", "b.txt")
    (file,) = handed_over(db)
    assert stored.list("answers/") == [file.storage_key]


def test_an_answer_has_so_many_files(
    turn: Turn, db: Session, stored: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_files, "MOST_OF_AN_ANSWER", 1)
    hand_over(turn, b"x", "a.txt")
    with pytest.raises(ToolRefused):
        hand_over(turn, b"x", "b.txt")
    assert len(handed_over(db)) == len(stored.list("answers/")) == 1


def test_a_turn_that_was_lost_hands_nothing_over(turn: Turn, db: Session, stored: Storage) -> None:
    with pytest.raises(ToolRefused):
        hand_over(replace(turn, attempt=turn.attempt + 1), b"x")
    assert handed_over(db) == []
    assert stored.list("answers/") == []


def test_a_job_that_ends_meanwhile_leaves_nothing(
    turn: Turn, db: Session, stored: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Storage.put

    def _put(self: Storage, *given: object) -> None:
        put(self, *given)  # type: ignore[arg-type]
        factories.answer(db, db.get_one(Job, turn.job_id))

    monkeypatch.setattr(Storage, "put", _put)
    with pytest.raises(ToolRefused):
        hand_over(turn, b"x")
    assert stored.list("answers/") == []


def test_nothing_is_handed_over_in_a_conversation_that_is_deleted_meanwhile(
    turn: Turn, db: Session, stored: Storage
) -> None:
    conversations.erase(db, db.get_one(Conversation, turn.conversation_id))
    db.commit()
    with pytest.raises(ToolRefused):
        hand_over(turn, b"x")
    assert handed_over(db) == []
    assert stored.list("answers/") == []
