"""Continuing with Google as browsers see it: to Google's page and back, and what is refused."""

import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from embedded.google_stand_in.mischief import Mischief
from models import identities, mailed_links
from models.base import utc_now
from models.identities import ProvenIdentity
from models.mailed_links import LinkPurpose
from models.outbox import Email
from models.users import User
from tests import factories
from tests.embedded.google_stand_in.served import ServedGoogle
from tests.webapp.browser import Browser
from tests.webapp.test_verification import links, token_of
from webapp import google_flow
from webapp.google_flow import ATTEMPT_SECONDS, PROVEN_SECONDS

GRACE = "grace.hopper@gmail.com"
GIVEN = {"google-password": factories.PASSWORD}
NEW = "a whole new sentence"
PUBLIC = {"REMOTE_ADDR": "8.8.8.8"}


@pytest.fixture(autouse=True)
def by_mail(adjust: Callable[..., None], google: ServedGoogle) -> None:
    assert google
    adjust(VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="true", GOOGLE_TIMEOUT_SECONDS="0.8")
    google_flow._known_gateway.cache_clear()  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
def known(db: Session, ada: User) -> User:
    """Has verified her address."""
    ada.email_verified_at = utc_now()
    db.flush()
    return ada


class Person:
    """A browser, and the account that its person chooses at Google."""

    def __init__(self, browser: Browser, google: ServedGoogle) -> None:
        self.browser, self.google = browser, google

    def set_out(self, path: str = "/login/google", **form: str) -> str:
        """Press the button; return the address of Google's page."""
        answer = self.browser.post(path, form)
        assert answer.status_code == 303, answer.text
        assert answer.location.startswith(self.google.url)
        return answer.location

    def back(self, url: str) -> TestResponse:
        parts = urlsplit(url)
        return self.browser.get(f"{parts.path}?{parts.query}", environ_overrides=PUBLIC)

    def go(self, email: str, path: str = "/login/google", **form: str) -> TestResponse:
        """Press the button, choose an account, and come back."""
        return self.back(self.google.choose(self.set_out(path, **form), email))


@pytest.fixture
def person(browser: Browser, google: ServedGoogle) -> Person:
    return Person(browser, google)


def find(db: Session, email: str) -> User | None:
    return db.scalar(sa.select(User).where(User.email == email))


def test_the_button_is_there_only_where_google_is(
    app: Flask, browser: Browser, known: User, adjust: Callable[..., None]
) -> None:
    for path in ("/login", "/signup"):
        assert "Continue with Google" in browser.read(path)
    adjust(GOOGLE_CLIENT_ID="")
    mine = Browser(app)
    mine.log_in(known.email)
    assert "Google" not in mine.read("/settings")
    for path in ("/login", "/signup"):
        assert "Google" not in browser.read(path)
    assert "accounts" not in browser.get("/login").headers["Content-Security-Policy"]


def test_forms_may_lead_to_googles_page(browser: Browser, google: ServedGoogle) -> None:
    policy = browser.get("/login").headers["Content-Security-Policy"]
    (targets,) = (one for one in policy.split("; ") if one.startswith("form-action "))
    assert google.url in targets.split()


def test_a_new_person_signs_up_introduces_themselves_and_has_the_credit(
    person: Person, db: Session
) -> None:
    answer = person.go(GRACE, purpose="sign_up")
    assert answer.location == "/onboarding"
    page = person.browser.read("/onboarding")
    assert "$1.00 of credit is yours" in page
    person.browser.post("/onboarding", {"name": "Grace", "timezone": "UTC", "needs": ""})
    settings = person.browser.read("/settings")
    assert GRACE in settings
    assert "You have none yet: Google opens your account" in settings
    assert "choose a password" in settings
    assert "Disconnect Google" not in settings
    grace = find(db, GRACE)
    assert grace
    assert grace.email_verified_at


def test_who_was_there_before_logs_in_and_goes_on_where_they_wanted_to(
    app: Flask, google: ServedGoogle, known: User, db: Session
) -> None:
    person = Person(Browser(app), google)
    person.go(GRACE)
    person.browser.post("/onboarding", {"name": "Grace", "timezone": "UTC", "needs": ""})
    other = Person(Browser(app), google)
    page = other.browser.read("/login?next=/usage")
    assert 'name="next" value="/usage"' in page
    assert other.go(GRACE, next="/usage").location == "/usage"
    # It is a login as by a password: a session that can be revoked, and a device that is known.
    assert "Log out everywhere else" in other.browser.read("/settings")
    assert other.browser.client.get_cookie("device")
    cookies = [
        cookie for cookie in ("session", "device") if other.browser.client.get_cookie(cookie)
    ]
    assert cookies == ["session", "device"]


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil", "x" * 2000]
)
def test_nobody_is_sent_elsewhere_afterwards(person: Person, db: Session, target: str) -> None:
    person.go(GRACE)
    person.browser.post("/onboarding", {"name": "Grace", "timezone": "UTC", "needs": ""})
    assert person.go(GRACE, next=target).location == "/chat"


