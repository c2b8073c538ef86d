"""Finding, renaming and deleting conversations."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gateways.s3_files import Storage
from models import jobs
from models.base import utc_now
from models.chat import conversations
from models.chat.conversations import LIST_LENGTH
from models.schema.chat import Conversation, Message
from models.schema.jobs import JobStatus
from models.schema.uploads import SentFile
from models.schema.users import User
from tests import factories
from tests.factories import MODEL
from tests.webapp.browser import Browser

NAME = re.compile(r'<li id="[^"]+" class="side-row"><a href="[^"]+"[^>]*>([^<]*)</a>')
MORE = re.compile(r'<li id="more-conversations">\s*<a [^>]*href="([^"]+)"')


@pytest.fixture
def many(db: Session, ada: User, eve: User) -> list[str]:
    """Ada has more conversations than three pages of the list hold; their names, newest first."""
    names = [f"Talk {number:03}" for number in range(3 * LIST_LENGTH + 10)]
    then = utc_now() - timedelta(days=400)
    for owner, said in (ada, names), (eve, ["Talk of Eve"]):
        for at, name in enumerate(said):
            used = then + timedelta(hours=at // 2)
            db.add(Conversation(user_id=owner.id, title=name, created_at=used, updated_at=used))
        db.flush()
    db.commit()
    return names[::-1]


def all_of(browser: Browser, path: str) -> list[str]:
    """The names on a list, with all that “Show more” leads to."""
    names: list[str] = []
    while path:
        page = browser.read(path)
        names += NAME.findall(page)
        found = MORE.search(page)
        path = found[1] if found else ""
    return names


def test_every_conversation_is_reached_page_by_page(adas: Browser, many: list[str]) -> None:
    first = adas.read("/chat/new")
    assert NAME.findall(first) == many[:LIST_LENGTH]
    assert all_of(adas, "/chat/new") == many


def test_a_conversation_is_found_by_its_name(
    adas: Browser, eves: Browser, many: list[str], ada: User, db: Session
) -> None:
    assert all_of(adas, "/conversations?q=talk+00") == many[-10:]
    assert len(all_of(adas, "/conversations?q=TALK")) == len(many)
    assert all_of(adas, "/conversations?q=Eve") == []
    assert "No conversation has “Eve” in its name." in adas.read("/conversations?q=Eve")
    assert all_of(eves, "/conversations?q=talk") == ["Talk of Eve"]
    conversations.rename(factories.conversation(db, ada), "100%_sure")
    db.commit()
    for words in ("100%", "%_", "0%_S"):
        assert all_of(adas, f"/conversations?q={quote(words)}") == ["100%_sure"]
    assert all_of(adas, "/conversations?q=%25") == ["100%_sure"]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    "query",
    ["behind=1", "behind=x.y", f"behind={'9' * 40}.{'a' * 36}", "open=x", f"q={'x' * 4000}", "q=+"],
)
def test_a_query_that_makes_no_sense_breaks_nothing(adas: Browser, query: str) -> None:
    assert adas.get(f"/conversations?{query}").status_code == 200


def test_htmx_gets_the_list_or_the_rows_that_follow(adas: Browser, many: list[str]) -> None:
    headers = {"HX-Request": "true"}
    found = adas.get("/conversations?q=Talk", headers=headers).text
    assert found.startswith('<nav id="conversations"')
    more = MORE.search(unescape(found))
    assert more
    rows = adas.get(more[1], headers=headers).text
    assert rows.startswith("<li")
    assert NAME.findall(rows) == many[LIST_LENGTH : 2 * LIST_LENGTH]


def test_without_scripts_a_page_renames_and_deletes(
    adas: Browser, eves: Browser, ada: User, db: Session
) -> None:
    path = f"/chat/{factories.job(db, ada, 'Garden').conversation_id}"
    db.commit()
    assert f'href="{path}/edit"' in adas.read("/chat/new")
    page = adas.read(f"{path}/edit")
    assert f'action="{path}/title"' in page
    assert f'action="{path}/deletion"' in page
    assert eves.get(f"{path}/edit").status_code == 404


def test_a_conversation_gets_another_name(adas: Browser, ada: User, db: Session) -> None:
    path = f"/chat/{factories.job(db, ada, 'Hello there').conversation_id}"
    db.commit()
    assert adas.post(f"{path}/title", {"title": "  My   garden "}).location == path
    assert "My garden" in adas.read(path)
    assert "Hello there ·" not in adas.read(path)


def test_htmx_gets_the_row_and_the_header_if_it_is_open(
    adas: Browser, ada: User, db: Session
) -> None:
    conversation = factories.job(db, ada).conversation_id
    db.commit()
    path = f"/chat/{conversation}/title"
    closed = adas.post_part(path, {"title": "Garden"})
    assert "<li" in closed.text
    assert closed.headers["HX-Retarget"] == f"#conversation-{conversation}-row"
    assert "chat-title" not in closed.text
    opened = adas.post_part(path, {"title": "Garden", "open": str(conversation)})
    assert 'id="chat-title"' in opened.text
    refused = adas.post_part(path, {"title": " "})
    assert refused.status_code == 422
    assert "1 to 80 characters" in refused.text


def test_a_deleted_conversation_takes_everything_with_it(
    adas: Browser, ada: User, db: Session, storage: Storage
) -> None:
    storage.put("uploads/of-ada", b"secret", "text/plain")
    conversation = factories.conversation(db, ada)
    file = SentFile("a.txt", "text/plain", 6, "uploads/of-ada")
    running = jobs.ask(db, conversation, "Secret plans", model=MODEL, files=[file])
    claimed = factories.claim(db)
    assert claimed is not None
    waiting = jobs.ask(db, conversation, "More secrets", model=MODEL)
    db.commit()

    assert adas.post(f"/chat/{conversation.id}/deletion").location == "/chat"

    assert adas.get(f"/chat/{conversation.id}").status_code == 404
    assert conversations.list_own(db, ada.id) == []
    assert db.scalars(sa.select(Message).where(Message.user_id == ada.id)).all() == []
    assert storage.list("uploads/of-ada") == []
    db.refresh(running)
    db.refresh(waiting)
    assert running.stop_requested_at is not None
    assert waiting.status is JobStatus.CANCELLED


def test_nobody_names_or_deletes_what_is_anothers(eves: Browser, ada: User, db: Session) -> None:
    conversation = factories.job(db, ada, "Mine").conversation_id
    db.commit()
    assert eves.post(f"/chat/{conversation}/title", {"title": "Hers"}).status_code == 404
    assert eves.post(f"/chat/{conversation}/deletion").status_code == 404
    assert conversations.find_own(db, ada.id, conversation).title == "Mine"


@pytest.mark.parametrize("title", ["", " ", "x" * 81, "a\u202eb", "a\x1b[31m", "e" + "\u0301" * 30])
def test_a_name_that_cannot_be_shown_in_one_line_is_refused(
    adas: Browser, ada: User, db: Session, title: str
) -> None:
    conversation = factories.conversation(db, ada)
    db.commit()
    refused = adas.post(f"/chat/{conversation.id}/title", {"title": title})
    assert refused.status_code == 422
    assert "needs 1 to 80 characters" in refused.text
