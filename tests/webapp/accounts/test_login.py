"""Signing up, logging in and out."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import sessions
from models.schema.users import User
from settings import Settings
from tests import factories
from tests.webapp.browser import Browser
from webapp import create_app
from webapp.core import security


def test_a_newcomer_signs_up_with_the_grant_and_is_asked_to_introduce_themselves(
    browser: Browser, db: Session, settings: Settings
) -> None:
    answer = browser.sign_up(" Grace@Example.org ")
    assert (answer.status_code, answer.location) == (303, "/onboarding")
    grace = db.scalars(select(User).where(User.email == "grace@example.org")).one()
    assert grace.credits_available_micros == settings.sign_up_grant_micros
    assert browser.get("/chat-of-nobody").status_code == 404
    assert "Introduce yourself" in browser.read("/onboarding")


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("no address", "long enough", "does not look like an e-mail address"),
        ("grace@example.org", "short", "8 to 200 characters"),
        ("grace@example.org", "x" * 201, "8 to 200 characters"),
        ("ada@example.org", "long enough", "could not create an account"),
        ("", "", "does not look like an e-mail address"),
    ],
)
def test_a_refused_sign_up_says_why_and_keeps_the_address(
    browser: Browser, ada: User, db: Session, email: str, password: str, words: str
) -> None:
    answer = browser.sign_up(email, password)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{email}"' in answer.text
    assert "long enough" not in answer.text
    assert db.scalars(select(User)).all() == [ada]


def test_logging_in_opens_the_chat(browser: Browser, ada: User) -> None:
    answer = browser.log_in("ADA@example.org")
    assert (answer.status_code, answer.location) == (303, "/chat")
    assert "ada@example.org" in browser.read("/settings")


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    browser: Browser, ada: User
) -> None:
    wrong = browser.log_in("ada@example.org", "not hers at all")
    unknown = browser.log_in("ado@example.org", "not hers at all")
    assert wrong.status_code == unknown.status_code == 422
    assert _without_what_varies(wrong.text) == _without_what_varies(unknown.text)


def _without_what_varies(page: str) -> list[str]:
    return [
        line.replace("ada@example.org", "X").replace("ado@example.org", "X")
        for line in page.splitlines()
        if "csrf" not in line and "nonce" not in line and "X-CSRFToken" not in line
    ]


def test_logging_in_forgets_what_the_browser_was_before(
    browser: Browser, ada: User, eve: User, db: Session
) -> None:
    token_before = browser.token()
    browser.log_in(eve.email)
    browser.log_in(ada.email)
    assert sessions.list_live(db, eve.id) == []
    assert "ada@example.org" in browser.read("/settings")
    stale = browser.client.post("/logout", data={"csrf_token": token_before})
    assert stale.status_code == 400


def test_a_session_that_was_planted_before_does_not_become_a_login(
    browser: Browser, ada: User
) -> None:
    browser.get("/login")
    planted = browser.client.get_cookie("session")
    assert planted
    browser.log_in(ada.email)
    thief = Browser(browser.client.application)
    thief.client.set_cookie("session", planted.value)
    assert thief.get("/settings").location == "/login?next=/settings"


def test_logging_out_ends_this_browser_and_no_other(
    adas: Browser, ada: User, log_in: Callable[[User], Browser]
) -> None:
    phone = log_in(ada)
    stolen = adas.client.get_cookie("session")
    assert stolen
    answer = adas.post("/logout")
    assert (answer.status_code, answer.location) == (303, "/")
    assert adas.get("/settings").location == "/login?next=/settings"
    assert phone.get("/settings").status_code == 200
    adas.client.set_cookie("session", stolen.value)
    assert adas.get("/settings").status_code == 303


def test_a_link_to_logout_only_asks(adas: Browser, browser: Browser) -> None:
    assert "Log out here?" in adas.read("/logout")
    assert adas.get("/settings").status_code == 200
    assert browser.get("/logout").location == "/"


@pytest.mark.parametrize(
    ("wanted", "location"),
    [
        ("/settings?x=1", "/settings?x=1"),
        ("//evil.example", "/chat"),
        ("/\\evil.example", "/chat"),
        ("https://evil.example/", "/chat"),
        ("javascript:alert(1)", "/chat"),
        ("/\tx", "/chat"),
        ("settings", "/chat"),
        ("", "/chat"),
    ],
)
def test_after_logging_in_nobody_is_sent_to_another_site(
    browser: Browser, ada: User, wanted: str, location: str
) -> None:
    assert browser.log_in(ada.email, next=wanted).location == location


def test_who_is_logged_in_skips_the_forms(adas: Browser) -> None:
    assert adas.get("/login").location == "/chat"
    assert adas.get("/login?next=/settings").location == "/settings"
    assert adas.get("/signup").location == "/onboarding"
    assert adas.get("/onboarding").location == "/chat"


def test_guessing_is_slowed_down_for_one_address_from_anywhere(
    browser: Browser, ada: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _limit(monkeypatch, settings, login_rate_limit="3 per minute")
    for guess in range(3):
        answer = _guess_from(browser, f"10.0.0.{guess}")
        assert answer == 422
    assert _guess_from(browser, "10.0.0.9") == 429
    assert browser.log_in("eve@example.org", "a wrong one").status_code == 422


def test_guessing_is_slowed_down_for_one_visitor_at_any_address(
    browser: Browser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _limit(monkeypatch, settings, signup_rate_limit="3 per minute")
    for number in range(3):
        assert browser.sign_up(f"somebody{number}@example.org", "short").status_code == 422
    answer = browser.sign_up("another@example.org")
    assert answer.status_code == 429
    assert "Please try again in " in answer.text
    assert int(answer.headers["Retry-After"]) <= 60
    assert browser.get("/signup").status_code == 200


def _guess_from(browser: Browser, address: str) -> int:
    form = {"email": "ada@example.org", "password": "a wrong one"}
    answer = browser.post("/login", form, environ_overrides={"REMOTE_ADDR": address})
    return answer.status_code


def _limit(monkeypatch: pytest.MonkeyPatch, settings: Settings, **limits: str) -> None:
    tightened = settings.model_copy(update=limits)
    monkeypatch.setattr(security, "get_settings", lambda: tightened)


def test_people_can_log_in_while_redis_is_away(settings: Settings, db: Session, ada: User) -> None:
    away = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:9/0")})
    assert Browser(create_app(away)).log_in(ada.email).location == "/chat"


def test_hostile_words_are_shown_as_words(browser: Browser, db: Session) -> None:
    hostile = '"><script>alert(1)</script>'
    assert "<script>alert" not in browser.log_in(hostile, "whatever it is").text
    user = factories.user(db, "mallory@example.org", name="<img src=x onerror=alert(1)>")
    browser.log_in(user.email)
    page = browser.get("/settings").text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
