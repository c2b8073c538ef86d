"""Web push: only known push services are called, and only the browser can read what it is sent."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from embedded.data_folder import DataFolder
from embedded.push_key import vapid_key
from gateways import web_push
from gateways.values import BadValue
from gateways.web_push import PushFailed, PushSender, Target
from models.base import new_id
from settings import Settings, get_settings
from tests.push_service import VAPID_KEY, Device, PushService, decoded

SERVICES = Settings.model_fields["push_services"].default
NEWS = {"title": "Low", "text": "Very ☂.", "url": "http://here.example/x", "tag": "alert:1"}


def target(device: Device) -> Target:
    return web_push.target(**device.as_form(), services=get_settings().push_services)


def send(device: Device, push_id: str = "", content: dict[str, str] = NEWS) -> None:
    PushSender(get_settings()).send(push_id or new_id().hex, target(device), content)


def test_a_browser_reads_what_it_was_sent_and_who_sent_it(push_service: PushService) -> None:
    device = push_service.device()
    push_id = new_id().hex
    send(device, push_id)

    assert push_service.shown(device) == [NEWS]
    (received,) = push_service.received
    claims = received.claims()
    assert claims["aud"] == push_service.origin
    assert claims["sub"] == f"mailto:{get_settings().support_address}"
    assert f"k={web_push.public_key(VAPID_KEY)}" in received.headers["authorization"]
    assert received.headers["content-encoding"] == "aes128gcm"
    assert received.headers["ttl"] == "86400"
    assert received.headers["topic"] == push_id
    assert b"Low" not in received.body


def test_it_fits_into_what_every_push_service_takes(push_service: PushService) -> None:
    device = push_service.device()
    send(device, content=dict.fromkeys(NEWS, "☂" * 10_000))
    assert len(push_service.received[0].body) < 4096
    assert push_service.shown(device)[0]["title"] == "☂" * web_push.MOST_LETTERS


def test_what_browsers_know_us_by_follows_from_the_key() -> None:
    point = decoded(web_push.public_key(VAPID_KEY))
    assert (len(point), point[0]) == (65, 4)


def test_the_key_of_an_embedded_product_stays_the_same(tmp_path: Path) -> None:
    key = vapid_key(DataFolder(tmp_path))
    assert key == vapid_key(DataFolder(tmp_path))
    assert len(decoded(web_push.public_key(key))) == 65
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_no_more_is_gone(push_service: PushService, status: int) -> None:
    push_service.be(status)
    with pytest.raises(PushFailed) as failure:
        send(push_service.device())
    assert failure.value.is_gone


@pytest.mark.parametrize(
    ("status", "is_permanent"), [(400, True), (401, True), (413, True), (429, False), (503, False)]
)
def test_other_refusals_last_or_pass(
    push_service: PushService, status: int, is_permanent: bool
) -> None:
    push_service.be(status, Retry_After="90")
    with pytest.raises(PushFailed) as failure:
        send(push_service.device())
    assert (failure.value.is_gone, failure.value.is_permanent) == (False, is_permanent)
    assert failure.value.retry_after_seconds == 90


@pytest.mark.parametrize("given", ["soon", "-1", "9" * 30, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wait_that_is_no_number_is_none(push_service: PushService, given: str) -> None:
    push_service.be(503, Retry_After=given)
    with pytest.raises(PushFailed) as failure:
        send(push_service.device())
    assert failure.value.retry_after_seconds is None


def test_nobody_is_led_elsewhere(push_service: PushService) -> None:
    push_service.be(307, Location=f"{push_service.origin}/elsewhere")
    with pytest.raises(PushFailed):
        send(push_service.device())
    assert len(push_service.received) == 1


def test_a_push_service_that_is_away_may_come_back(push_service: PushService) -> None:
    gone = get_settings().model_copy(update={"push_services": ("http://127.0.0.1:9",)})
    to = target(push_service.device())
    away = Target("http://127.0.0.1:9/push", to.p256dh, to.auth)
    with pytest.raises(PushFailed) as failure:
        PushSender(gone).send(new_id().hex, away, NEWS)
    assert not failure.value.is_permanent


def test_one_that_is_not_known_any_more_is_not_called(push_service: PushService) -> None:
    to = target(push_service.device())
    stricter = get_settings().model_copy(update={"push_services": ("push.example",)})
    with pytest.raises(PushFailed) as failure:
        PushSender(stricter).send(new_id().hex, to, NEWS)
    assert failure.value.is_gone
    assert push_service.received == []


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:DEF-123_4",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        "https://wns2-par02p.notify.windows.com/w/?token=BQY%2bA%3d",
        "https://web.push.apple.com/QGu",
    ],
)
def test_the_push_services_of_browsers_are_known(endpoint: str) -> None:
    assert web_push.is_known(endpoint, SERVICES)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil-fcm.googleapis.com/x",
        "https://x.fcm.googleapis.com/x",
        "https://notify.windows.com/x",
        "https://evilnotify.windows.com/x",
        "https://fcm.googleapis.com@127.0.0.1/x",
        "https://127.0.0.1\\@fcm.googleapis.com/x",
        "https://127.0.0.1#@fcm.googleapis.com/x",
        "https://fcm.googleapis.com\\.evil.example/x",
        "https://fcm.googleapis.com%2eevil.example/x",
        "https://FCM.googleapis.com/x",
        "https://fcm.googleapis.com./x",
        "https://127.0.0.1/x",
        "https://2130706433/x",
        "https://0x7f.1/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/x",
        "https://metadata.google.internal/x",
        "https://fcm.googleapis.com/x\r\nHost: evil.example",
        "https://fcm.googleapis.com/x y",
        " https://fcm.googleapis.com/x",
        "//fcm.googleapis.com/x",
        "file:///etc/passwd",
        "gopher://fcm.googleapis.com/x",
        "",
    ],
)
def test_nothing_else_is_called(endpoint: str, push_service: PushService) -> None:
    assert not web_push.is_known(endpoint, SERVICES)
    given: dict[str, Any] = {**push_service.device().as_form(), "endpoint": endpoint}
    with pytest.raises(BadValue):
        web_push.target(**given, services=SERVICES)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:80941/x",
        "http://127.0.0.1:8094@evil.example/x",
        "http://127.0.0.1:8094.evil.example/x",
        "https://127.0.0.1:8094/x",
        "http://localhost:8094/x",
    ],
)
def test_a_stand_in_is_known_by_its_whole_origin(endpoint: str) -> None:
    services = ("http://127.0.0.1:8094",)
    assert web_push.is_known("http://127.0.0.1:8094/push/x", services)
    assert not web_push.is_known(endpoint, services)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("p256dh", ""),
        ("p256dh", None),
        ("p256dh", "A" * 87),
        ("p256dh", "B" * 86),
        ("p256dh", "B" + "A" * 86),
        ("p256dh", "ü" * 87),
        ("auth", ""),
        ("auth", "A" * 21),
        ("auth", "A" * 23),
        ("auth", "+" * 22),
        ("endpoint", None),
        ("endpoint", "https://fcm.googleapis.com/" + "x" * 2000),
    ],
)
def test_keys_are_looked_at_when_they_come(
    push_service: PushService, field: str, value: str | None
) -> None:
    given: dict[str, Any] = {**push_service.device().as_form(), field: value}
    with pytest.raises(BadValue):
        web_push.target(**given, services=(push_service.origin, *SERVICES))


@pytest.mark.parametrize(
    "given",
    [
        {"VAPID_PRIVATE_KEY": "short"},
        {"VAPID_PRIVATE_KEY": f"{VAPID_KEY}="},
        {"PUSH_SERVICES": '["http://push.example"]'},
        {"PUSH_SERVICES": '["https://10.0.0.1/"]'},
        {"PUSH_SERVICES": '["*"]'},
        {"PUSH_SERVICES": '["http://127.0.0.1:8094/"]'},
        {"PUSH_SERVICES": '["http://127.0.0.1@evil.example"]'},
    ],
)
def test_settings_that_would_not_do_are_refused(given: dict[str, str], adjust: Any) -> None:
    adjust(**given)
    with pytest.raises(ValidationError):
        get_settings()
