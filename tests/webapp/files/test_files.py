"""The pages of files: one's own alone, as things to keep, and gone when they are deleted."""

from collections.abc import Callable
from io import BytesIO

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.message import upload_paths
from gateways.s3_files import Storage
from models.archives import imported
from models.archives.imported import StoredImport
from models.base import new_id
from models.chat import conversations, erasures, files, history
from models.chat.files import FileKind
from models.schema.answer_files import AnswerFile
from models.schema.archives import ImportedFile, ImportedStatus
from models.schema.jobs import Job, JobStatus
from models.schema.uploads import Upload
from models.schema.users import User
from tests import factories
from tests.handed_over import handed_over
from tests.hostile.pdfs import pdf
from tests.hostile.pictures import picture
from tests.webapp.browser import Browser

EVIL = b"<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def stored(storage: Storage) -> Storage:
    """The bucket, without what other tests left in it."""
    for key in [*storage.list("answers/"), *storage.list("uploads/")]:
        storage.delete(key)
    return storage


@pytest.fixture
def job(db: Session, ada: User) -> Job:
    """A message of Ada's that is being answered."""
    return factories.running(db, ada, "Write me a plan")


def send(adas: Browser, name: str, data: bytes) -> None:
    sent = {"text": "Look", "files": [(BytesIO(data), name)]}
    assert adas.post("/chat", sent).status_code == 303


def upload(db: Session) -> Upload:
    return db.scalars(sa.select(Upload)).one()


def test_an_empty_page_says_how_to_begin(adas: Browser) -> None:
    assert "Nothing here yet" in adas.read("/files")


def test_both_ways_are_listed_the_newest_first_and_apart(
    adas: Browser, db: Session, job: Job
) -> None:
    handed_over(db, job, title="The plan")
    send(adas, "notes.txt", b"hello")
    page = adas.read("/files")
    assert page.index("notes.txt") < page.index("The plan")
    assert "notes.txt" not in adas.read("/files?kind=made")
    assert "The plan" not in adas.read("/files?kind=sent")


def test_a_long_list_has_pages(db: Session, ada: User, job: Job) -> None:
    made = [handed_over(db, job, path=f"files/{number}.md").id for number in range(5)]
    first = files.list_own(db, ada.id, list(FileKind), limit=3)
    rest = files.list_own(db, ada.id, list(FileKind), before=first.earlier, limit=3)
    assert [one.id for one in (*first.files, *rest.files)] == made[::-1]
    assert rest.earlier is None


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.png"])
def test_a_download_is_kept_and_never_shown(
    adas: Browser, db: Session, job: Job, name: str
) -> None:
    file = handed_over(db, job, EVIL, f"files/{name}")
    answer = adas.get(f"/files/made/{file.id}/download")
    assert answer.data == EVIL
    assert answer.headers["Content-Disposition"].startswith(f"attachment; filename={name}")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "application/octet-stream"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert adas.get(f"/files/made/{file.id}/thumbnail").status_code == 404


def test_of_a_picture_only_what_a_helper_made_is_shown(
    adas: Browser, db: Session, job: Job
) -> None:
    file = handed_over(db, job, picture("PNG", (900, 600)), "chart.png")
    answer = adas.get(f"/files/made/{file.id}/thumbnail")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    tag = answer.headers["ETag"]
    again = adas.get(f"/files/made/{file.id}/thumbnail", headers={"If-None-Match": tag})
    assert again.status_code == 304
    assert f"/files/made/{file.id}/thumbnail" in adas.read(f"/files/made/{file.id}")


