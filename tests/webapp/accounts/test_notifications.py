"""Notifications in the settings: everybody chooses for themselves, and only browsers are called."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.base import new_id
from models.channels import accounts
from models.notifications import preferences, subscriptions
from models.people import sessions
from models.schema.notifications import PushSubscription, Topic
from models.schema.users import User
from tests.push_service import PushService
from tests.webapp.browser import Browser

FORM = {"alerts": ["email"], "long_work": [], "quiet-from": "", "quiet-until": ""}


def ways(db: Session, user: User) -> list[list[str]]:
    return [sorted(preferences.ways(db, user.id, topic)) for topic in Topic]


def endpoints(db: Session) -> list[str]:
    return list(db.scalars(sa.select(PushSubscription.endpoint)))


def test_it_works(adas: Browser, ada: User, db: Session, push_service: PushService) -> None:
    assert push_service
    form = {**FORM, "alerts": ["push"], "long_work": ["email", "push"]}
    answer = adas.post(
        "/settings/notifications", {**form, "quiet-from": "22:30", "quiet-until": "07:00"}
    )
    assert answer.location == "/settings#notifications"
    assert ways(db, ada) == [["push"], ["email", "push"]]
    db.refresh(ada)
    assert (ada.quiet_from_minute, ada.quiet_until_minute) == (22 * 60 + 30, 7 * 60)
    page = adas.read("/settings")
    assert "Saved. This is how you will be told." in page
    assert 'value="22:30"' in page
    assert 'value="07:00"' in page
    assert page.count("checked") >= 3

    adas.post("/settings/notifications", {**FORM, "alerts": []})
    assert ways(db, ada) == [[], []]
    db.refresh(ada)
    assert ada.quiet_from_minute is None


def test_without_a_signing_key_browsers_are_no_way(adas: Browser, ada: User, db: Session) -> None:
    page = adas.read("/settings")
    assert "Notifications" in page
    assert "Enable on this device" not in page
    assert 'value="push"' not in page
    adas.post("/settings/notifications", {**FORM, "alerts": ["push", "email"]})
    # What is not offered stays as it was.
    assert ways(db, ada) == [["email"], ["push"]]


def test_linked_messengers_are_ways(adas: Browser, ada: User, eves: Browser, db: Session) -> None:
    accounts.link(db, ada.id, "telegram", "4711", "4711", "Ada")
    assert "Telegram" in adas.read("/settings")
    assert 'value="telegram"' not in eves.read("/settings")
    adas.post("/settings/notifications", {**FORM, "alerts": ["telegram", "carrier-pigeon"]})
    assert ways(db, ada)[0] == ["telegram"]


@pytest.mark.parametrize(
    "times", [("22:00", ""), ("", "07:00"), ("07:00", "07:00"), ("24:00", "07:00"), ("x", "y")]
)
def test_quiet_hours_that_are_none_change_nothing(
    adas: Browser, ada: User, db: Session, times: tuple[str, str]
) -> None:
    form = {**FORM, "alerts": [], "quiet-from": times[0], "quiet-until": times[1]}
    answer = adas.post("/settings/notifications", form)
    assert answer.status_code == 422
    assert "Quiet hours need a beginning and an end" in answer.text
    assert times[0] in answer.text
    assert ways(db, ada) == [["email"], ["push"]]
    db.refresh(ada)
    assert ada.quiet_from_minute is None


def test_a_browser_is_switched_on_and_off(
    adas: Browser, ada: User, db: Session, push_service: PushService
) -> None:
    device = push_service.device()
    answer = adas.post("/settings/devices", device.as_form())
    assert answer.location == "/settings#notifications"
    assert "This browser, on since" in adas.read("/settings")
    (kept,) = db.scalars(sa.select(PushSubscription))
    assert (kept.user_id, kept.endpoint) == (ada.id, device.endpoint)

    adas.post(f"/settings/devices/{kept.id}/removal")
    assert endpoints(db) == []
    assert "This browser, on since" not in adas.read("/settings")


def test_others_browsers_are_theirs(
    adas: Browser, ada: User, eves: Browser, db: Session, push_service: PushService
) -> None:
    assert ada
    device = push_service.device()
    adas.post("/settings/devices", device.as_form())
    (kept,) = db.scalars(sa.select(PushSubscription))

    assert eves.post(f"/settings/devices/{kept.id}/removal").status_code == 303
    assert eves.post(f"/settings/devices/{new_id()}/removal").status_code == 303
    stolen = {**push_service.device().as_form(), "endpoint": device.endpoint}
    assert eves.post("/settings/devices", stolen).status_code == 422
    assert "This browser, on since" not in eves.read("/settings")
    db.refresh(kept)
    assert kept.user_id == ada.id


def test_who_logs_out_is_shown_nothing_more(
    adas: Browser, ada: User, db: Session, push_service: PushService
) -> None:
    adas.post("/settings/devices", push_service.device().as_form())
    assert len(subscriptions.list_live(db, ada.id)) == 1
    adas.post("/logout")
    assert subscriptions.list_live(db, ada.id) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint", "https://169.254.169.254/latest/meta-data/"),
        ("endpoint", "https://127.0.0.1/x"),
        ("endpoint", "http://127.0.0.1:5432/"),
        ("endpoint", "https://evil.example/x"),
        ("endpoint", ""),
        ("p256dh", "A" * 87),
        ("auth", ""),
    ],
)
def test_what_is_no_browser_is_never_called(
    adas: Browser, db: Session, push_service: PushService, field: str, value: str
) -> None:
    form = {**push_service.device().as_form(), field: value}
    answer = adas.post("/settings/devices", form)
    assert answer.status_code == 422
    assert "not one that we can use" in answer.text
    assert endpoints(db) == []
    assert push_service.received == []


def test_without_a_signing_key_no_browser_is_kept(
    adas: Browser, db: Session, push_service: PushService, adjust: Callable[..., None]
) -> None:
    adjust(VAPID_PRIVATE_KEY="")
    assert adas.post("/settings/devices", push_service.device().as_form()).status_code == 422
    assert endpoints(db) == []


def test_strangers_and_forged_forms_switch_nothing_on(
    browser: Browser, adas: Browser, db: Session, push_service: PushService
) -> None:
    answer = browser.post("/settings/devices", push_service.device().as_form())
    assert urlsplit(answer.location or "").path == "/login"
    # Another site has Ada's cookie sent along, and no token.
    adas.client.post("/settings/devices", data=push_service.device().as_form())
    assert endpoints(db) == []


def test_so_many_browsers_are_switched_on_in_a_while(
    adas: Browser, push_service: PushService, adjust: Callable[..., None]
) -> None:
    adjust(PUSH_RATE_LIMIT="2 per minute")
    statuses = [
        adas.post("/settings/devices", push_service.device().as_form()).status_code
        for _ in range(3)
    ]
    assert statuses == [303, 303, 429]


def test_a_browser_that_was_sent_away_is_not_listed(
    adas: Browser, ada: User, db: Session, push_service: PushService, log_in: Callable[..., Browser]
) -> None:
    phone = log_in(ada)
    phone.post("/settings/devices", push_service.device().as_form())
    assert "on since" in adas.read("/settings")
    (kept,) = db.scalars(sa.select(PushSubscription))
    sessions.revoke(db, ada.id, kept.session_id)
    assert "on since" not in adas.read("/settings")


def test_the_service_worker_is_for_the_whole_site(browser: Browser) -> None:
    answer = browser.get("/service-worker.js")
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert "fetch" not in answer.text
    again = browser.get("/service-worker.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
