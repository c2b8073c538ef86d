"""Getting to know each other."""

import pytest
from sqlalchemy.orm import Session

from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser


@pytest.fixture
def newcomer(db: Session) -> User:
    """Has an account and has not said who they are."""
    return factories.user(db, "new@example.org", onboarded=False)


@pytest.fixture
def theirs(browser: Browser, newcomer: User) -> Browser:
    browser.log_in(newcomer.email)
    return browser


def test_three_answers_are_kept_and_open_the_chat(
    theirs: Browser, newcomer: User, db: Session
) -> None:
    answers = {"name": " Grace  Hopper ", "timezone": "America/New_York", "needs": "Ships\nCode "}
    answer = theirs.post("/onboarding", answers)
    assert (answer.status_code, answer.location) == (303, "/chat")
    db.refresh(newcomer)
    assert newcomer.is_onboarded
    assert (newcomer.name, newcomer.timezone) == ("Grace Hopper", "America/New_York")
    assert newcomer.needs == "Ships\nCode"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"name": "", "timezone": "Europe/Berlin"}, "fill in your name"),
        ({"name": "Grace", "timezone": "Mars/Olympus"}, "choose a time zone"),
        ({"name": "Grace", "timezone": "localtime"}, "choose a time zone"),
        ({"name": "Grace"}, "choose a time zone"),
        ({"name": "Gr\u202eace", "timezone": "UTC"}, "characters in it that cannot be shown"),
        ({"name": "G" + "\u0301" * 50, "timezone": "UTC"}, "cannot be shown"),
        ({"name": "G" * 81, "timezone": "UTC"}, "shorten your name to 80"),
        ({"name": "Grace", "timezone": "UTC", "needs": "n" * 2001}, "shorten your answer to 1000"),
    ],
)
def test_refused_answers_say_why_and_keep_what_was_typed(
    theirs: Browser, newcomer: User, db: Session, answers: dict[str, str], words: str
) -> None:
    answer = theirs.post("/onboarding", answers)
    assert answer.status_code == 422
    assert words in answer.text
    assert answers.get("name", "") in answer.text
    db.refresh(newcomer)
    assert not newcomer.is_onboarded


def test_who_has_not_answered_is_led_back_to_the_questions(theirs: Browser) -> None:
    assert theirs.get("/settings").location == "/onboarding"
    assert theirs.get("/login").location == "/chat"


def test_strangers_are_asked_to_log_in(browser: Browser) -> None:
    assert browser.get("/onboarding").location == "/login?next=/onboarding"
    assert browser.post("/onboarding", {"name": "Eve"}).location == "/login"


def test_the_list_of_zones_has_places_and_no_abbreviations(theirs: Browser) -> None:
    page = theirs.read("/onboarding")
    for zone in ("Europe/Berlin", "Asia/Kolkata", "America/Argentina/Buenos_Aires", "UTC"):
        assert f'<option value="{zone}">' in page
    assert "Etc/GMT" not in page
    assert 'value="EST"' not in page
