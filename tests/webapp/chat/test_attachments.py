"""Files with messages: what is taken in, what is refused, and who gets them back."""

from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from actions import attachments
from actions.sentences.refusals import sentence_of
from agent import message
from gateways.s3_files import Storage, StorageFailed
from models.chat.uploads import FileRefused
from models.schema.uploads import Upload
from models.schema.users import User
from settings import Settings
from tests.hostile.pdfs import PDFS, locked, pdf
from tests.hostile.pictures import heic, photo, picture
from tests.webapp.browser import Browser

PNG = picture("PNG")
ADA_ID = UUID(int=1)
# A camera that was held upright.
TURNED = b"Exif\0\0MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
KNOWN = [
    ("a.png", PNG, "image/png"),
    ("a.txt", picture("JPEG"), "image/jpeg"),
    ("a", picture("GIF"), "image/gif"),
    ("a.webp", picture("WEBP"), "image/webp"),
    ("a.pdf", pdf(), "application/pdf"),
    ("a.pdf", b"Sent by a gateway\n\xff\n" + pdf(), "application/pdf"),
    ("a.txt", "Straße".encode("utf-16"), "text/plain"),
    ("a.csv", "Name;Straße\nMüller;Königsallee".encode("cp1252"), "text/csv"),
    ("a.txt", "你好世界".encode("gbk"), "text/plain"),
    ("a.txt", "こんにちは世界".encode("cp932"), "text/plain"),
    ("a.txt", "안녕하세요".encode("euc-kr"), "text/plain"),
    ("a.csv", b"a,b\n1,2\n", "text/csv"),
    ("a.MD", b"# Hi", "text/markdown"),
    ("a.json", b"{}", "text/plain"),
    ("a.png", "Only caf\u00e9".encode(), "text/plain"),
    ("a.html", b"<script>alert(1)</script>", "text/plain"),
    ("a.svg", b"<svg onload='alert(1)'/>", "text/plain"),
]


@pytest.fixture(autouse=True)
def stored(storage: Storage) -> Storage:
    """The bucket, without what other tests left in it."""
    for key in storage.list("uploads/"):
        storage.delete(key)
    return storage


def files(*sent: tuple[str, bytes]) -> dict[str, Any]:
    return {"files": [(BytesIO(data), name) for name, data in sent]}


def sent_by(db: Session, person: User) -> list[Upload]:
    return list(
        db.scalars(sa.select(Upload).where(Upload.user_id == person.id).order_by(Upload.id))
    )


@pytest.mark.parametrize(("name", "data", "media_type"), KNOWN, ids=range(len(KNOWN)))
def test_a_file_is_what_is_in_it(name: str, data: bytes, media_type: str) -> None:
    assert attachments.check(ADA_ID, name, data) == (name, media_type, data)


UNREADABLE: list[tuple[Callable[[], bytes], str]] = [
    (lambda: b"", "is empty"),
    (lambda: b"MZ\x90\x00\x03", "cannot be read"),
    (lambda: b"PK\x03\x04", "cannot be read"),
    (lambda: b"\x00\x01", "cannot be read"),
    (lambda: PNG[:-40], "damaged or incomplete"),
    (lambda: PNG[:200] + b"?" + PNG[201:], "damaged or incomplete"),
    # All there, but its sum is wrong.
    (lambda: PNG[:-16] + bytes(4) + PNG[-12:], "damaged or incomplete"),
    (lambda: picture("JPEG")[:600], "damaged or incomplete"),
    (lambda: photo(60, "PNG"), "too large a picture"),
    (lambda: b"%PDF-1.7 nonsense", "damaged or incomplete"),
    (lambda: pdf()[:300], "damaged or incomplete"),
    (PDFS["no pages"], "has no pages"),
    (locked, "Remove the password"),
    (lambda: pdf(b"0 0 m 9 9 l S"), "has no text in it"),
]


