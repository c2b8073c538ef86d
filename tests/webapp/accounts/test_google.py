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

from embedded.fake_google.mischief import Mischief
from models.schema.users import User
from tests.embedded.fake_google.served import ServedGoogle
from tests.models.people.test_two_factor import switched_on
from tests.webapp.browser import Browser
from tests.webapp.google_person import GRACE, Person, by_mail, find, known, person
from webapp.accounts.google_flow import ATTEMPT_SECONDS

__all__ = ["by_mail", "known", "person"]


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


def test_google_alone_opens_nothing_where_a_code_is_asked_for(
    app: Flask, google: ServedGoogle, person: Person, db: Session
) -> None:
    person.go(GRACE)
    person.browser.post("/onboarding", {"name": "Grace", "timezone": "UTC", "needs": ""})
    grace = find(db, GRACE)
    assert grace
    codes = switched_on(db, grace)
    other = Person(Browser(app), google)
    other.go(GRACE)
    assert other.browser.get("/settings").location == "/login/code?next=/settings"
    other.browser.post("/login/code", {"code": codes[0]})
    assert other.browser.get("/settings").status_code == 200


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


@pytest.mark.parametrize("path", ["/login/google", "/login/google/return"])
def test_attempts_are_limited(browser: Browser, adjust: Callable[..., None], path: str) -> None:
    adjust(LOGIN_RATE_LIMIT="2 per minute")
    ask = browser.get if path.endswith("return") else browser.post
    assert [ask(path).status_code == 429 for _ in range(3)] == [False, False, True]


def test_codes_addresses_and_subjects_are_in_no_log(person: Person) -> None:
    with capture_logs() as lines:
        url = person.google.choose(person.set_out(), GRACE)
        person.back(url)
    assert lines
    code = parse_qs(urlsplit(url).query)["code"][0]
    for secret in (code, "grace.hopper", "state="):
        assert secret not in str(lines)
