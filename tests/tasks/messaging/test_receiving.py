"""What came in and had to wait: files are fetched, albums become whole, failures tried again."""

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import attachments, conversations
from actions.announcements import StreamPublisher
from actions.attachments import IncomingFile
from channels.base import ChannelFailed, Trouble
from channels.inbound import FileKind
from gateways.s3_files import Storage
from models.channels import gaps, updates
from models.database import unit_of_work
from models.schema.channels import ChannelUpdate
from models.schema.uploads import SentFile, Upload
from models.schema.users import User
from tasks.messaging import receiving
from tests.channels.loft import Hand, Loft
from tests.recordings import wav


@pytest.fixture(autouse=True)
def stored(storage: Storage) -> Storage:
    """A bucket for what is sent."""
    return storage


def uploads(db: Session) -> list[tuple[str, str]]:
    found = db.scalars(sa.select(Upload).order_by(Upload.id))
    return [(upload.name, upload.media_type) for upload in found]


def claim(loft: Loft) -> updates.ClaimedUpdate:
    (claimed,) = updates.claim(loft.db, ["pigeon"], receiving.LEASE, most=1)
    loft.db.commit()
    return claimed


def test_a_file_becomes_an_attachment(
    loft: Loft, adas_bird: Hand, db: Session, stored: Storage
) -> None:
    loft.pigeon.files["notes"] = b"Ferns grow in shade."
    adas_bird.send_file("notes", "Read this")
    loft.work()
    assert loft.messages() == ["Read this"]
    assert uploads(db) == [("notes.txt", "text/plain")]
    key = db.scalars(sa.select(Upload.storage_key)).one()
    assert stored.get(key) == b"Ferns grow in shade."


def test_an_album_is_one_message(loft: Loft, adas_bird: Hand, db: Session) -> None:
    loft.pigeon.files.update(a=b"A", b=b"B", c=b"C")
    adas_bird.send_file("a", "My garden", group_id="g")
    adas_bird.send_file("c", group_id="g", at=3)
    # Its parts come one by one: nobody begins before it has had time to become whole.
    loft.work(only_due=True)
    assert loft.messages() == []
    adas_bird.send_file("b", group_id="g", at=2)
    loft.work()
    assert loft.messages() == ["My garden"]
    assert [name for name, _ in uploads(db)] == ["a.txt", "b.txt", "c.txt"]
    assert loft.statuses() == ["done"] * 3
    assert len(loft.jobs()) == 1


def test_a_part_that_comes_too_late_is_not_lost(loft: Loft, adas_bird: Hand, db: Session) -> None:
    loft.pigeon.files.update(a=b"A", b=b"B", c=b"C")

    def _fetched(what: str) -> None:
        if what == "fetch" and loft.last_number == 2:
            adas_bird.send_file("c", group_id="g")

    loft.pigeon.mischief = _fetched
    adas_bird.send_file("a", "My garden", group_id="g")
    adas_bird.send_file("b", group_id="g")
    loft.work()
    assert [name for name, _ in uploads(db)] == ["a.txt", "b.txt", "c.txt"]
    assert loft.statuses() == ["done"] * 3
    assert len(loft.jobs()) == 2


def test_a_text_that_its_app_has_cut_up_is_one_message(
    loft: Loft, adas_bird: Hand, eve: User
) -> None:
    loft.link(eve, "eve-outside")
    first = adas_bird.write("In the begin", cut_at="", written_at=9)
    second = adas_bird.write("ning was\nthe", cut_at="\n", written_at=9)
    loft.at("eve-outside").write("Hello", written_at=9)
    loft.work(only_due=True)
    assert loft.messages() == ["Hello"]
    third = adas_bird.write("word.", written_at=10)
    adas_bird.command("cost")
    adas_bird.write("And then?", written_at=10)
    loft.work()
    assert loft.messages() == ["Hello", "In the beginning was\nthe\nword.", "And then?"]
    answered_by = sa.select(ChannelUpdate.job_id).where(
        ChannelUpdate.external_id.in_(part.external_id for part in (first, second, third))
    )
    assert set(loft.db.scalars(answered_by)) == {loft.jobs()[1].id}
    # Of what has become one message no part is the whole of it.
    adas_bird.edit(second, "ning there was a")
    assert loft.messages()[1].startswith("In the beginning")
    assert loft.messages()[-1].endswith("it says now:\n\nning there was a")