def test_words_are_shown_as_words(adas: Browser, db: Session, job: Job) -> None:
    file = handed_over(db, job, EVIL + b"\nhello", "files/page.html")
    page = adas.get(f"/files/made/{file.id}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    send(adas, "invoice.pdf", pdf())
    assert "Invoice 4711" in adas.read(f"/files/sent/{upload(db).id}")


def test_eve_reaches_none_of_adas(adas: Browser, eves: Browser, db: Session, job: Job) -> None:
    file = handed_over(db, job, picture("PNG"), "chart.png")
    send(adas, "notes.txt", b"hello")
    for kind, file_id in (("made", file.id), ("sent", upload(db).id)):
        assert eves.get(f"/files/{kind}/{file_id}").status_code == 404
        assert eves.post(f"/files/{kind}/{file_id}/deletion").status_code == 404
    assert eves.get(f"/files/made/{file.id}/download").status_code == 404
    assert eves.get(f"/files/made/{file.id}/thumbnail").status_code == 404
    assert "chart.png" not in eves.read("/files")
    assert db.get(AnswerFile, file.id) is not None
    assert adas.get(f"/files/odd/{file.id}").status_code == 404


def test_what_is_deleted_is_gone_everywhere(
    adas: Browser, db: Session, ada: User, job: Job, stored: Storage
) -> None:
    file = handed_over(db, job, picture("PNG"), "files/chart.png")
    assert adas.post(f"/files/made/{file.id}/deletion").status_code == 303
    assert db.scalars(sa.select(AnswerFile)).all() == []
    assert stored.list("answers/") == []
    (wanted,) = erasures.pending(db, ada.id)
    assert (wanted.conversation_id, wanted.paths) == (None, ["files/chart.png"])
    assert adas.get(f"/files/made/{file.id}").status_code == 404


def test_an_old_version_does_not_take_the_newest_along(
    adas: Browser, db: Session, ada: User, job: Job
) -> None:
    old = handed_over(db, job, b"1")
    factories.answer(db, job)
    again = factories.running(db, ada, "Once more", conversation_id=job.conversation_id)
    new = handed_over(db, again, b"2")
    assert adas.post(f"/files/made/{old.id}/deletion").status_code == 303
    assert erasures.pending(db, ada.id) == []
    assert adas.post(f"/files/made/{new.id}/deletion").status_code == 303
    assert [one.paths for one in erasures.pending(db, ada.id)] == [[new.path]]


def test_the_newest_version_is_taken_from_the_workspace_though_an_old_one_stays(
    adas: Browser, db: Session, ada: User, job: Job
) -> None:
    handed_over(db, job, b"1")
    factories.answer(db, job)
    again = factories.running(db, ada, "Once more")
    new = handed_over(db, again, b"2")
    assert adas.post(f"/files/made/{new.id}/deletion").status_code == 303
    assert [one.paths for one in erasures.pending(db, ada.id)] == [[new.path]]


@pytest.mark.parametrize("way", ["message", "conversation"])
def test_a_newer_version_stays_when_what_the_old_one_answered_is_deleted(
    adas: Browser, db: Session, ada: User, job: Job, way: str
) -> None:
    handed_over(db, job, b"1")
    handed_over(db, job, b"x", "files/other.md")
    factories.answer(db, job)
    handed_over(db, factories.running(db, ada, "Once more"), b"2")
    which = f"/messages/{job.message_id}" if way == "message" else ""
    assert adas.post(f"/chat/{job.conversation_id}{which}/deletion").status_code == 303
    assert [one.paths for one in erasures.pending(db, ada.id)] == [["files/other.md"]]


@pytest.mark.parametrize("words", ["", "Look"])
def test_a_message_that_waits_is_called_off_with_all_that_it_says(
    adas: Browser, db: Session, words: str
) -> None:
    sent = {"text": words, "files": [(BytesIO(b"x"), "a.txt")]}
    assert adas.post("/chat", sent).status_code == 303
    assert adas.post(f"/files/sent/{upload(db).id}/deletion").status_code == 303
    db.expire_all()
    asked = db.scalars(sa.select(Job)).one()
    assert asked.status is (JobStatus.PENDING if words else JobStatus.CANCELLED)


def test_a_deleted_upload_leaves_the_assistants_files_too(
    adas: Browser, db: Session, ada: User, stored: Storage
) -> None:
    send(adas, "Notes (old).md", b"# secret")
    sent = upload(db)
    asked = db.scalars(sa.select(Job).where(Job.message_id == sent.message_id)).one()
    assert adas.post(f"/files/sent/{sent.id}/deletion").status_code == 303
    assert db.scalars(sa.select(Upload)).all() == []
    assert stored.list("uploads/") == []
    (wanted,) = erasures.pending(db, ada.id)
    assert wanted.paths == upload_paths(asked.id, "Notes (old).md", 5)
    assert "Notes (old).md" not in adas.read(f"/chat/{asked.conversation_id}")


def test_its_own_memory_does_not_go_with_a_copy_of_it(
    adas: Browser, db: Session, ada: User, job: Job
) -> None:
    for path in ("MEMORY.md", "memory/2026-12-01.md"):
        file = handed_over(db, job, path=path)
        assert adas.post(f"/files/made/{file.id}/deletion").status_code == 303
    assert erasures.pending(db, ada.id) == []


def test_of_what_was_brought_only_what_was_put_there_is_taken_away(
    adas: Browser, db: Session, ada: User, job: Job
) -> None:
    """Of the same path the assistant may have a file of its own."""
    brought = [
        StoredImport(path, "x", "text/plain", 1, new_id().hex, is_set_aside=is_aside)
        for path, is_aside in (("skills/x.md", True), ("waits.md", False), ("there.md", False))
    ]
    imported.add_files(db, ada.id, brought)
    there = sa.update(ImportedFile).where(ImportedFile.path == "there.md")
    db.execute(there.values(status=ImportedStatus.PLACED, job_id=job.id))
    db.commit()
    for file_id in db.scalars(sa.select(ImportedFile.id)).all():
        assert adas.post(f"/files/imported/{file_id}/deletion").status_code == 303
    assert [one.paths for one in erasures.pending(db, ada.id)] == [["there.md"]]


def test_files_go_with_their_conversation(
    adas: Browser, db: Session, ada: User, job: Job, stored: Storage
) -> None:
    handed_over(db, job, picture("PNG"), "files/chart.png")
    factories.answer(db, job)
    db.commit()
    assert adas.post(f"/chat/{job.conversation_id}/deletion").status_code == 303
    assert stored.list("answers/") == []
    (wanted,) = erasures.pending(db, ada.id)
    assert wanted.paths == ["files/chart.png"]


def test_they_stand_below_the_answer_and_go_from_there_when_deleted(
    adas: Browser, db: Session, job: Job
) -> None:
    file = handed_over(db, job, title="The plan")
    factories.answer(db, job, "Here it is.", "<p>Here it is.</p>")
    db.commit()
    address = f"/chat/{job.conversation_id}"
    page = adas.get(address)
    assert f"/files/made/{file.id}/download" in page.text
    adas.post(f"/files/made/{file.id}/deletion")
    # Neither from the browser's copy nor from ours.
    again = adas.get(address, headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 200
    assert f"/files/made/{file.id}" not in again.text
    assert "Here it is." in again.text


def test_a_full_account_is_told_so(
    adas: Browser, db: Session, job: Job, adjust: Callable[..., None]
) -> None:
    handed_over(db, job, b"x" * 2_000)
    adjust(UPLOADS_MAX_BYTES_PER_USER="2000")
    assert "There is no room for more" in adas.read("/files")
    refused = adas.post("/chat", {"text": "Look", "files": [(BytesIO(b"hello"), "a.txt")]})
    assert refused.status_code == 422
    assert conversations.list_own(db, job.user_id)[0].id == job.conversation_id


def test_a_summary_counts_files(db: Session, job: Job) -> None:
    handed_over(db, job)
    conversation = conversations.find_own(db, job.user_id, job.conversation_id)
    (summary,) = history.page(db, conversation).summaries
    assert (summary.upload_count, summary.runs[0].file_count) == (0, 1)
