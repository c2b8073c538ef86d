"""Connecting Google to an account that is there: by password or link, and in the settings."""

import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from embedded.fake_google.mischief import Mischief
from models.people import email_tokens, identities
from models.people.identities import ProvenIdentity
from models.schema.email_tokens import LinkPurpose
from models.schema.emails import Email
from models.schema.users import User
from tests import factories
from tests.embedded.fake_google.served import ServedGoogle
from tests.webapp.accounts.test_verification import links, token_of
from tests.webapp.browser import Browser
from tests.webapp.google_person import GIVEN, GRACE, Person, by_mail, known, person
from webapp.accounts import google_flow
from webapp.accounts.google_flow import PROVEN_SECONDS

__all__ = ["by_mail", "known", "person"]

NEW = "a whole new sentence"


def test_a_known_address_is_connected_by_its_password(
    person: Person, known: User, db: Session
) -> None:
    assert person.go(known.email, next="/usage").location == "/login/google/connection"
    answer = person.browser.get("/login/google/connection")
    assert known.email in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert identities.find(db, known.id) is None
    assert person.browser.get("/chat").location == "/login?next=/chat"

    wrong = person.browser.post("/login/google/connection", {"password": "guessed"})
    assert wrong.status_code == 422
    assert "This is not your present password" in wrong.text
    assert identities.find(db, known.id) is None
    right = {"password": factories.PASSWORD}
    assert person.browser.post("/login/google/connection", right).location == "/usage"
    assert "Google is connected" in person.browser.read("/settings")
    person.browser.post("/logout")
    assert person.go(known.email).location == "/chat"


def test_a_known_address_is_connected_by_a_mailed_link_in_the_same_browser(
    app: Flask, person: Person, known: User, eves: Browser, db: Session
) -> None:
    person.go(known.email)
    asked = person.browser.post("/login/google/mail")
    assert "Look into your mail" in asked.text
    (link,) = links(db, known.email)
    for other, words in ((Browser(app), "Not in this browser"), (eves, "another account")):
        for answer in (
            other.get(link),
            other.post("/login/google/confirmation", {"token": token_of(link)}),
        ):
            assert answer.status_code in (403, 422)
            assert words in answer.text
    assert identities.find(db, known.id) is None

    assert "Connect Google?" in person.browser.read(link)
    assert identities.find(db, known.id) is None
    form = {"token": token_of(link)}
    assert person.browser.post("/login/google/confirmation", form).location == "/chat"
    assert identities.find(db, known.id)
    assert person.browser.get(link).status_code == 410
    assert person.browser.post("/login/google/confirmation", form).status_code == 410


def test_what_google_vouched_for_is_held_for_an_hour(person: Person, known: User) -> None:
    person.go(known.email)
    with time_machine.travel(time.time() + PROVEN_SECONDS + 1):
        for answer in (
            person.browser.get("/login/google/connection"),
            person.browser.post("/login/google/connection", {"password": factories.PASSWORD}),
            person.browser.post("/login/google/mail"),
        ):
            assert answer.status_code == 410
            assert "Please begin again" in answer.text


def test_strangers_connect_nothing(browser: Browser, known: User, db: Session) -> None:
    secret = email_tokens.make(db, known, LinkPurpose.GOOGLE_CONNECTION, address=known.email)
    assert browser.get("/login/google/connection").status_code == 410
    form = {"password": factories.PASSWORD, "token": secret, "email": known.email}
    for path, status in (("connection", 410), ("mail", 410), ("confirmation", 403)):
        assert browser.post(f"/login/google/{path}", form).status_code == status
    assert browser.get("/login/google/confirmation?token=guess").status_code == 410
    for path in ("/settings/google", "/settings/google/removal"):
        assert browser.post(path, GIVEN).location.startswith("/login")
    assert identities.find(db, known.id) is None
    assert db.scalar(sa.select(sa.func.count(Email.id))) == 0


def test_passwords_are_not_guessed_without_end_nor_one_mailbox_flooded(
    app: Flask, google: ServedGoogle, known: User, adjust: Callable[..., None]
) -> None:
    person = Person(Browser(app), google)
    person.go(known.email)
    adjust(LOGIN_RATE_LIMIT="2 per minute", MAIL_RATE_LIMIT="2 per minute")
    for path, status in (("connection", 422), ("mail", 200)):
        statuses = [
            person.browser.post(
                f"/login/google/{path}",
                {"password": "guessed"},
                environ_overrides={"REMOTE_ADDR": f"203.0.{network}.1"},
            ).status_code
            for network in range(3)
        ]
        assert statuses == [status, status, 429]


