"""The way from signing up to the free credit, as a browser sees it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.schema.emails import Email
from models.schema.users import User
from settings import Settings, get_settings
from tests import factories
from tests.webapp.browser import Browser

pytestmark = pytest.mark.usefixtures("verifying")

PUBLIC = {"environ_overrides": {"REMOTE_ADDR": "8.8.8.8"}}


def links(db: Session, email: str) -> list[str]:
    """Paths of the links in the mails to somebody, oldest first."""
    sent = sa.select(Email.text_body).where(Email.recipient == email).order_by(Email.id)
    found = [re.search(r"https?://[^/]+(/\S+token=\S+)", text) for text in db.scalars(sent)]
    return [link[1] for link in found if link]


def token_of(link: str) -> str:
    return link.partition("token=")[2]


def introduced(browser: Browser, email: str = "grace@example.org") -> Browser:
    """A browser that has just signed up, and introduced its person."""
    browser.sign_up(email)
    form = {"name": "Grace", "timezone": "Europe/Berlin", "needs": ""}
    assert browser.post("/onboarding", form).location == "/chat"
    return browser


def balance(db: Session, email: str = "grace@example.org") -> int:
    user = db.scalars(sa.select(User).where(User.email == email)).one()
    db.refresh(user)
    return user.credits_available_micros


def test_signing_up_sends_a_link_and_the_chat_tells_of_it(browser: Browser, db: Session) -> None:
    introduced(browser)
    assert balance(db) == 0
    page = browser.read("/chat")
    assert "Check your mail to get your free $1.00." in page
    assert "grace@example.org" in page
    assert "Mail it again" in page
    assert f'href="{get_settings().mailbox_url}"' in page
    assert len(links(db, "grace@example.org")) == 1


def test_the_mailbox_is_linked_only_where_there_is_one(
    browser: Browser, adjust: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILBOX_URL")
    adjust()
    page = introduced(browser).read("/chat")
    assert "Check your mail" in page
    assert "Open the mailbox" not in page


def test_opening_the_link_only_asks_and_pressing_the_button_gives_the_credit(
    browser: Browser, db: Session
) -> None:
    introduced(browser)
    (link,) = links(db, "grace@example.org")
    assert "Confirm my address" in browser.read(link)
    assert balance(db) == 0

    answer = browser.post("/verification", {"token": token_of(link)}, **PUBLIC)
    assert (answer.status_code, answer.location) == (303, "/chat")
    assert balance(db) == get_settings().sign_up_grant_micros
    page = browser.read("/chat")
    assert "your address is confirmed. $1.00 of credit is yours." in page
    assert "Check your mail" not in page


def test_where_nobody_is_logged_in_a_link_wants_the_password_first(
    browser: Browser, app: Any, db: Session
) -> None:
    """Or the reader of the mail would open to a stranger what that one has signed up for."""
    introduced(browser)
    phone = Browser(app)
    (link,) = links(db, "grace@example.org")
    assert phone.get(link).location.startswith("/login?next=/verification?token")
    assert "Log in to confirm your address" in phone.read("/login")
    assert phone.post("/verification", {"token": token_of(link)}).location.startswith("/login")
    assert balance(db) == 0
    form = {"email": "grace@example.org", "password": factories.PASSWORD, "next": link}
    assert phone.post("/login", form).location == link
    assert "Confirm my address" in phone.read(link)
    assert phone.post("/verification", {"token": token_of(link)}).location == "/chat"
    assert balance(db) == get_settings().sign_up_grant_micros


def test_a_link_works_once_and_says_so(browser: Browser, db: Session) -> None:
    introduced(browser)
    (link,) = links(db, "grace@example.org")
    browser.post("/verification", {"token": token_of(link)})
    again = browser.post("/verification", {"token": token_of(link)})
    assert again.status_code == 410
    assert "used already, or it has expired" in again.text
    assert browser.get(link).status_code == 410
    assert browser.get("/verification?token=guess").status_code == 410
    assert balance(db) == get_settings().sign_up_grant_micros


def test_eve_cannot_use_a_link_that_belongs_to_somebody_else(
    browser: Browser, eves: Browser, eve: User, db: Session
) -> None:
    introduced(browser)
    (link,) = links(db, "grace@example.org")
    for answer in (eves.get(link), eves.post("/verification", {"token": token_of(link)})):
        assert answer.status_code == 422
        assert "belongs to another account" in answer.text
        assert "grace@" not in answer.text
    assert balance(db) == balance(db, eve.email) == 0
    assert "Confirm my address" in browser.read(link)


def test_no_form_of_another_site_verifies(browser: Browser, db: Session) -> None:
    introduced(browser)
    (link,) = links(db, "grace@example.org")
    assert browser.client.post("/verification", data={"token": token_of(link)}).status_code == 400
    assert browser.client.post("/verification/mail").status_code == 400
    assert balance(db) == 0


def test_a_message_before_that_is_refused_and_its_words_stay(browser: Browser, db: Session) -> None:
    introduced(browser)
    answer = browser.post("/chat", {"text": "Hello there?"})
    assert answer.status_code == 422
    assert "confirm your e-mail address first" in answer.text
    assert ">Hello there?</textarea>" in answer.text
    part = browser.post_part("/chat", {"text": "Hello there?"})
    assert part.status_code == 422
    assert part.headers["HX-Retarget"] == "#composer-notice"


def test_the_link_is_sent_again_on_request_and_not_without_end(
    browser: Browser, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(MAIL_RATE_LIMIT="3 per 10 minutes")
    introduced(browser)
    first = browser.post_part("/verification/mail")
    assert first.status_code == 200
    assert "Sent again, to grace@example.org." in first.text
    assert 'data-counts-down="60"' in first.text
    second = browser.post_part("/verification/mail")
    assert "Sent again" in second.text
    assert counted_down(second.text) > 500
    third = browser.post_part("/verification/mail")
    assert third.status_code == 429
    assert third.headers["HX-Retarget"] == "#mail-again"
    assert "You can have it sent again in 10 minutes." in third.text
    assert counted_down(third.text) > 500
    assert len(links(db, "grace@example.org")) == 3


def test_without_scripts_the_chat_says_so_even_if_the_browser_has_kept_it(
    browser: Browser, adjust: Callable[..., None]
) -> None:
    adjust(MAIL_RATE_LIMIT="2 per 10 minutes")
    introduced(browser)
    kept = {"If-None-Match": browser.get("/chat/new").headers["ETag"]}
    assert browser.get("/chat/new", headers=kept).status_code == 304
    for words in ("Sent again, to grace@example.org.", "sent again in 10 minutes."):
        assert browser.post("/verification/mail").location == "/chat"
        told = browser.get("/chat/new", headers=kept)
        assert told.status_code == 200
        assert words in told.text
        # A page that told of something once is not kept, and it is told once.
        assert "ETag" not in told.headers
        assert browser.get("/chat/new", headers=kept).status_code == 304


def test_who_cannot_be_sent_mail_is_told_so_at_the_button(
    browser: Browser, db: Session, log_in: Callable[[User], Browser]
) -> None:
    # From before such addresses were refused.
    old = factories.user(db, "grace@example.org")
    old.email = "é@example.org"
    db.flush()
    answer = log_in(old).post_part("/verification/mail")
    assert answer.status_code == 422
    assert "We cannot send mail to this address" in answer.text
    assert links(db, old.email) == []


def counted_down(html: str) -> int:
    found = re.search(r'data-counts-down="(\d+)"', html)
    assert found
    return int(found[1])


def test_who_is_verified_gets_no_further_link(adas: Browser, ada: User, db: Session) -> None:
    ada.email_verified_at = ada.created_at
    db.commit()
    adas.post("/verification/mail")
    assert links(db, ada.email) == []


def test_strangers_can_have_nothing_sent(browser: Browser) -> None:
    assert browser.post("/verification/mail").location == "/login"
    assert browser.get("/verification/standing").location.startswith("/login")


def test_the_page_is_drawn_anew_when_the_address_was_verified_elsewhere(
    browser: Browser, db: Session
) -> None:
    introduced(browser)
    assert 'hx-get="/verification/standing"' in browser.read("/chat")
    assert browser.get("/verification/standing").status_code == 204
    browser.post("/verification", {"token": token_of(links(db, "grace@example.org")[0])})
    assert browser.get("/verification/standing").headers["HX-Refresh"] == "true"
    assert 'hx-get="/verification/standing"' not in browser.read("/chat")


def test_who_gets_no_free_credit_is_told_why_and_what_to_do(browser: Browser, db: Session) -> None:
    introduced(browser, "grace@mailinator.com")
    token = token_of(links(db, "grace@mailinator.com")[0])
    browser.post("/verification", {"token": token})
    for _ in range(2):
        page = browser.read("/chat")
        assert "no free credit for addresses that anybody can have for some minutes" in page
        assert "You can top up at any time" in page
    assert balance(db, "grace@mailinator.com") == 0


def test_the_network_is_the_one_where_the_link_was_opened(
    browser: Browser, app: Any, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(FREE_GRANTS_PER_NETWORK="1")
    for name in ("one", "two"):
        visitor = Browser(app)
        introduced(visitor, f"{name}@example.org")
        token = token_of(links(db, f"{name}@example.org")[0])
        visitor.post("/verification", {"token": token}, **PUBLIC)
    assert balance(db, "one@example.org") == get_settings().sign_up_grant_micros
    assert balance(db, "two@example.org") == 0


def test_tokens_are_in_no_log(browser: Browser, db: Session, settings: Settings) -> None:
    assert settings
    with capture_logs() as lines:
        introduced(browser)
        (link,) = links(db, "grace@example.org")
        browser.get(link)
        browser.post("/verification", {"token": token_of(link)})
    assert lines
    assert token_of(link) not in str(lines)
    assert "grace@" not in str(lines)


def test_a_session_in_another_browser_sees_the_credit_too(
    browser: Browser, db: Session, log_in: Callable[[User], Browser]
) -> None:
    introduced(browser)
    grace = db.scalars(sa.select(User).where(User.email == "grace@example.org")).one()
    phone = log_in(grace)
    browser.post("/verification", {"token": token_of(links(db, grace.email)[0])})
    assert "Check your mail" not in phone.read("/chat")
