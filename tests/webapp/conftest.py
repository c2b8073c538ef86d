"""The website under test, and browsers that look at it."""

from collections.abc import Callable, Generator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from models.users import User
from settings import Settings
from tests.webapp.browser import Browser
from webapp import create_app


@pytest.fixture
def app(settings: Settings, db: Session, redis_url: str) -> Generator[Flask]:
    """The site on the test's own transaction; rate limits begin at zero."""
    assert db
    assert redis_url
    app = create_app(settings)
    # A bug must look as it does to people, not stop the test.
    app.config["PROPAGATE_EXCEPTIONS"] = False
    hub = app.extensions["hub"]
    yield app
    hub.close()


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A stranger's browser."""
    return Browser(app)


@pytest.fixture
def log_in(app: Flask) -> Callable[[User], Browser]:
    """Opens another browser in which this person is logged in."""

    def _log_in(user: User) -> Browser:
        opened = Browser(app)
        opened.log_in(user.email)
        return opened

    return _log_in


@pytest.fixture
def adas(ada: User, log_in: Callable[[User], Browser]) -> Browser:
    """Ada's browser, logged in."""
    return log_in(ada)


@pytest.fixture
def eves(eve: User, log_in: Callable[[User], Browser]) -> Browser:
    """Eve's browser, logged in."""
    return log_in(eve)
