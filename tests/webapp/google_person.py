"""Somebody with a browser and an account at Google."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models.base import utc_now
from models.schema.users import User
from tests import factories
from tests.embedded.fake_google.served import ServedGoogle
from tests.webapp.browser import Browser
from webapp.accounts import google_flow

GRACE = "grace.hopper@gmail.com"
GIVEN = {"google-password": factories.PASSWORD}
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