@pytest.mark.parametrize(("make", "why"), UNREADABLE)
def test_what_the_assistant_cannot_read_is_refused_with_the_reason(
    make: Callable[[], bytes], why: str
) -> None:
    with pytest.raises(FileRefused) as refused:
        attachments.check(ADA_ID, "a.bin", make())
    said = sentence_of(refused.value)
    assert "“a.bin” " in said
    assert why in said


def test_nothing_is_kept_of_a_picture_that_is_cut_off(
    adas: Browser, ada: User, db: Session, stored: Storage
) -> None:
    form = {"text": "What is this?", **files(("cat.png", PNG[:-40]))}
    answer = adas.post("/chat", form)
    assert answer.status_code == 422
    assert "“cat.png” is damaged or incomplete" in answer.text
    assert sent_by(db, ada) == []
    assert stored.list("uploads/") == []


REMADE: list[tuple[str, Callable[[], bytes], str]] = [
    ("48mp.jpg", lambda: photo(48, exif=TURNED), "48mp.jpg"),
    ("200mp.jpg", lambda: photo(200, quality=20), "200mp.jpg"),
    ("noise.jpeg", lambda: picture("JPEG", (2_400, 1_800), quality=95), "noise.jpeg"),
    ("noise.png", lambda: picture("PNG", (1_500, 1_500)), "noise.jpg"),
    ("photo.heic", heic, "photo.jpg"),
    ("p.avif", lambda: picture("AVIF"), "p.jpg"),
]


@pytest.mark.parametrize(("name", "make", "kept_as"), REMADE)
def test_a_picture_that_models_do_not_take_is_remade(
    name: str, make: Callable[[], bytes], kept_as: str
) -> None:
    new_name, media_type, kept = attachments.check(ADA_ID, name, make())
    made = Image.open(BytesIO(kept))
    assert (new_name, media_type, made.format) == (kept_as, "image/jpeg", "JPEG")
    assert len(kept) <= 1_500_000
    assert max(made.size) <= 2_000
    assert not made.getexif()


def test_a_remade_picture_stands_as_it_was_taken_and_stays_transparent() -> None:
    wide = BytesIO()
    Image.new("RGB", (4_000, 1_000), "teal").save(wide, "JPEG", exif=TURNED)
    _, _, kept = attachments.check(ADA_ID, "wide.jpg", wide.getvalue())
    assert Image.open(BytesIO(kept)).size == (500, 2_000)
    clear = BytesIO()
    Image.new("RGBA", (3_000, 3_000), (0, 0, 0, 0)).save(clear, "PNG")
    _, media_type, kept = attachments.check(ADA_ID, "clear.png", clear.getvalue())
    assert media_type == "image/png"
    assert Image.open(BytesIO(kept)).getpixel((0, 0)) == (0, 0, 0, 0)


def test_five_large_photos_together_fit_into_one_message(
    adas: Browser, db: Session, ada: User
) -> None:
    large = picture("JPEG", (2_400, 2_400), quality=97)
    assert len(large) > 6_000_000
    sent = files(*((f"{number}.jpg", large) for number in range(5)))
    assert adas.post("/chat", {"text": "Look", **sent}).status_code == 303
    assert sum(upload.size_bytes for upload in sent_by(db, ada)) < message.INLINE_IMAGE_BYTES


def test_files_come_with_their_message(
    adas: Browser, ada: User, db: Session, stored: Storage
) -> None:
    form = {"text": "Look:", **files(("cat.png", PNG), ("notes.md", b"# Notes"))}
    page = adas.read(adas.post("/chat", form).location)
    cat, notes = sent_by(db, ada)
    assert (cat.name, cat.media_type, cat.size_bytes) == ("cat.png", "image/png", len(PNG))
    assert cat.storage_key.startswith(f"uploads/{ada.id}/")
    assert stored.get(notes.storage_key) == b"# Notes"
    assert f'<img src="/uploads/{cat.id}"' in page
    assert "notes.md" in page


