"""Where messengers hand in: only what bears their secret is read, and 200 means that it is kept."""

import json
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from actions.channels import receiving
from channels.inbound import MessageArrived, Update
from models.schema.channels import ChannelUpdate
from tests.channels.loft import Hand, Loft
from tests.channels.pigeon import SECRET
from tests.fuzz.bodies import MULTIPART
from tests.webapp.browser import Browser
from webapp.core.sizes import CHANNEL_WEBHOOK_BYTES

PATH = "/channels/pigeon"


def body(hand: Hand, number: int, text: str) -> bytes:
    message = MessageArrived(sender=hand.sender, message_id=f"m{number}", text=text)
    update = Update(external_id=f"u{number}", number=number, inbound=message)
    return json.dumps([update.model_dump(mode="json")]).encode()


def hand_in(browser: Browser, data: bytes, *, secret: str = SECRET, **rest: Any) -> TestResponse:
    headers = {"X-Pigeon": secret, "Content-Type": "application/json"}
    return browser.client.open(
        rest.pop("path", PATH), method=rest.pop("method", "POST"), data=data, headers=headers
    )


def warnings(lines: list[Any]) -> list[tuple[str, str]]:
    return [(line["event"], line["reason"]) for line in lines if line["log_level"] == "warning"]


def test_a_message_is_taken_in_without_a_login_or_a_token(
    browser: Browser, loft: Loft, adas_bird: Hand
) -> None:
    answer = hand_in(browser, body(adas_bird, 1, "Hello?"))
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Set-Cookie" not in answer.headers
    assert loft.messages() == ["Hello?"]


def test_what_is_handed_in_again_changes_nothing(
    browser: Browser, loft: Loft, adas_bird: Hand
) -> None:
    for _ in range(3):
        assert hand_in(browser, body(adas_bird, 1, "Hello?")).status_code == 200
    assert loft.messages() == ["Hello?"]
    assert len(loft.jobs()) == 1


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        ("secret", 403, "wrong_secret"),
        ("unsaid", 403, "wrong_secret"),
        ("channel", 404, "unknown_channel"),
        ("nonsense", 400, "malformed"),
        ("empty", 400, "malformed"),
        ("deep", 400, "malformed"),
        ("bytes", 400, "malformed"),
        ("huge", 413, "too_large"),
    ],
)
def test_what_is_refused_changes_nothing_and_is_logged_once(
    browser: Browser, loft: Loft, adas_bird: Hand, db: Session, fault: str, status: int, reason: str
) -> None:
    good = body(adas_bird, 1, "A secret word")
    data: dict[str, bytes] = {
        "nonsense": good.replace(b'"message"', b'"massage"'),
        "empty": b"",
        "deep": b"[" * 100_000,
        "bytes": b"\xff\x00" * 1_000,
        "huge": good.replace(b"A secret", b"A secret" + b" " * CHANNEL_WEBHOOK_BYTES),
    }
    secret = {"secret": "coo-coo", "unsaid": ""}.get(fault, SECRET)
    path = "/channels/telegraph" if fault == "channel" else PATH
    with capture_logs() as lines:
        answer = hand_in(browser, data.get(fault, good), secret=secret, path=path)
    assert (answer.status_code, answer.data) == (status, b"")
    assert warnings(lines) == [("webhook.refused", reason)]
    assert "secret word" not in str(lines)
    assert "coo" not in str(lines)
    assert db.scalar(sa.select(sa.func.count()).select_from(ChannelUpdate)) == 0
    assert loft.messages() == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_no_other_method_is_known(
    browser: Browser, loft: Loft, adas_bird: Hand, method: str
) -> None:
    answer = hand_in(browser, body(adas_bird, 1, "Hello?"), method=method)
    assert answer.status_code == 405
    assert loft.messages() == []


@pytest.mark.parametrize(("secret", "is_read"), [("guessed", False), (SECRET, True)])
@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", MULTIPART]
)
def test_without_the_secret_no_body_is_read(
    browser: Browser, loft: Loft, secret: str, content_type: str, *, is_read: bool
) -> None:
    given = BytesIO(b"a=b&" * 100)
    answer = browser.client.post(
        PATH,
        content_type=content_type,
        headers={"X-Pigeon": secret},
        environ_overrides={"wsgi.input": given, "CONTENT_LENGTH": "400"},
    )
    assert answer.status_code == (400 if is_read else 403)
    assert bool(given.tell()) is is_read


def test_what_a_login_may_do_makes_no_difference(
    adas: Browser, loft: Loft, adas_bird: Hand
) -> None:
    token = adas.token()
    data = {"csrf_token": token}
    assert adas.client.post(PATH, data=data).status_code == 403


def test_an_outage_is_said_so_that_it_is_handed_in_again(
    browser: Browser, loft: Loft, adas_bird: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _away(*_: object) -> None:
        raise OperationalError("SELECT 1", {}, ConnectionError())

    with monkeypatch.context() as patched:
        patched.setattr(receiving, "receive", _away)
        assert hand_in(browser, body(adas_bird, 1, "Hello?")).status_code == 503
    assert hand_in(browser, body(adas_bird, 1, "Hello?")).status_code == 200
    assert loft.messages() == ["Hello?"]
