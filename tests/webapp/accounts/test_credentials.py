"""Changing the address: the browser that asked, the owner of before, and a thief in between."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.schema.emails import Email
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.webapp.accounts.test_password_reset import NEW, mailed_token
from tests.webapp.accounts.test_verification import links, token_of
from tests.webapp.browser import Browser

THIEFS = "thief@example.org"


def ask(browser: Browser, email: str = THIEFS) -> None:
    form = {"email": email, "address-password": factories.PASSWORD}
    assert browser.post("/settings/address", form).location == "/settings#address"


def address_of(db: Session, user: User) -> str:
    db.refresh(user)
    return user.email


def test_a_pending_change_does_not_outlive_a_new_password(
    browser: Browser, ada: User, db: Session, log_in: Callable[[User], Browser]
) -> None:
    thief = log_in(ada)
    ask(thief)
    (link,) = links(db, THIEFS)
    token = mailed_token(browser, db, ada.email)
    browser.post("/password/new", {"token": token, "password": NEW})
    for opened in (thief, browser):
        assert opened.get(link).status_code == 410
        assert opened.post("/address", {"token": token_of(link)}).status_code == 410
    assert address_of(db, ada) == "ada@example.org"


def test_the_link_is_for_the_browser_that_asked(
    app: Flask, adas: Browser, ada: User, db: Session, log_in: Callable[[User], Browser]
) -> None:
    ask(adas, "countess@example.org")
    (link,) = links(db, "countess@example.org")
    for other in (Browser(app), log_in(ada)):
        for answer in (other.get(link), other.post("/address", {"token": token_of(link)})):
            assert answer.status_code == 403
            assert "Log in with the browser in which you asked" in answer.text
    assert address_of(db, ada) == "ada@example.org"
    assert adas.post("/address", {"token": token_of(link)}).location == "/chat"
    assert address_of(db, ada) == "countess@example.org"


def test_logging_out_retires_what_that_browser_asked_for(
    adas: Browser, ada: User, db: Session
) -> None:
    ask(adas)
    adas.post("/logout")
    adas.log_in(ada.email)
    (link,) = links(db, THIEFS)
    assert adas.get(link).status_code == 410


@pytest.mark.parametrize("is_moved", [False, True])
def test_the_owner_of_the_old_address_undoes_it_and_chooses_a_password(
    browser: Browser, adas: Browser, ada: User, db: Session, is_moved: bool
) -> None:
    ask(adas)
    if is_moved:
        adas.post("/address", {"token": token_of(links(db, THIEFS)[0])})
    undo = links(db, "ada@example.org")[0]
    page = browser.read(undo)
    assert "ada@example.org" in page
    assert address_of(db, ada) == (THIEFS if is_moved else "ada@example.org")

    led = browser.post("/address/undo", {"token": token_of(undo)})
    assert led.status_code == 303
    assert led.location.startswith("/password/new?token=")
    assert address_of(db, ada) == "ada@example.org"
    assert adas.get("/settings").status_code == 303
    assert adas.log_in(ada.email).status_code == 422
    assert "For <span" in browser.read(led.location)
    chosen = {"token": token_of(led.location), "password": NEW}
    assert browser.post("/password/new", chosen).location == "/chat"
    assert "ada@example.org" in browser.read("/settings")

    again = browser.post("/address/undo", {"token": token_of(undo)})
    assert again.status_code == 410
    assert browser.get("/address/undo?token=guess").status_code == 410
    assert browser.get("/settings").status_code == 200


def test_settings_name_the_account_for_password_managers(adas: Browser, ada: User) -> None:
    page = adas.read("/settings")
    for section in ("address", "password-change"):
        form = page.partition(f'<section id="{section}"')[2].partition("</section>")[0]
        assert re.search(
            rf'name="username"\s+value="{ada.email}"\s+autocomplete="username"', form
        ), section


def test_a_common_password_is_refused_in_words(adas: Browser) -> None:
    form = {"old-password": factories.PASSWORD, "new-password": "password"}
    answer = adas.post("/settings/password", form)
    assert answer.status_code == 422
    assert "Others would guess this password soon" in answer.text


def test_mails_to_a_new_address_are_limited_whoever_asks(
    adas: Browser, eves: Browser, adjust: Callable[..., None], db: Session
) -> None:
    adjust(MAIL_RATE_LIMIT="2 per minute")
    form = {"email": THIEFS, "address-password": factories.PASSWORD}
    statuses = [browser.post("/settings/address", form).status_code for browser in (adas, eves)]
    statuses += [
        eves.post("/settings/address", {**form, "email": "thief@ＥＸＡＭＰＬＥ.org"}).status_code
    ]
    assert statuses == [303, 303, 429]
    assert len(db.scalars(sa.select(Email).where(Email.recipient == THIEFS)).all()) == 2


def test_all_forms_that_mail_one_address_count_together(
    app: Flask, adas: Browser, eves: Browser, adjust: Callable[..., None], db: Session
) -> None:
    adjust(MAIL_RATE_LIMIT="5 per 10 minutes", VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="true")
    stranger = Browser(app)
    change = {"email": THIEFS, "address-password": factories.PASSWORD}
    assert stranger.sign_up(THIEFS).status_code == 303
    assert stranger.post_part("/signup/mail").status_code == 200
    assert stranger.post("/password/reset", {"email": THIEFS}).status_code == 200
    assert adas.post("/settings/address", change).status_code == 303
    assert eves.post("/settings/address", {**change, "email": THIEFS.upper()}).status_code == 303

    refused = [
        Browser(app).sign_up(THIEFS),
        stranger.post_part("/signup/mail"),
        stranger.post("/password/reset", {"email": "thief@ＥＸＡＭＰＬＥ.org"}),
        adas.post("/settings/address", change),
    ]
    assert [answer.status_code for answer in refused] == [429] * 4
    assert "You can have it sent again in 10 minutes." in refused[1].text
    # Nobody else's mail is held back.
    assert Browser(app).sign_up("grace@example.org").status_code == 303
    assert len(db.scalars(sa.select(Email).where(Email.recipient == THIEFS)).all()) == 2


def test_verification_mails_count_with_the_others_to_that_address(
    browser: Browser, adjust: Callable[..., None]
) -> None:
    adjust(MAIL_RATE_LIMIT="3 per 10 minutes", VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="false")
    browser.sign_up("grace@example.org")
    assert browser.post_part("/verification/mail").status_code == 200
    assert browser.post("/password/reset", {"email": "Grace@example.org"}).status_code == 200
    assert browser.post_part("/verification/mail").status_code == 429


def test_asking_for_a_new_address_is_answered_without_the_address_of_the_mailbox(
    adas: Browser,
) -> None:
    ask(adas)
    page = adas.read("/settings")
    assert f"We have sent a link to {THIEFS}.</p>" in page
    assert f'href="{get_settings().mailbox_url}"' in page


def test_tokens_are_in_no_log(browser: Browser, adas: Browser, db: Session) -> None:
    with capture_logs() as lines:
        ask(adas)
        (link,) = links(db, THIEFS)
        (undo,) = links(db, "ada@example.org")
        adas.get(link)
        led = browser.post("/address/undo", {"token": token_of(undo)}).location
        browser.get(led)
    assert lines
    for secret in (token_of(link), token_of(undo), token_of(led), "thief@", "ada@"):
        assert secret not in str(lines)
