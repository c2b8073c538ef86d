"""What one visitor may take of the site: forms, requests at once, live streams, bytes, storage."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests

from gateways.s3_files import Storage
from models.base import utc_now
from models.schema.admins import AdminRole
from models.schema.ledger import FreezeReason
from models.schema.users import User
from settings import Settings
from tests import factories
from tests.webapp.browser import Browser
from webapp import create_app
from webapp.core import security, shares
from webapp.core.security import ANY_RATE

ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}
UUID_ARGUMENT = re.compile(r"<uuid:\w+>")


@pytest.fixture
def stored(storage: Storage) -> Storage:
    """The bucket, without what other tests left in it."""
    for key in storage.list("uploads/"):
        storage.delete(key)
    return storage


def _forms(app: Flask) -> dict[str, str]:
    """Every address that takes a form, by the name of its view."""
    return {
        rule.endpoint: UUID_ARGUMENT.sub("0199a0b0-0000-7000-8000-000000000000", rule.rule)
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
    }


def _file(size: int) -> dict[str, Any]:
    return {"text": "Read this.", "files": [(BytesIO(b"a" * size), "a.txt")]}


def test_every_form_has_a_rate_unless_it_is_named(
    adas: Browser, ada: User, db: Session, app: Flask, adjust: Callable[..., None]
) -> None:
    ada.admin_role = AdminRole.OWNER
    db.commit()
    factories.show_codes(db)
    token = adas.token()
    adjust(POST_RATE_LIMIT="1 per minute")
    statuses = {
        name: adas.client.post(path, data={"csrf_token": token}).status_code
        for name, path in [*list(_forms(app).items())[:1], *_forms(app).items()]
    }
    assert len(statuses) > 25
    assert {name for name, status in statuses.items() if status != 429} == ANY_RATE


def test_a_rate_is_one_users_own(adas: Browser, eves: Browser, adjust: Callable[..., None]) -> None:
    adjust(POST_RATE_LIMIT="2 per minute")
    answers = [adas.post("/chat", {"text": ""}).status_code for _ in range(3)]
    assert answers == [422, 422, 429]
    assert eves.post("/chat", {"text": ""}).status_code == 422


def test_a_stranger_is_counted_by_network(browser: Browser, adjust: Callable[..., None]) -> None:
    adjust(POST_RATE_LIMIT="1 per minute")

    def _knock(address: str) -> int:
        form = {"email": "nobody@example.org", "password": "a wrong one"}
        return browser.post("/login", form, environ_overrides={"REMOTE_ADDR": address}).status_code

    assert _knock("2001:db8:1:2::1") == 422
    assert _knock("2001:db8:1:2:ffff::9") == 429
    assert _knock("2001:db8:1:3::1") == 422
    assert _knock("192.0.2.1") == 422
    assert _knock("::ffff:192.0.2.1") == 429


def test_who_waits_is_told_how_long(browser: Browser, adjust: Callable[..., None]) -> None:
    adjust(POST_RATE_LIMIT="1 per 10 minutes")
    browser.log_in("nobody@example.org")
    answer = browser.log_in("nobody@example.org")
    assert answer.status_code == 429
    assert "Please try again in 10 minutes." in answer.text


def test_a_share_of_requests_comes_back_when_they_end(
    app: Flask, adas: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "TESTING", True)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    for _ in range(40):
        assert adas.get("/limits", environ_overrides=ELSEWHERE).status_code == 200


def test_one_login_has_so_many_requests_at_once(
    settings: Settings, db: Session, ada: User, eve: User
) -> None:
    assert db
    narrow = settings.model_copy(
        update={"requests_at_once_per_user": 2, "requests_at_once_per_network": 4}
    )
    app = create_app(narrow)
    app.add_url_rule("/nest", "nest", lambda: "")
    adas, eves = Browser(app), Browser(app)
    adas.log_in(ada.email)
    eves.log_in(eve.email)
    statuses: list[int] = []

    def _view() -> str:
        if len(statuses) < 3:
            statuses.append(0)
            statuses.append(adas.get("/nest", environ_overrides=ELSEWHERE).status_code)
        return ""

    app.view_functions["nest"] = _view
    adas.get("/nest", environ_overrides=ELSEWHERE)
    assert 429 in statuses
    assert eves.get("/limits", environ_overrides=ELSEWHERE).status_code == 200
    assert adas.get("/limits", environ_overrides=ELSEWHERE).status_code == 200


def test_a_user_has_so_many_live_streams_and_others_have_theirs(
    adas: Browser, eves: Browser, db: Session, ada: User, eve: User, adjust: Callable[..., None]
) -> None:
    adjust(LIVE_STREAMS_PER_USER="2")

    def _follow(browser: Browser, owner: User) -> Any:
        path = f"/chat/{factories.conversation(db, owner).id}/events"
        return browser.get(path, headers={"Accept": "text/event-stream"}, buffered=False)

    first, second = _follow(adas, ada), _follow(adas, ada)
    assert (first.status_code, second.status_code) == (200, 200)
    third = _follow(adas, ada)
    assert third.status_code == 429
    assert int(third.headers["Retry-After"]) > 0
    other = _follow(eves, eve)
    assert other.status_code == 200
    first.close()
    again = _follow(adas, ada)
    assert again.status_code == 200
    for stream in (second, other, again):
        stream.close()


def test_a_share_that_is_full_refuses_and_counts_nothing() -> None:
    counted = shares.Shares()
    counted.take(("stream", "ada"), 1)
    for _ in range(3):
        with pytest.raises(TooManyRequests):
            counted.take(("stream", "ada"), 1)
    counted.give_back(("stream", "ada"))
    counted.take(("stream", "ada"), 1)


def test_bytes_are_counted_by_user(
    adas: Browser, eves: Browser, stored: Storage, adjust: Callable[..., None]
) -> None:
    adjust(UPLOAD_RATE_LIMIT="30000 per minute")
    assert adas.post("/chat", _file(20_000)).status_code == 303
    assert adas.post("/chat", _file(20_000)).status_code == 429
    assert eves.post("/chat", _file(20_000)).status_code == 303
    assert len(list(stored.list("uploads/"))) == 2


def test_files_beyond_a_users_storage_are_refused_and_not_kept(
    adas: Browser, stored: Storage, adjust: Callable[..., None]
) -> None:
    adjust(UPLOADS_MAX_BYTES_PER_USER="25000")
    assert adas.post("/chat", _file(20_000)).status_code == 303
    refused = adas.post("/chat", _file(20_000))
    assert refused.status_code == 422
    assert "Your files take all the room that you have." in refused.text
    assert "Read this.</textarea>" in refused.text
    assert adas.post("/chat", {"text": "Just words."}).status_code == 303
    assert len(list(stored.list("uploads/"))) == 1


def test_the_files_of_others_take_no_room(
    adas: Browser, eves: Browser, stored: Storage, adjust: Callable[..., None]
) -> None:
    assert stored
    adjust(UPLOADS_MAX_BYTES_PER_USER="25000")
    assert adas.post("/chat", _file(20_000)).status_code == 303
    assert eves.post("/chat", _file(20_000)).status_code == 303


def test_files_that_wait_for_a_word_have_a_limit(
    adas: Browser, ada: User, db: Session, stored: Storage, adjust: Callable[..., None]
) -> None:
    ada.message_limit_micros = 10_000
    db.commit()
    adjust(STAGED_MAX_BYTES_PER_USER="25000")
    assert "This may cost about" in adas.post("/chat", _file(20_000)).text
    refused = adas.post("/chat", _file(20_000))
    assert refused.status_code == 422
    assert "wait to be sent already" in refused.text
    assert len(list(stored.list("uploads/"))) == 1


def test_nothing_is_kept_for_a_user_who_may_not_send(
    browser: Browser, db: Session, stored: Storage, verifying: None
) -> None:
    newcomer = factories.user(db, "new@example.org")
    frozen = factories.user(db, "frozen@example.org")
    frozen.email_verified_at = utc_now()
    frozen.spending_frozen_at, frozen.spending_frozen_reason = utc_now(), FreezeReason.AUDIT
    db.commit()
    for user in (newcomer, frozen):
        browser.log_in(user.email)
        assert browser.post("/chat", _file(100)).status_code == 422
        browser.post("/logout")
    assert list(stored.list("uploads/")) == []


def test_a_user_sees_what_they_have_in_storage(adas: Browser, stored: Storage) -> None:
    assert stored
    adas.post("/chat", _file(2_000))
    page = adas.read("/settings")
    assert "Files you sent" in page
    assert re.search(r"2 KB</span>\s*<span class=\"quiet\">of 1 GB", page)


def test_the_rate_of_a_body_of_unknown_length_is_the_longest(app: Flask) -> None:
    with app.test_request_context("/chat", method="POST", headers={"Transfer-Encoding": "chunked"}):
        assert security.body_bytes() == app.config["MAX_CONTENT_LENGTH"]
    with app.test_request_context("/chat", method="POST", data={"text": "Hello"}):
        assert security.body_bytes() == len("text=Hello")


def test_forms_without_their_token_are_counted_too(
    browser: Browser, adjust: Callable[..., None]
) -> None:
    adjust(POST_RATE_LIMIT="2 per minute")
    answers = [browser.client.post("/login", data={}).status_code for _ in range(3)]
    assert answers == [400, 400, 429]


def test_files_of_a_stranger_are_not_even_read(browser: Browser) -> None:
    big = {"text": "Read this.", "files": [(BytesIO(b"a" * 1_000_000), "a.txt")]}
    answer = browser.client.post("/chat", data=big)
    assert answer.status_code == 413


def test_all_logins_of_a_user_share_their_requests(settings: Settings, ada: User) -> None:
    app = create_app(settings.model_copy(update={"requests_at_once_per_user": 1}))
    app.add_url_rule("/nest", "nest", lambda: "")
    first, second = Browser(app), Browser(app)
    first.log_in(ada.email)
    second.log_in(ada.email)
    inside: list[int] = []

    def _view() -> str:
        inside.append(second.get("/limits", environ_overrides=ELSEWHERE).status_code)
        return ""

    app.view_functions["nest"] = _view
    assert first.get("/nest", environ_overrides=ELSEWHERE).status_code == 200
    assert inside == [429]
