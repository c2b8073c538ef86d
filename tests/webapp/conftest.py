"""The website under test, and browsers that look at it."""

from collections.abc import Callable, Generator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from models.schema.users import User
from settings import Settings
from tests import factories
from tests.webapp.browser import Browser
from webapp import create_app
from webapp.core import live, security


@pytest.fixture(scope="session")
def shared_app(settings: Settings) -> Flask:
    """The site, built once: compiling its templates takes longer than most tests do.

    A test that adds pages asks for `own_app`; one that needs other settings builds a site itself.
    """
    return _site(settings)


def _site(settings: Settings) -> Flask:
    app = create_app(settings)
    # A bug must look as it does to people, not stop the test.
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


@pytest.fixture(autouse=True)
def same_limiter(shared_app: Flask) -> Generator[None]:
    """A site that a test builds takes the one limiter of all with it: bring that back."""
    assert shared_app
    before = dict(vars(security.limiter))
    yield
    vars(security.limiter).update(before)


@pytest.fixture
def app(shared_app: Flask, settings: Settings, db: Session, redis_url: str) -> Generator[Flask]:
    """The site on the test's own transaction; rate limits and live events begin at zero."""
    assert db
    assert redis_url
    live.install(shared_app, settings)
    hub = shared_app.extensions["hub"]
    yield shared_app
    hub.close()


@pytest.fixture
def own_app(settings: Settings, db: Session, redis_url: str) -> Generator[Flask]:
    """Another such site, to which a test may add pages."""
    assert db
    assert redis_url
    app = _site(settings)
    yield app
    app.extensions["hub"].close()


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A stranger's browser."""
    return Browser(app)


@pytest.fixture
def log_in(app: Flask, db: Session) -> Callable[[User], Browser]:
    """Opens another browser in which this person is logged in; an admin has shown a code there."""

    def _log_in(user: User) -> Browser:
        opened = Browser(app)
        opened.log_in(user.email)
        if user.is_admin:
            factories.show_codes(db)
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