@pytest.mark.parametrize(
    "path",
    [
        *("/login/google", "/login/google/connection", "/login/google/mail"),
        *("/login/google/confirmation", "/settings/google", "/settings/google/removal"),
    ],
)
def test_every_form_needs_its_hidden_token(adas: Browser, path: str) -> None:
    assert adas.client.post(path, data=GIVEN).status_code == 400


def test_google_is_connected_and_disconnected_in_the_settings(
    adas: Browser, google: ServedGoogle, ada: User, db: Session
) -> None:
    person = Person(adas, google)
    refused = adas.post("/settings/google", {"google-password": "guessed"})
    assert refused.status_code == 422
    assert "This is not your present password" in refused.text
    assert person.go(GRACE, "/settings/google", **GIVEN).location == "/settings#google"
    page = adas.read("/settings")
    assert "Google is connected" in page
    assert GRACE in page
    adas.post("/logout")
    assert person.go(GRACE).location == "/chat"
    assert adas.post("/settings/google/removal").location == "/settings#google"
    assert "Google is disconnected" in adas.read("/settings")
    assert identities.find(db, ada.id) is None


def test_the_last_way_in_is_not_disconnected(person: Person, db: Session) -> None:
    person.go(GRACE)
    person.browser.post("/onboarding", {"name": "Grace", "timezone": "UTC", "needs": ""})
    refused = person.browser.post("/settings/google/removal")
    assert refused.status_code == 422
    assert "Choose a password first" in refused.text
    chosen = person.browser.post("/settings/password", {"new-password": NEW})
    assert chosen.location == "/settings#password-change"
    assert person.browser.post("/settings/google/removal").location == "/settings#google"
    person.browser.post("/logout")
    assert person.browser.log_in(GRACE, NEW).location == "/chat"


def test_without_a_password_prompts_for_it_refuse_in_words(app: Flask, person: Person) -> None:
    person.go(GRACE)
    person.browser.post("/onboarding", {"name": "Grace", "timezone": "UTC", "needs": ""})
    form = {"email": "new@example.org", "address-password": ""}
    refused = person.browser.post("/settings/address", form)
    assert refused.status_code == 422
    page = person.browser.read("/settings")
    assert 'name="address-password"' not in page
    assert 'name="old-password"' not in page
    for address in (GRACE, "nobody@example.org"):
        answer = Browser(app).log_in(address, factories.PASSWORD)
        assert answer.status_code == 422
        assert "do not match" in answer.text


def test_a_google_account_of_another_person_is_not_connected(
    adas: Browser, ada: User, google: ServedGoogle, eve: User, db: Session
) -> None:
    page = Person(adas, google)
    first = google.choose(page.set_out("/settings/google", **GIVEN), GRACE)
    assert page.back(first).status_code == 303
    mine = identities.find(db, ada.id)
    assert mine
    subject = ProvenIdentity(mine.subject, GRACE)
    identities.disconnect(db, ada.id)
    identities.connect(db, eve.id, subject)
    answer = page.go(GRACE, "/settings/google", **GIVEN)
    assert answer.status_code == 422
    assert "This Google account opens another account here" in answer.text
    assert identities.find(db, ada.id) is None


def test_who_connects_has_to_be_who_set_out(
    adas: Browser, eve: User, ada: User, google: ServedGoogle, db: Session
) -> None:
    page = Person(adas, google)
    url = google.choose(page.set_out("/settings/google", **GIVEN), GRACE)
    # The cookie of an attempt, and another login, put together by hand.
    with adas.client.session_transaction() as kept:
        attempts = kept[google_flow.ATTEMPTS]
    adas.log_in(eve.email)
    with adas.client.session_transaction() as kept:
        kept[google_flow.ATTEMPTS] = attempts
    answer = page.back(url)
    assert answer.status_code == 422
    assert "This attempt is over" in answer.text
    assert identities.find(db, ada.id) is None
    assert identities.find(db, eve.id) is None


def test_connecting_is_refused_in_the_settings_when_google_lies(
    adas: Browser, ada: User, google: ServedGoogle, db: Session
) -> None:
    page = Person(adas, google)
    shown = page.set_out("/settings/google", **GIVEN)
    google.be(Mischief.WRONG_AUDIENCE)
    answer = page.back(google.choose(shown, GRACE))
    assert answer.status_code == 422
    assert "did not prove who you are" in answer.text
    assert "Where you are logged in" in answer.text
    assert page.back(google.cancel(page.set_out("/settings/google", **GIVEN))).location == (
        "/settings#google"
    )
    assert identities.find(db, ada.id) is None
