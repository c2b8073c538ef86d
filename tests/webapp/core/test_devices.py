"""Guesses are counted by address and visitor, and lock no device out that was in before."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from models.people import sessions
from models.schema.reset_requests import ResetRequest
from models.schema.users import User
from settings import Settings
from tests.webapp.browser import Browser
from webapp import create_app

SECURE = "https://shellmate.example"
# Ways to write one domain.
SPELLINGS = ("example.org", "ＥＸＡＭＰＬＥ.org", "example。org", "EXAMPLE.org", "ｅxample．org")


@pytest.fixture(autouse=True)
def usual_limits(adjust: Callable[..., None]) -> None:
    adjust(LOGIN_RATE_LIMIT="10 per minute; 60 per hour", MAIL_RATE_LIMIT="3 per 10 minutes")


def post_from(browser: Browser, visitor: int, path: str, form: dict[str, str]) -> int:
    place = {"REMOTE_ADDR": f"203.0.113.{visitor}"}
    return browser.post(path, form, environ_overrides=place).status_code


def guess(app: Flask, times: int = 30) -> list[int]:
    """Guess from so many places, with every spelling of the address."""
    return [
        post_from(
            Browser(app),
            number,
            "/login",
            {"email": f"ada@{SPELLINGS[number % len(SPELLINGS)]}", "password": "a guess"},
        )
        for number in range(times)
    ]


def test_of_thirty_guesses_ten_are_heard_however_the_address_is_spelled(
    app: Flask, ada: User
) -> None:
    assert guess(app) == [422] * 10 + [429] * 20


def test_guesses_are_counted_by_network_as_one_line_has_many_addresses(app: Flask) -> None:
    statuses: list[int] = []
    for number in range(12):
        form = {"email": f"somebody{number}@example.org", "password": "a guess"}
        place = {"REMOTE_ADDR": f"2001:db8:1:2::{number}"}
        statuses.append(Browser(app).post("/login", form, environ_overrides=place).status_code)
    assert statuses == [422] * 10 + [429] * 2


def test_reset_mails_are_counted_however_the_address_is_spelled(
    app: Flask, ada: User, db: Session
) -> None:
    asked = [
        post_from(
            Browser(app), n, "/password/reset", {"email": f"ada@{SPELLINGS[n % len(SPELLINGS)]}"}
        )
        for n in range(7)
    ]
    assert asked == [200] * 3 + [429] * 4
    assert db.scalar(sa.select(sa.func.count()).select_from(ResetRequest)) == 3


def test_guesses_do_not_lock_out_a_device_that_was_in_before(
    app: Flask, adas: Browser, ada: User
) -> None:
    adas.post("/logout")
    assert guess(app)[-1] == 429
    assert Browser(app).log_in(ada.email).status_code == 429
    assert adas.log_in(ada.email).location == "/chat"


def test_nor_do_guesses_from_the_same_network(app: Flask, adas: Browser, ada: User) -> None:
    adas.post("/logout")
    for number in range(12):
        Browser(app).log_in(f"somebody{number}@example.org", "a guess")
    assert Browser(app).log_in(ada.email).status_code == 429
    assert adas.log_in(ada.email).location == "/chat"


def test_guesses_on_a_known_device_are_counted_too(adas: Browser, ada: User, eve: User) -> None:
    adas.post("/logout")
    statuses = [adas.log_in(ada.email, "a guess").status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]
    # It is known for Ada's account alone.
    assert adas.log_in(eve.email).status_code == 303


def test_a_device_is_known_for_each_of_those_who_share_it(
    app: Flask, adas: Browser, ada: User, eve: User
) -> None:
    adas.log_in(eve.email)
    adas.post("/logout")
    guess(app)
    assert adas.log_in(ada.email).status_code == 303


@pytest.mark.parametrize("forged", ["", "x", "e30.x", "W10.abc", "x" * 3000])
def test_a_cookie_that_is_not_ours_changes_nothing(app: Flask, ada: User, forged: str) -> None:
    guess(app, 10)
    stranger = Browser(app)
    stranger.client.set_cookie("device", forged)
    assert stranger.log_in(ada.email).status_code == 429


def test_the_cookie_lasts_and_logs_nobody_in(
    app: Flask, adas: Browser, ada: User, db: Session
) -> None:
    device = adas.client.get_cookie("device")
    assert device
    assert device.max_age
    assert device.max_age > 365 * 86400
    other = Browser(app)
    other.client.set_cookie("device", device.value)
    assert other.get("/settings").location == "/login?next=/settings"
    assert len(sessions.list_live(db, ada.id)) == 1


def test_over_https_no_neighbour_sets_it(settings: Settings, db: Session, ada: User) -> None:
    site = create_app(settings.model_copy(update={"public_url": SECURE, "trusted_proxies": 1}))
    client = site.test_client()
    page = client.get("/login", base_url=SECURE).text
    token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
    form = {"csrf_token": token, "email": ada.email, "password": "correct horse battery"}
    answer = client.post(
        "/login", data=form, base_url=SECURE, headers={"Referer": f"{SECURE}/login"}
    )
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if "device" in c]
    assert cookie.startswith("__Host-device=")
    assert "; Secure" in cookie
    assert "Domain" not in cookie