@pytest.mark.parametrize(
    ("form", "path"),
    [
        ({}, "/login"),
        ({"next": "/usage"}, "/login?next=/usage"),
        ({"purpose": "sign_up"}, "/signup"),
    ],
)
def test_who_cancels_is_back_where_they_were_without_a_scold(
    person: Person, db: Session, form: dict[str, str], path: str
) -> None:
    answer = person.back(person.google.cancel(person.set_out(**form)))
    assert answer.location == path
    assert "alert" not in person.browser.read(path)
    assert db.scalar(sa.select(sa.func.count(User.id))) == 0


WORDS = {
    Mischief.UNVERIFIED_ADDRESS: "Google has not verified the address of that account.",
    Mischief.HANGS_UP: "Google cannot be reached just now.",
    Mischief.FAILS: "Google cannot be reached just now.",
    Mischief.SLOW: "Google cannot be reached just now.",
    Mischief.NO_KEYS: "Google cannot be reached just now.",
    Mischief.WRONG_STATE: "This attempt is over, or it began in another browser.",
}
DOCUMENTS = (Mischief.NO_DISCOVERY, Mischief.ANOTHER_ISSUER, Mischief.PAGE_ELSEWHERE)


@pytest.mark.parametrize(
    "mischief", [one for one in Mischief if one not in (Mischief.NONE, *DOCUMENTS)]
)
def test_what_proves_nothing_is_refused_in_words_and_logs_nobody_in(
    person: Person, db: Session, mischief: Mischief
) -> None:
    person.google.choose(person.set_out(), GRACE)
    page = person.set_out()
    person.google.be(mischief)
    answer = person.back(person.google.choose(page, GRACE))
    assert answer.status_code == 422
    words = WORDS.get(mischief, "Google's answer did not prove who you are, so nothing was done.")
    assert words.replace("'", "&#39;") in answer.text
    assert "Welcome back" in answer.text
    assert find(db, GRACE) is None
    assert person.browser.get("/settings").location == "/login?next=/settings"


@pytest.mark.parametrize("mischief", DOCUMENTS)
@pytest.mark.parametrize("purpose", ["log_in", "sign_up"])
def test_without_google_people_read_so_where_they_are(
    person: Person, mischief: Mischief, purpose: str
) -> None:
    person.google.be(mischief)
    answer = person.browser.post("/login/google", {"purpose": purpose, "next": "/usage"})
    assert answer.status_code == 422
    assert "Google" in answer.text
    assert ("Meet your assistant" in answer.text) is (purpose == "sign_up")
    if purpose == "log_in":
        assert 'name="next" value="/usage"' in answer.text


def test_an_attempt_comes_back_once_soon_and_to_its_own_browser(
    app: Flask, person: Person, google: ServedGoogle
) -> None:
    url = google.choose(person.set_out(), GRACE)
    stranger = Person(Browser(app), google)
    assert "began in another browser" in stranger.back(url).text
    # Whoever sends somebody their own code logs them into nothing.
    stranger.set_out()
    assert stranger.back(url).status_code == 422
    assert person.back(url).location == "/onboarding"
    assert person.back(url).status_code == 422

    late = google.choose(person.set_out(), GRACE)
    with time_machine.travel(time.time() + ATTEMPT_SECONDS + 1):
        assert "This attempt is over" in person.back(late).text


def test_several_tabs_may_set_out_at_once(person: Person) -> None:
    pages = [person.set_out() for _ in range(3)]
    assert person.back(person.google.choose(pages[0], GRACE)).location == "/onboarding"


@pytest.mark.parametrize(
    "query", ["", "?state=guessed&code=x", "?error=access_denied", "?error=odd&state=x"]
)
def test_a_return_that_nobody_set_out_for_is_refused(browser: Browser, query: str) -> None:
    answer = browser.get(f"/login/google/return{query}")
    assert answer.status_code == 422
    assert "Please try again" in answer.text


def test_another_error_of_googles_is_refused_in_words(person: Person) -> None:
    state = parse_qs(urlsplit(person.set_out()).query)["state"][0]
    answer = person.browser.get(f"/login/google/return?error=server_error&state={state}")
    assert answer.status_code == 422
    assert "did not prove who you are" in answer.text


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
    secret = mailed_links.make(db, known, LinkPurpose.GOOGLE_CONNECTION, address=known.email)
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


@pytest.mark.parametrize("path", ["/login/google", "/login/google/return"])
def test_attempts_are_limited(browser: Browser, adjust: Callable[..., None], path: str) -> None:
    adjust(LOGIN_RATE_LIMIT="2 per minute")
    ask = browser.get if path.endswith("return") else browser.post
    assert [ask(path).status_code == 429 for _ in range(3)] == [False, False, True]


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


def test_codes_addresses_and_subjects_are_in_no_log(person: Person) -> None:
    with capture_logs() as lines:
        url = person.google.choose(person.set_out(), GRACE)
        person.back(url)
    assert lines
    code = parse_qs(urlsplit(url).query)["code"][0]
    for secret in (code, "grace.hopper", "state="):
        assert secret not in str(lines)
