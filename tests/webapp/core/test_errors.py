"""What people see when something is refused, missing or broken."""

from collections.abc import Callable
from typing import NoReturn, cast

import pytest
import sqlalchemy as sa
from flask import Flask
from redis import RedisError
from sqlalchemy.exc import InternalError, OperationalError

from actions.sentences.refusals import REFUSALS
from models import database
from models.errors import NotFound, Refused
from settings import Settings
from tests.webapp.browser import Browser
from webapp.core.auth import login_required
from webapp.core.security import limiter


class TooCold(Refused):
    """It is too cold."""

    code = "too_cold"


def _raiser(error: Exception) -> Callable[..., NoReturn]:
    def _raise(*_: object) -> NoReturn:
        raise error

    return _raise


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """The site of these tests, to which they add pages."""
    return own_app


@pytest.fixture
def trying(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """A browser on a site with pages that fail in each way."""
    monkeypatch.setitem(cast(dict[str, str], REFUSALS), "too_cold", "It is <too> cold for this.")
    for name, error in {
        "refused": TooCold(),
        "missing": NotFound(),
        "broken": RuntimeError("the secret is hush-hush"),
    }.items():
        app.add_url_rule(f"/try/{name}", name, _raiser(error))
    app.add_url_rule("/try/closed", "closed", login_required(lambda: "open"))
    return Browser(app)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/try/refused", 422, "It is &lt;too&gt; cold for this."),
        ("/try/missing", 404, "There is nothing here"),
        ("/try/broken", 500, "Something broke on our side"),
        ("/nowhere", 404, "There is nothing here"),
        ("/settings/profile", 405, "That cannot be done here"),
    ],
)
def test_a_page_is_answered_with_a_page_that_says_why(
    trying: Browser, path: str, status: int, words: str
) -> None:
    answer = trying.get(path)
    assert answer.status_code == status
    assert words in answer.text
    assert "<html" in answer.text
    assert "hush-hush" not in answer.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/try/refused", 422, "It is &lt;too&gt; cold for this."),
        ("/try/missing", 404, "There is nothing here"),
        ("/try/broken", 500, "Something broke on our side"),
    ],
)
def test_htmx_is_answered_with_a_notice_beside_the_page(
    trying: Browser, path: str, status: int, words: str
) -> None:
    answer = trying.get(path, headers={"HX-Request": "true"})
    assert answer.status_code == status
    assert words in answer.text
    assert "<html" not in answer.text
    assert answer.headers["HX-Retarget"] == "#notices"
    assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.parametrize(("has_ended", "status"), [(True, 503), (False, 500)])
def test_however_postgresql_ends_a_connection_it_is_an_outage(
    app: Flask, has_ended: bool, status: int
) -> None:
    # A transaction that was idle for too long is ended by what is no OperationalError.
    error = InternalError("SELECT 1", {}, Exception(), connection_invalidated=has_ended)
    app.add_url_rule("/try/ended", "ended", _raiser(error))

    assert Browser(app).get("/try/ended").status_code == status


ENDED = InternalError("SELECT 1", {}, Exception(), connection_invalidated=True)


@pytest.mark.parametrize(
    "outage", [OperationalError("SELECT 1", {}, Exception()), RedisError(), ENDED]
)
def test_an_outage_after_the_view_is_one(app: Flask, outage: Exception) -> None:
    app.add_url_rule("/try/after", "after", lambda: "done")
    app.after_request(_raiser(outage))

    answer = Browser(app).get("/try/after")

    assert answer.status_code == 503
    assert "Back in a moment" in answer.text


def test_without_valkey_people_are_asked_to_come_back(app: Flask) -> None:
    app.add_url_rule("/try/valkey", "valkey", _raiser(RedisError()))

    assert Browser(app).get("/try/valkey").status_code == 503


@pytest.mark.parametrize("path", ["/", "/settings", "/engine", "/login"])
def test_without_the_database_people_are_asked_to_come_back(adas: Browser, path: str) -> None:
    # The fixture `db` puts the sessions right again.
    database.open_session.configure(bind=sa.create_engine("postgresql+psycopg://x@127.0.0.1:9/x"))
    answer = adas.get(path)
    assert answer.status_code == 503
    assert "Back in a moment" in answer.text
    assert adas.get("/healthz").status_code == 200


def test_a_lost_database_is_not_taken_for_a_lost_storage_of_limits(adas: Browser) -> None:
    # The fixture `db` puts the sessions right again.
    database.open_session.configure(bind=sa.create_engine("postgresql+psycopg://x@127.0.0.1:9/x"))

    assert adas.post("/reminders").status_code == 503
    assert not limiter._storage_dead  # pyright: ignore[reportPrivateUsage]


def test_htmx_is_sent_to_the_login_page_as_a_whole(trying: Browser) -> None:
    answer = trying.get("/try/closed", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/login"
    assert trying.get("/try/closed").location == "/login?next=/try/closed"


def test_a_program_that_wants_no_page_is_told_401(trying: Browser) -> None:
    answer = trying.get("/try/closed", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 401


def test_a_form_without_its_token_is_refused(browser: Browser) -> None:
    form = {"email": "grace@example.org", "password": "long enough"}
    for path in ("/signup", "/login", "/logout"):
        answer = browser.client.post(path, data=form)
        assert answer.status_code == 400, path
        assert "This form has expired" in answer.text


def test_a_form_whose_login_has_ended_leads_to_the_login_and_back(browser: Browser) -> None:
    answer = browser.client.post(
        "/settings/profile",
        data={"name": "Grace"},
        headers={"Referer": "http://localhost/settings"},
    )
    assert (answer.status_code, answer.location) == (303, "/login?next=/settings")


def test_a_token_of_another_browser_is_refused(app: Flask, browser: Browser) -> None:
    other = Browser(app).token()
    browser.get("/login")
    assert browser.client.post("/login", data={"csrf_token": other}).status_code == 400


def test_what_is_too_big_is_refused_before_it_is_read(browser: Browser, settings: Settings) -> None:
    most = settings.upload_max_bytes * settings.upload_max_files + 1024 * 1024
    answer = browser.client.post(
        "/login",
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"CONTENT_LENGTH": str(most + 1)},
    )
    assert answer.status_code == 413
    assert "too big to send" in answer.text
    long_field = {"email": (None, "x" * (1024 * 1024 + 1))}
    assert browser.client.post("/login", data=long_field).status_code == 413
