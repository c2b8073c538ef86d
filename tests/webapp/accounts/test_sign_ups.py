"""Signing up by mail as browsers see it: the same for every address, until the mail is opened."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.base import utc_now
from models.people import sign_ups
from models.schema.emails import Email
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.webapp.accounts.test_verification import links, token_of
from tests.webapp.browser import Browser

GRACE = "grace@example.org"
NEW = "a whole new sentence"
SQUATTERS = "a strangers own sentence"
ANSWERS = {"name": "Grace", "timezone": "Europe/Berlin", "needs": "Ships"}
PUBLIC = {"environ_overrides": {"REMOTE_ADDR": "8.8.8.8"}}


@pytest.fixture(autouse=True)
def by_mail(adjust: Callable[..., None]) -> None:
    adjust(VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="true")


@pytest.fixture
def known(db: Session, ada: User) -> User:
    """Has verified her address."""
    ada.email_verified_at = utc_now()
    db.flush()
    return ada


def newest_link(db: Session, email: str = GRACE) -> str:
    while sign_ups.answer_next(db):
        pass
    return links(db, email)[-1]


def find(db: Session, email: str = GRACE) -> User | None:
    return db.scalar(sa.select(User).where(User.email == email))


def seen_on_the_way(browser: Browser, email: str) -> list[tuple[int, str | None, str]]:
    """What a stranger is answered from signing up to waiting, but for what is never the same."""
    steps = (
        browser.sign_up(email, "a strangers own sentence"),
        browser.get("/onboarding"),
        browser.post("/onboarding", ANSWERS),
        browser.get("/onboarding"),
        browser.get("/signup/waiting"),
        browser.post_part("/signup/mail"),
        browser.get("/signup/standing"),
        browser.get("/chat"),
        browser.log_in(email, "a strangers own sentence"),
    )
    return [(step.status_code, step.location, _same(step.text, email)) for step in steps]


def _same(html: str, email: str) -> str:
    without = re.sub(r'nonce="[^"]*"|content="[^"]*"|value="[^"]*"|X-CSRFToken[^}]*', "", html)
    return without.replace(email, "X")


def test_a_stranger_learns_nothing_of_whether_an_address_has_an_account(
    app: Flask, known: User, db: Session
) -> None:
    taken = seen_on_the_way(Browser(app), known.email)
    free = seen_on_the_way(Browser(app), GRACE)
    assert taken == free
    assert [status for status, _, _ in taken[:3]] == [303, 200, 303]
    assert "Check your inbox" in taken[4][2]
    newest_link(db)
    subjects = {
        mail.recipient: mail.subject for mail in db.scalars(sa.select(Email).order_by(Email.id))
    }
    assert "already have" in subjects[known.email]
    assert "Confirm" in subjects[GRACE]


def test_a_newcomer_introduces_themselves_opens_the_mail_and_goes_on(
    browser: Browser, db: Session
) -> None:
    assert browser.sign_up(GRACE).location == "/onboarding"
    assert "Introduce yourself" in browser.read("/onboarding")
    assert browser.post("/onboarding", {**ANSWERS, "name": ""}).status_code == 422
    assert browser.post("/onboarding", ANSWERS).location == "/signup/waiting"
    page = browser.read("/signup/waiting")
    assert GRACE in page
    assert f'href="{get_settings().mailbox_url}"' in page
    assert browser.get("/signup/waiting").headers["Cache-Control"] == "no-store"
    assert find(db) is None

    link = newest_link(db)
    assert "Confirm my address" in browser.read(link)
    assert find(db) is None
    answer = browser.post("/signup/confirmation", {"token": token_of(link)}, **PUBLIC)
    assert answer.location == "/chat"
    assert "your address is confirmed. $1.00 of credit is yours." in browser.read("/chat")
    assert browser.get("/signup/waiting").location == "/chat"
    assert browser.get(link).status_code == 410


def test_the_page_that_waits_goes_on_when_the_mail_was_opened_on_another_device(
    app: Flask, browser: Browser, db: Session
) -> None:
    browser.sign_up(GRACE)
    stolen = browser.client.get_cookie("session")
    assert stolen
    assert browser.get("/signup/standing").status_code == 204

    phone = Browser(app)
    link = newest_link(db)
    assert "Type the password that was chosen there" in phone.read(link)
    typed = {"token": token_of(link), "password": factories.PASSWORD}
    assert phone.post("/signup/confirmation", typed).location == "/chat"
    assert "your address is confirmed" in phone.read("/onboarding")

    headers = {"HX-Request": "true"}
    assert browser.get("/signup/standing", headers=headers).headers["HX-Redirect"]
    assert browser.get("/chat").location == "/onboarding"
    browser.post("/onboarding", ANSWERS)
    assert GRACE in browser.read("/settings")

    # What the waiting browser had is worth nothing afterwards.
    thief = Browser(app)
    thief.client.set_cookie("session", stolen.value)
    assert thief.get("/signup/standing").status_code == 204
    assert thief.get("/chat").location == "/login?next=/chat"


def test_a_link_of_who_has_an_account_by_now_says_so(
    browser: Browser, db: Session, known: User
) -> None:
    browser.sign_up(GRACE)
    link = newest_link(db)
    known.email = GRACE
    db.flush()
    form = {"token": token_of(link), "new-password": NEW}
    for path in ("/signup/confirmation", "/signup/confirmation/password"):
        answer = browser.post(path, form)
        assert answer.status_code == 409
        assert "You already have an account with this address" in answer.text


def test_a_link_is_over_once_another_of_its_address_was_opened(
    app: Flask, browser: Browser, db: Session
) -> None:
    stranger = Browser(app)
    stranger.sign_up(GRACE, SQUATTERS)
    first = newest_link(db)
    browser.sign_up(GRACE)
    browser.post("/signup/confirmation", {"token": token_of(newest_link(db))})
    assert stranger.get(first).status_code == 410
    for path in ("/signup/confirmation", "/signup/confirmation/password"):
        form = {"token": token_of(first), "password": SQUATTERS, "new-password": NEW}
        assert stranger.post(path, form).status_code == 410
    assert stranger.get("/signup/standing").status_code == 204
    assert stranger.get("/signup/waiting").status_code == 200


@pytest.mark.parametrize("signs_up_too", [False, True])
def test_somebody_elses_sign_up_does_not_win_the_click_of_who_reads_the_mail(
    app: Flask, browser: Browser, db: Session, signs_up_too: bool
) -> None:
    stranger = Browser(app)
    stranger.sign_up(GRACE, SQUATTERS)
    stranger.post("/onboarding", {**ANSWERS, "name": "Mallory"})
    link = newest_link(db)
    if signs_up_too:
        browser.sign_up(GRACE)
    token = {"token": token_of(link)}
    assert "Type the password that was chosen there" in browser.read(link)
    for typed in ({}, {"password": ""}, {"password": factories.PASSWORD}):
        answer = browser.post("/signup/confirmation", {**token, **typed})
        assert answer.status_code == 422
        assert "This is not the password that was chosen. If you did not" in answer.text
    assert find(db) is None

    chosen = browser.post("/signup/confirmation/password", {**token, "new-password": "short"})
    assert chosen.status_code == 422
    assert "8 to 200 characters" in chosen.text
    chosen = browser.post("/signup/confirmation/password", {**token, "new-password": NEW})
    assert chosen.location == "/chat"
    assert "Mallory" not in browser.read("/onboarding")

    assert stranger.get("/signup/standing").status_code == 204
    assert stranger.get("/chat").location == "/login?next=/chat"
    assert stranger.log_in(GRACE, SQUATTERS).status_code == 422
    assert Browser(app).log_in(GRACE, NEW).status_code == 303


def test_the_password_of_a_sign_up_is_not_guessed_without_end(
    app: Flask, browser: Browser, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(LOGIN_RATE_LIMIT="2 per minute")
    browser.sign_up(GRACE)
    link = newest_link(db)
    statuses = [
        Browser(app)
        .post(
            "/signup/confirmation",
            {"token": token_of(link), "password": f"a sentence of guess {network}"},
            environ_overrides={"REMOTE_ADDR": f"203.0.{network}.1"},
        )
        .status_code
        for network in range(3)
    ]
    assert statuses == [422, 422, 429]
    # Whoever reads the mail can still choose their own.
    own = {"token": token_of(link), "new-password": NEW}
    assert Browser(app).post("/signup/confirmation/password", own).location == "/chat"


def test_a_link_is_refused_where_somebody_is_logged_in(
    browser: Browser, eves: Browser, db: Session
) -> None:
    browser.sign_up(GRACE)
    link = newest_link(db)
    for answer in (
        eves.get(link),
        eves.post("/signup/confirmation", {"token": token_of(link)}),
    ):
        assert answer.status_code == 422
        assert "belongs to another account" in answer.text
    assert find(db) is None


def test_the_mail_is_sent_again_and_the_button_says_how_long_to_wait(
    app: Flask, browser: Browser, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(MAIL_RATE_LIMIT="3 per 10 minutes")
    browser.sign_up(GRACE)
    newest_link(db)
    assert f"Sent again, to {GRACE}." in browser.post_part("/signup/mail").text
    newest_link(db)
    assert browser.post_part("/signup/mail").status_code == 200
    late = browser.post_part("/signup/mail")
    assert late.status_code == 429
    assert "sent again in 10 minutes" in late.text
    assert browser.post("/signup/mail").location == "/signup/waiting"
    assert "sent again in 10 minutes" in browser.read("/signup/waiting")
    assert Browser(app).post("/signup/mail").location == "/signup"


def test_sign_ups_mail_one_address_so_often_whoever_asks(
    app: Flask, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(MAIL_RATE_LIMIT="2 per 10 minutes")
    answers = [
        Browser(app).post(
            "/signup",
            {"email": email, "password": password},
            environ_overrides={"REMOTE_ADDR": f"203.0.113.{visitor}"},
        )
        for visitor, (email, password) in enumerate(
            [
                (GRACE, "password"),
                (GRACE, factories.PASSWORD),
                ("grace@ＥＸＡＭＰＬＥ.org", factories.PASSWORD),
                (GRACE, factories.PASSWORD),
            ]
        )
    ]
    assert [answer.status_code for answer in answers] == [422, 303, 303, 429]


@pytest.mark.parametrize(
    ("email", "password", "words"),
    [
        ("no address", factories.PASSWORD, "does not look like an e-mail address"),
        ("é@example.org", factories.PASSWORD, "We cannot send mail to this address"),
        (GRACE, "short", "8 to 200 characters"),
        (GRACE, "password", "Others would guess this password soon"),
        (GRACE, GRACE, "Others would guess this password soon"),
    ],
)
def test_a_refused_sign_up_says_why_and_keeps_the_address(
    browser: Browser, db: Session, email: str, password: str, words: str
) -> None:
    answer = browser.sign_up(email, password)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{email}"' in answer.text
    assert not sign_ups.has_requests(db)


def test_who_was_logged_in_here_is_logged_out_by_signing_up(
    adas: Browser, ada: User, db: Session
) -> None:
    adas.sign_up(GRACE)
    assert adas.get("/settings").location == "/login?next=/settings"


def test_strangers_wait_for_nothing(browser: Browser) -> None:
    assert browser.get("/signup/waiting").location == "/signup"
    assert browser.get("/signup/standing").location == "/signup/waiting"
    assert browser.get("/onboarding").location == "/login?next=/onboarding"
    assert browser.post("/onboarding", ANSWERS).location == "/login"
    assert browser.get("/signup/confirmation?token=guess").status_code == 410


@pytest.mark.parametrize(
    "path",
    ["/signup/mail", "/signup/confirmation", "/signup/confirmation/password", "/address/undo"],
)
def test_every_form_needs_its_hidden_token(browser: Browser, path: str) -> None:
    assert browser.client.post(path, data={}).status_code == 400


def test_cancelling_forgets_what_was_asked_for(browser: Browser) -> None:
    browser.sign_up(GRACE)
    browser.post("/logout")
    assert browser.get("/signup/waiting").location == "/signup"


def test_tokens_and_addresses_are_in_no_log(browser: Browser, db: Session) -> None:
    with capture_logs() as lines:
        browser.sign_up(GRACE)
        link = newest_link(db)
        browser.get(link)
        browser.post("/signup/confirmation", {"token": token_of(link)})
    assert lines
    for secret in (token_of(link), "grace@", factories.PASSWORD):
        assert secret not in str(lines)


def test_at_once_a_taken_address_is_refused_and_its_owner_is_mailed(
    browser: Browser, known: User, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(SIGN_UP_BY_MAIL="false", MAIL_RATE_LIMIT="2 per minute")
    statuses = [browser.sign_up(known.email).status_code for _ in range(3)]
    assert statuses == [422, 422, 429]
    kinds = db.scalars(sa.select(Email.kind).where(Email.recipient == known.email))
    assert list(kinds) == ["sign_up_known"] * 2