def test_what_is_written_after_a_long_text_is_another_message(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    loft.pigeon.files["notes"] = b"Ferns grow in shade."
    adas_bird.write("A long story.", cut_at="\n", written_at=9)
    # Nobody writes so much within a second.
    adas_bird.write("Another one.", cut_at="\n", written_at=11)
    adas_bird.send_file("notes", "Read this", written_at=11)
    adas_bird.write("A third one.", cut_at="\n", written_at=13)
    # It was written before, and came late.
    adas_bird.write("And?", written_at=12)
    adas_bird.write("A fourth one.", cut_at="\n", written_at=15)
    adas_bird.write("No.", replies_to_id="m1", written_at=15)
    adas_bird.write("A fifth one.", cut_at="\n", written_at=17)
    adas_bird.write("See?", forwarded_from="Eve", written_at=17)
    loft.work()
    told = ["A long story.", "Another one.", "Read this", "A third one.", "And?", "A fourth one."]
    told += ["No.", "A fifth one.", "Forwarded from Eve:\n> See?"]
    assert loft.messages() == told
    assert len(loft.jobs()) == len(told)


def test_a_long_text_that_nothing_follows_is_a_message(loft: Loft, adas_bird: Hand) -> None:
    alone = adas_bird.write("A long story.", cut_at="\n", written_at=9)
    assert loft.messages() == []
    loft.work()
    assert loft.messages() == ["A long story."]
    adas_bird.edit(alone, "A longer story.")
    assert loft.messages() == ["A longer story."]


def test_what_is_too_large_is_said_and_the_rest_is_sent(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    adas_bird.send_file("film", "Watch this", size_bytes=2_000)
    loft.work()
    assert loft.messages() == ["Watch this"]
    assert "fetch" not in loft.pigeon.calls
    assert uploads(db) == []
    (said, *_) = loft.pigeon.chats["ada-outside"]
    assert said.text.startswith("This file is larger than")
    assert (said.rows[0][0].url or "").endswith("/chat")


def test_a_file_that_turns_out_too_large_is_no_message(loft: Loft, adas_bird: Hand) -> None:
    loft.pigeon.mischief = fails(Trouble.FILE_TOO_LARGE)
    adas_bird.send_file("film")
    loft.work()
    assert loft.messages() == []
    assert loft.statuses() == ["refused"]
    assert loft.pigeon.texts("ada-outside")[0].startswith("This file is larger than")


def test_a_fetch_that_fails_is_tried_again(loft: Loft, adas_bird: Hand, db: Session) -> None:
    loft.pigeon.files["notes"] = b"notes"
    loft.pigeon.mischief = fails(Trouble.UNREACHABLE, times=2)
    adas_bird.send_file("notes", "Read this")
    loft.work()
    assert loft.messages() == ["Read this"]
    assert len(uploads(db)) == 1


@pytest.mark.parametrize(
    ("trouble", "fetches"), [(Trouble.UNREACHABLE, receiving.MOST_TRIES), (Trouble.REFUSED, 1)]
)
def test_a_fetch_that_keeps_failing_is_given_up_and_the_user_told(
    loft: Loft, adas_bird: Hand, trouble: Trouble, fetches: int
) -> None:
    loft.pigeon.mischief = fails(trouble)
    adas_bird.send_file("notes", "Read this")
    adas_bird.write("And?")
    loft.work()
    assert loft.pigeon.calls.count("fetch") == fetches
    assert loft.statuses() == ["failed", "done"]
    assert loft.messages() == ["And?"]
    assert loft.pigeon.texts("ada-outside")[0].startswith("Your message could not be read")


def test_looks_are_no_tries(loft: Loft, adas_bird: Hand, db: Session) -> None:
    loft.pigeon.files["notes"] = b"notes"
    adas_bird.send_file("notes", "Read this")
    # As an album that waited to become whole, or one before which something was missing.
    db.execute(sa.update(ChannelUpdate).values(attempts=receiving.MOST_TRIES))
    db.commit()
    loft.pigeon.mischief = fails(Trouble.UNREACHABLE, times=1)
    loft.work()
    assert loft.messages() == ["Read this"]


def test_a_process_that_dies_after_a_fetch_leaves_one_message(
    loft: Loft, adas_bird: Hand, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def _die(*_: Any) -> None:
        raise Killed

    loft.pigeon.files["notes"] = b"notes"
    adas_bird.send_file("notes", "Read this")
    claimed = claim(loft)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(gaps, "hasten", _die)
        receiving.handle(claimed, loft.pigeon)
    loft.work()
    assert loft.messages() == ["Read this"]
    assert len(uploads(db)) == 1


def test_whoever_has_lost_the_claim_does_nothing(loft: Loft, adas_bird: Hand) -> None:
    loft.pigeon.files["notes"] = b"notes"
    adas_bird.send_file("notes", "Read this")
    lost = claim(loft)
    loft.make_due()
    kept = claim(loft)
    assert kept.attempt == lost.attempt + 1
    receiving.handle(lost, loft.pigeon)
    assert loft.messages() == []
    receiving.handle(kept, loft.pigeon)
    receiving.handle(kept, loft.pigeon)
    assert loft.messages() == ["Read this"]


def test_what_belongs_before_it_and_comes_late_goes_first(loft: Loft, adas_bird: Hand) -> None:
    adas_bird.write("1", at=1)
    adas_bird.write("3", at=3)
    loft.make_due()
    claimed = claim(loft)
    adas_bird.send_file("notes", "2", at=2)
    loft.pigeon.files["notes"] = b"notes"
    receiving.handle(claimed, loft.pigeon)
    loft.work()
    assert loft.messages() == ["1", "2", "3"]


def test_a_conversation_that_is_deleted_while_files_are_stored_costs_no_message(
    loft: Loft, adas_bird: Hand, db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    adas_bird.write("One")
    (before,) = loft.jobs()
    keep, left = attachments.keep, [before.conversation_id]

    def _slow(user: User, files: Sequence[IncomingFile]) -> list[SentFile]:
        if left:
            with unit_of_work() as other:
                conversations.delete(
                    other, other.get_one(User, ada.id), left.pop(), StreamPublisher()
                )
        return keep(user, files)

    monkeypatch.setattr(attachments, "keep", _slow)
    loft.pigeon.files["notes"] = b"Ferns grow in shade."
    adas_bird.send_file("notes", "Read this")
    loft.work()
    assert loft.messages() == ["Read this"]
    assert uploads(db) == [("notes.txt", "text/plain")]
    assert loft.statuses() == ["done", "done"]
    # And it goes on there.
    adas_bird.write("And?")
    assert loft.jobs()[-1].conversation_id == loft.jobs()[-2].conversation_id


def test_a_strangers_files_are_not_fetched(loft: Loft) -> None:
    loft.at("stranger").send_file("notes", group_id="g")
    loft.at("stranger").send_file("more", group_id="g")
    loft.work()
    assert "fetch" not in loft.pigeon.calls
    greeting = "".join(loft.pigeon.texts("stranger"))
    assert greeting.startswith("Hello!")
    assert greeting.count("Hello!") == 1
    assert loft.statuses() == ["refused", "refused"]


def test_a_voice_message_is_heard_and_shown(loft: Loft, adas_bird: Hand) -> None:
    loft.pigeon.files["voice"] = wav(words="Water the beans.")
    adas_bird.send_file("voice", kind=FileKind.VOICE, media_type="audio/wav")
    loft.work()
    assert loft.messages() == ["Water the beans."]
    assert "Water the beans" in loft.pigeon.texts("ada-outside")[0]


def test_what_is_no_recording_is_answered_in_words(loft: Loft, adas_bird: Hand) -> None:
    loft.pigeon.files["voice"] = b"ogg"
    adas_bird.send_file("voice", kind=FileKind.VOICE, media_type="audio/ogg")
    loft.work()
    assert loft.messages() == []
    assert "no recording" in loft.pigeon.texts("ada-outside")[0]


def test_a_file_that_is_refused_is_said_in_words(loft: Loft, adas_bird: Hand, ada: User) -> None:
    loft.pigeon.files["empty"] = b""
    adas_bird.send_file("empty", "Read this")
    loft.work()
    assert loft.messages() == []
    assert "is empty" in loft.pigeon.texts("ada-outside")[0]


def test_its_words_are_dropped_whatever_became_of_it(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    loft.pigeon.mischief = fails(Trouble.REFUSED)
    adas_bird.send_file("notes", "A secret")
    loft.work()
    assert db.scalars(sa.select(ChannelUpdate.payload)).all() == [None]


def fails(trouble: Trouble, *, times: int = 1_000) -> Any:
    """Let so many fetches fail."""
    left = [trouble] * times

    def _mischief(what: str) -> None:
        if what == "fetch" and left:
            raise ChannelFailed(left.pop())

    return _mischief
