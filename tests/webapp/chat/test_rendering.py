"""What is drawn once and kept, and what is not."""

import re
from collections.abc import Callable

import pytest
from markupsafe import Markup
from sqlalchemy.orm import Session

from models import jobs
from models.chat import conversations
from models.schema.chat import IMPORT, Role
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, Transaction
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser
from webapp.chat import rendering
from webapp.chat.rendering import HtmlCache
from webapp.chat.views import ExchangeView

FORM = re.compile(r'<form[^>]*retry.*?name="csrf_token" value="([^"]+)"', re.DOTALL)
REMINDER = re.compile(r'<form[^>]*reminders/.*?name="csrf_token" value="([^"]+)"', re.DOTALL)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> HtmlCache:
    """Nothing drawn yet."""
    cache = HtmlCache()
    monkeypatch.setattr(rendering, "html_cache", lambda: cache)
    return cache


@pytest.fixture
def job(db: Session, ada: User) -> Job:
    return factories.running(db, ada)


def drawn_anew(monkeypatch: pytest.MonkeyPatch) -> list[ExchangeView]:
    """Notes each exchange that is really drawn from now on."""
    noted: list[ExchangeView] = []
    render = rendering.render

    def _render(view: ExchangeView) -> Markup:
        noted.append(view)
        return render(view)

    monkeypatch.setattr(rendering, "render", _render)
    return noted


def test_what_is_over_is_drawn_once(
    adas: Browser, db: Session, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.answer(db, job, "Hello!", "<p>Hello!</p>")
    noted = drawn_anew(monkeypatch)
    first = adas.read(f"/chat/{job.conversation_id}")
    assert "<p>Hello!</p>" in first
    again = adas.read(f"/chat/{job.conversation_id}")
    assert first.count("<p>Hello!</p>") == again.count("<p>Hello!</p>") == 1
    assert len(noted) == 1


def test_what_goes_on_is_drawn_each_time(
    adas: Browser, db: Session, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = drawn_anew(monkeypatch)
    assert 'data-state="working"' in adas.read(f"/chat/{job.conversation_id}")
    factories.answer(db, job, "Hello!", "<p>Hello!</p>")
    assert 'data-state="sent"' in adas.read(f"/chat/{job.conversation_id}")
    assert len(noted) == 2


def test_another_cost_or_time_zone_is_drawn_anew(
    adas: Browser, db: Session, ada: User, job: Job
) -> None:
    factories.answer(db, job, "Hello!", "<p>Hello!</p>")
    path = f"/chat/{job.conversation_id}"
    assert "Not charged" in adas.read(path)
    db.add(
        Transaction(
            user_id=ada.id,
            job_id=job.id,
            kind=EntryKind.CHARGE,
            amount_micros=-20_000,
            reference="late",
        )
    )
    db.flush()
    berlin = adas.read(path)
    assert "$0.02<span" in berlin
    ada.timezone = "Europe/London"
    db.flush()
    assert clock(adas.read(path)) != clock(berlin)


def clock(page: str) -> list[str]:
    return re.findall(r"<time [^>]*>([^<]*)</time>", page)


def test_a_form_is_never_kept_for_another_login(
    adas: Browser,
    log_in: Callable[[User], Browser],
    db: Session,
    ada: User,
    job: Job,
    fresh: HtmlCache,
) -> None:
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    path = f"/chat/{job.conversation_id}"
    first, other = FORM.search(adas.read(path)), FORM.search(log_in(ada).read(path))
    assert first
    assert other
    assert first[1] != other[1]
    assert len(fresh) == 0


def test_the_forms_of_a_reminder_work_in_every_login(
    adas: Browser, log_in: Callable[[User], Browser], db: Session, ada: User, fresh: HtmlCache
) -> None:
    talk = factories.conversation(db, ada)
    conversations.say(db, talk, Role.ASSISTANT, "Call mum", html="<p>Call mum</p>")
    db.commit()
    other = log_in(ada)
    tokens = [REMINDER.findall(one.read(f"/chat/{talk.id}")) for one in (adas, other)]
    assert all(len(found) == 2 for found in tokens)
    assert set(tokens[0]).isdisjoint(tokens[1])
    assert len(fresh) == 0


def test_what_came_with_an_archive_is_drawn_once(
    adas: Browser, db: Session, ada: User, fresh: HtmlCache
) -> None:
    talk = factories.conversation(db, ada)
    said = conversations.say(db, talk, Role.ASSISTANT, "Hello!", html="<p>Hello!</p>")
    said.channel = IMPORT
    db.commit()
    adas.read(f"/chat/{talk.id}")
    assert len(fresh) == 1


def test_only_so_much_is_kept_and_what_was_wanted_last_stays() -> None:
    cache = HtmlCache(kept_chars=10)
    for key in "abc":
        cache.keep(key, Markup("1234"))
        cache.find("a")
    assert [cache.find(key) is not None for key in "abc"] == [True, False, True]
    cache.keep("a", Markup("12345678901"))
    assert [cache.find(key) is not None for key in "abc"] == [False, False, True]
    assert len(cache) == 1