def test_a_file_alone_is_a_message_too(adas: Browser, ada: User, db: Session) -> None:
    assert adas.post("/chat", files(("cat.png", PNG))).status_code == 303
    assert len(sent_by(db, ada)) == 1


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ([("tool.exe", b"MZ\x90\x00")], "“tool.exe” cannot be read. Send pictures"),
        ([("empty.txt", b"")], "“empty.txt” is empty"),
        ([("ok.txt", b"fine"), ("tool.exe", b"MZ\x90\x00")], "cannot be read"),
        ([(f"{n}.txt", b"x") for n in range(6)], "at most 5 files"),
        ([("big.txt", b"x" * (10 * 1024 * 1024 + 1))], "“big.txt” is larger than 10 MB"),
    ],
)
def test_a_refused_file_is_named_and_nothing_is_kept(
    adas: Browser,
    ada: User,
    db: Session,
    stored: Storage,
    sent: list[tuple[str, bytes]],
    words: str,
) -> None:
    answer = adas.post("/chat", {"text": "My long text", **files(*sent)})
    assert answer.status_code == 422
    assert words in answer.text
    assert ">My long text</textarea>" in answer.text
    assert sent_by(db, ada) == []
    assert stored.list("uploads/") == []


def test_more_than_the_site_takes_at_all_is_refused_early(
    adas: Browser, settings: Settings
) -> None:
    whole = b"x" * (settings.upload_max_bytes * settings.upload_max_files + 2 * 1024 * 1024)
    assert adas.post("/chat", {"text": "x", **files(("a.txt", whole))}).status_code == 413


def test_files_of_a_refused_message_are_deleted_again(adas: Browser, stored: Storage) -> None:
    answer = adas.post("/chat", {"text": "x" * 20_001, **files(("a.txt", b"a"))})
    assert answer.status_code == 422
    assert stored.list("uploads/") == []


def test_while_storage_is_away_the_text_stays_in_the_form(
    adas: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _fail(*_: object) -> None:
        raise StorageFailed("down")

    monkeypatch.setattr(Storage, "put", _fail)
    answer = adas.post("/chat", {"text": "My long text", **files(("a.txt", b"a"))})
    assert answer.status_code == 422
    assert "try again in a moment" in answer.text
    assert ">My long text</textarea>" in answer.text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\x00b\u202e.txt", "ab.txt"),
        ("x" * 300 + ".txt", "x" * 156 + ".txt"),
        # A letter may have four bytes, and file systems count these.
        ("\U00020000" * 100 + ".txt", "\U00020000" * 39 + ".txt"),
        ("..", "file"),
    ],
)
def test_only_the_visible_end_of_a_name_is_kept(
    adas: Browser, ada: User, db: Session, given: str, kept: str
) -> None:
    adas.post("/chat", files((given, b"text")))
    assert [upload.name for upload in sent_by(db, ada)] == [kept]


def test_an_image_is_shown_and_can_do_nothing(adas: Browser, ada: User, db: Session) -> None:
    adas.post("/chat", files(("cat.png", PNG)))
    path = f"/uploads/{sent_by(db, ada)[0].id}"
    answer = adas.get(path)
    assert answer.data == PNG
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Content-Disposition"].startswith("inline")
    again = adas.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_everything_else_is_handed_over_as_a_file(adas: Browser, ada: User, db: Session) -> None:
    adas.post("/chat", files(("page.html", b"<script>alert(1)</script>")))
    answer = adas.get(f"/uploads/{sent_by(db, ada)[0].id}")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=page.html"


def test_nobody_gets_the_files_of_others(
    adas: Browser, eves: Browser, browser: Browser, ada: User, db: Session
) -> None:
    adas.post("/chat", files(("cat.png", PNG)))
    path = f"/uploads/{sent_by(db, ada)[0].id}"
    assert eves.get(path).status_code == 404
    assert browser.get(path).location.startswith("/login")


def test_a_file_that_is_gone_from_storage_is_missing(
    adas: Browser, ada: User, db: Session, stored: Storage
) -> None:
    adas.post("/chat", files(("cat.png", PNG)))
    upload = sent_by(db, ada)[0]
    stored.delete(upload.storage_key)
    assert adas.get(f"/uploads/{upload.id}").status_code == 404
