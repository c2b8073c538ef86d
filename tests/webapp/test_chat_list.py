"""Renaming and deleting conversations."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from gateways.s3_files import Storage
from models import conversations, jobs
from models.conversations import Message
from models.jobs import JobStatus
from models.uploads import SentFile
from models.users import User
from tests import factories
from tests.factories import MODEL
from tests.webapp.browser import Browser


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
