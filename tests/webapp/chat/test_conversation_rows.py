"""Rows of conversations are drawn once, and short."""

import pytest
from markupsafe import Markup
from sqlalchemy.orm import Session

from models.schema.chat import Conversation
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser
from webapp.chat import conversation_rows
from webapp.chat.rendering import HtmlCache


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes the names of the rows that are really drawn, from none kept."""
    kept, noted = HtmlCache(), list[str]()
    render = conversation_rows.render

    def _render(conversation: Conversation, *, is_open: bool) -> Markup:
        noted.append(conversation.title)
        return render(conversation, is_open=is_open)

    monkeypatch.setattr(conversation_rows, "rows", lambda: kept)
    monkeypatch.setattr(conversation_rows, "render", _render)
    return noted


def test_a_row_is_drawn_anew_only_under_another_name(
    adas: Browser, ada: User, db: Session, drawn: list[str]
) -> None:
    garden = factories.job(db, ada, "Garden").conversation_id
    db.commit()
    assert ">Garden</a>" in adas.read("/chat/new")
    assert ">Garden</a>" in adas.read("/chat/new")
    assert drawn == ["Garden"]
    adas.post(f"/chat/{garden}/title", {"title": "<b>Beans & peas</b>"})
    assert ">&lt;b&gt;Beans &amp; peas&lt;/b&gt;</a>" in adas.get("/chat/new").text
    assert len(drawn) == 2


def test_the_open_one_is_marked(adas: Browser, ada: User, db: Session, drawn: list[str]) -> None:
    garden = factories.job(db, ada, "Garden").conversation_id
    factories.job(db, ada, "Beans")
    db.commit()
    assert "aria-current" not in adas.read("/chat/new")
    row = f'<a href="/chat/{garden}" aria-current="page">Garden</a>'
    assert row in adas.read(f"/chat/{garden}")
    assert len(drawn) == 3


def test_a_row_is_short_and_has_no_form(adas: Browser, ada: User, db: Session) -> None:
    garden = factories.job(db, ada, "Garden").conversation_id
    db.commit()
    page = adas.get("/chat/new").text
    row = page[page.index(f'<li id="conversation-{garden}-row"') :].partition("</li>")[0]
    assert "<form" not in row
    assert len(row) < 400
