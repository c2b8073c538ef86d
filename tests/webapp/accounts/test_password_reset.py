"""Forgetting a password, and changing what one logs in with."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.people import password_reset
from models.schema.emails import Email
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser

NEW = "a whole new sentence"


def newest_link(db: Session, email: str) -> str:
    newest = sa.select(Email.text_body).where(Email.recipient == email).order_by(Email.id.desc())
    found = re.search(r"https?://[^/]+(/\S+token=\S+)", db.scalars(newest.limit(1)).one())
    assert found
    return found[1]


def mailed_token(browser: Browser, db: Session, email: str) -> str:
    browser.post("/password/reset", {"email": email})
    assert password_reset.answer_next(db)
    return newest_link(db, email).partition("token=")[2]


def test_a_new_password_is_chosen_and_logs_this_browser_in_and_all_others_out(
    browser: Browser, adas: Browser, ada: User, db: Session
) -> None:
    assert "Forgot your password?" in browser.read("/login")
    token = mailed_token(browser, db, ada.email)
    page = browser.read(f"/password/new?token={token}")
    assert ada.email in page

    answer = browser.post("/password/new", {"token": token, "password": NEW})
    assert (answer.status_code, answer.location) == (303, "/chat")
    assert "Your new password is set" in browser.read("/settings")
    assert adas.get("/settings").status_code == 303
    assert browser.post("/logout").status_code == 303
    assert browser.log_in(ada.email).status_code == 422
    assert browser.log_in(ada.email, NEW).location == "/chat"


def test_known_and_unknown_addresses_get_the_same_answer_and_cause_the_same_work(
    browser: Browser, ada: User, db: Session, engine: sa.Engine
) -> None:
    pages: list[str] = []
    statements: list[list[str]] = []
    for email in (ada.email, "nobody@example.org"):
        seen: list[str] = []

        def _note(*given: object, seen: list[str] = seen) -> None:
            seen.append(str(given[2]))

        token = browser.token()
        event.listen(engine, "before_cursor_execute", _note)
        answer = browser.client.post("/password/reset", data={"csrf_token": token, "email": email})
        event.remove(engine, "before_cursor_execute", _note)
        assert answer.status_code == 200
        pages.append(
            re.sub(r"nonce[^>]*|content=\"[^\"]*\"|hx-headers='[^']*'", "", answer.text).replace(
                email, "X"
            )
        )
        statements.append([sql.split("SAVEPOINT")[0] for sql in seen])
    assert pages[0] == pages[1]
    assert statements[0] == statements[1]
    assert any("INSERT INTO password_reset_requests" in sql for sql in statements[0])
    assert not any("users" in sql for sql in statements[0])


def test_what_is_no_address_is_refused(browser: Browser, db: Session) -> None:
    answer = browser.post("/password/reset", {"email": "nothing"})
    assert answer.status_code == 422
    assert "does not look like an e-mail address" in answer.text
    assert not password_reset.has_requests(db)


def test_a_bad_password_is_refused_and_can_be_mended(
    browser: Browser, ada: User, db: Session
) -> None:
    token = mailed_token(browser, db, ada.email)
    answer = browser.post("/password/new", {"token": token, "password": "short"})
    assert answer.status_code == 422
    assert "8 to 200 characters" in answer.text
    assert token in answer.text
    assert browser.post("/password/new", {"token": token, "password": NEW}).status_code == 303


def test_a_used_or_made_up_link_sets_nothing(browser: Browser, ada: User, db: Session) -> None:
    token = mailed_token(browser, db, ada.email)
    browser.post("/password/new", {"token": token, "password": NEW})
    browser.post("/logout")
    for tried in (token, "guess", ""):
        assert browser.get(f"/password/new?token={tried}").status_code == 410
        again = browser.post("/password/new", {"token": tried, "password": "another sentence"})
        assert again.status_code == 410
        assert "Ask for a new link" in again.text
    assert browser.log_in(ada.email, NEW).status_code == 303


def test_eve_cannot_use_adas_link_in_her_own_browser(
    browser: Browser, eves: Browser, ada: User, db: Session
) -> None:
    token = mailed_token(browser, db, ada.email)
    assert eves.get(f"/password/new?token={token}").status_code == 422
    refused = eves.post("/password/new", {"token": token, "password": NEW})
    assert "belongs to another account" in refused.text
    assert browser.log_in(ada.email).status_code == 303


def test_asking_is_limited_for_one_address_from_anywhere(
    browser: Browser, adjust: Callable[..., None], db: Session
) -> None:
    adjust(MAIL_RATE_LIMIT="2 per minute")
    statuses = [
        browser.post(
            "/password/reset",
            {"email": "ada@example.org"},
            environ_overrides={"REMOTE_ADDR": f"10.0.0.{visitor}"},
        ).status_code
        for visitor in range(3)
    ]
    assert statuses == [200, 200, 429]


def test_tokens_and_passwords_are_in_no_log(browser: Browser, ada: User, db: Session) -> None:
    with capture_logs() as lines:
        token = mailed_token(browser, db, ada.email)
        browser.get(f"/password/new?token={token}")
        browser.post("/password/new", {"token": token, "password": NEW})
    assert lines
    for secret in (token, NEW, ada.email):
        assert secret not in str(lines)


@pytest.mark.parametrize(
    "path",
    ["/password/reset", "/password/new", "/settings/password", "/settings/address", "/address"],
)
def test_every_form_needs_its_hidden_token(adas: Browser, path: str) -> None:
    assert adas.client.post(path, data={}).status_code == 400


def test_the_password_is_changed_in_the_settings(
    adas: Browser, ada: User, log_in: Callable[[User], Browser]
) -> None:
    phone = log_in(ada)
    wrong = adas.post("/settings/password", {"old-password": "a guess", "new-password": NEW})
    assert wrong.status_code == 422
    assert "not your present password" in wrong.text
    right = {"old-password": factories.PASSWORD, "new-password": NEW}
    assert adas.post("/settings/password", right).location == "/settings#password-change"
    assert "Your new password is set" in adas.read("/settings")
    assert phone.get("/settings").status_code == 303


def test_guessing_the_password_in_the_settings_is_slowed_down(
    adas: Browser, adjust: Callable[..., None]
) -> None:
    adjust(LOGIN_RATE_LIMIT="2 per minute")
    form = {"old-password": "a guess", "new-password": NEW}
    statuses = [adas.post("/settings/password", form).status_code for _ in range(3)]
    assert statuses == [422, 422, 429]


def test_a_new_address_counts_once_its_link_is_opened(
    adas: Browser, ada: User, eves: Browser, db: Session
) -> None:
    form = {"email": "countess@example.org", "address-password": factories.PASSWORD}
    assert adas.post("/settings/address", form).location == "/settings#address"
    assert "We have sent a link to countess@example.org" in adas.read("/settings")
    link = newest_link(db, "countess@example.org")
    token = link.partition("token=")[2]
    assert eves.get(link).status_code == 422
    assert eves.post("/address", {"token": token}).status_code == 422

    assert "Use this address" in adas.read(link)
    db.refresh(ada)
    assert ada.email == "ada@example.org"
    assert adas.post("/address", {"token": token}).location == "/chat"
    db.refresh(ada)
    assert ada.email == "countess@example.org"
    assert adas.post("/address", {"token": token}).status_code == 410


def test_a_refused_address_keeps_what_was_typed(adas: Browser) -> None:
    form = {"email": "countess@example.org", "address-password": "a guess"}
    answer = adas.post("/settings/address", form)
    assert answer.status_code == 422
    assert 'value="countess@example.org"' in answer.text
    assert "a guess" not in answer.text


def test_an_address_that_another_account_has_is_refused_only_to_who_reads_its_mail(
    adas: Browser, ada: User, eve: User, db: Session
) -> None:
    form = {"email": eve.email, "address-password": factories.PASSWORD}
    assert adas.post("/settings/address", form).status_code == 303
    token = newest_link(db, eve.email).partition("token=")[2]
    refused = adas.post("/address", {"token": token})
    assert refused.status_code == 422
    assert "Another account has this address" in refused.text
    db.refresh(ada)
    assert ada.email == "ada@example.org"
