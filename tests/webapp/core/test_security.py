"""Headers, cookies and hosts."""

import re

import pytest
from flask import Flask, request
from sqlalchemy.orm import Session

from models.schema.users import User
from settings import Settings
from tests.webapp.browser import Browser
from webapp import create_app

SECURE = "https://shellmate.example"


@pytest.fixture
def secure(settings: Settings, db: Session, redis_url: str) -> Browser:
    """A browser on the site as it runs behind a proxy that speaks HTTPS."""
    assert db
    assert redis_url
    update = {"public_url": SECURE, "trusted_proxies": 1, "trusted_hosts": (".friends.example",)}
    app = create_app(settings.model_copy(update=update))
    app.add_url_rule("/who", "who", lambda: f"{request.remote_addr} {request.scheme}")
    return Browser(app)


def test_only_scripts_that_we_wrote_may_run(browser: Browser) -> None:
    first, second = browser.get("/"), browser.get("/")
    policy = first.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    (nonce,) = re.findall(r"'nonce-([^']+)'", policy)
    inline = re.findall(r"<script([^>]*)>\s*[^<\s]", first.text)
    own = f' nonce="{nonce}"'
    assert inline == [own, f' type="importmap"{own}']
    assert nonce not in second.headers["Content-Security-Policy"]
    assert not re.search(r"\s(style|on\w+)=", first.text)


@pytest.mark.parametrize("path", ["/", "/login", "/signup", "/nowhere", "/static/app.css"])
def test_every_answer_carries_the_headers(browser: Browser, path: str) -> None:
    headers = browser.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Content-Security-Policy" in headers
    assert "Strict-Transport-Security" not in headers


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(
    browser: Browser, ada: User
) -> None:
    cookies = browser.log_in(ada.email).headers.getlist("Set-Cookie")
    assert sorted(cookie.partition("=")[0] for cookie in cookies) == ["device", "session"]
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" not in cookie


def test_over_https_the_cookie_is_secure_and_https_is_for_ever(secure: Browser, ada: User) -> None:
    answer = secure.get("/login", base_url=SECURE)
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    assert "; Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_what_a_proxy_says_is_believed_as_far_as_it_is_ours(
    secure: Browser, own_app: Flask
) -> None:
    said = {"X-Forwarded-For": "6.6.6.6, 9.9.9.9", "X-Forwarded-Proto": "https"}
    assert secure.get("/who", base_url=SECURE, headers=said).text == "9.9.9.9 https"
    own_app.add_url_rule("/who", "who", lambda: f"{request.remote_addr} {request.scheme}")
    assert Browser(own_app).get("/who", headers=said).text == "127.0.0.1 http"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shellmate.example", 200),
        ("mine.friends.example", 200),
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("evil.example", 400),
        ("shellmate.example.evil.example", 400),
    ],
)
def test_the_site_answers_to_its_own_names(secure: Browser, host: str, status: int) -> None:
    assert secure.get("/", headers={"Host": host}).status_code == status


def test_a_load_balancer_may_ask_by_address(secure: Browser) -> None:
    assert secure.get("/healthz", headers={"Host": "10.0.3.7:8000"}).status_code == 200


def test_what_is_behind_the_door_is_kept_by_no_browser(adas: Browser, browser: Browser) -> None:
    assert adas.get("/settings").headers["Cache-Control"] == "no-store"
    assert "no-store" not in browser.get("/").headers.get("Cache-Control", "")


def test_a_character_that_cannot_be_kept_is_refused_in_words(adas: Browser) -> None:
    sent = adas.post("/chat", {"text": "Well\x00come"})
    assert sent.status_code == 422
    assert "invisible character" in sent.text
    for query in ("next=%00", "%00=1"):
        assert adas.get(f"/login?{query}").status_code == 422
