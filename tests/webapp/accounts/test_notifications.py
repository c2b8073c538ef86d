"""Notifications in the settings: everybody chooses for themselves, and only browsers are called."""

import re
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

FORM = {
    "reminders": ["push"],
    "tasks": ["push"],
    "alerts": ["email"],
    "long_work": [],
    "quiet-from": "",
    "quiet-until": "",
}
KNOWN = ("email", "push", "telegram")


def ways(db: Session, user: User) -> dict[str, list[str]]:
    """By which ways they would be told, were all of them there."""
    choices = {topic: preferences.find(db, user.id, topic) for topic in Topic}
    return {topic: [way for way in KNOWN if one.takes(way)] for topic, one in choices.items()}


USUAL = {
    "reminders": ["push", "telegram"],
    "tasks": ["push", "telegram"],
    "alerts": ["email"],
    "long_work": ["push"],
}


def endpoints(db: Session) -> list[str]:
    return list(db.scalars(sa.select(PushSubscription.endpoint)))


def test_it_works(adas: Browser, ada: User, db: Session, push_service: PushService) -> None:
    assert push_service
    form = {**FORM, "alerts": ["push"], "long_work": ["email", "push"]}
    answer = adas.post(
        "/settings/notifications", {**form, "quiet-from": "22:30", "quiet-until": "07:00"}
    )
    assert answer.location == "/settings#notifications"
    # What was left as it was goes on following what is usual.
    assert ways(db, ada) == USUAL | {"alerts": ["push"], "long_work": ["email", "push"]}
    db.refresh(ada)
    assert (ada.quiet_from_minute, ada.quiet_until_minute) == (22 * 60 + 30, 7 * 60)
    page = adas.read("/settings")
    assert "Saved. This is how you will be told." in page
    assert 'value="22:30"' in page
    assert 'value="07:00"' in page
    assert page.count("checked") >= 3

    adas.post("/settings/notifications", {**FORM, "reminders": [], "tasks": ["email"]})
    assert ways(db, ada) == {
        "reminders": [],
        "tasks": ["email", "telegram"],
        "alerts": ["email"],
        "long_work": [],
    }
    db.refresh(ada)
    assert ada.quiet_from_minute is None


def test_without_a_signing_key_browsers_are_no_way(adas: Browser, ada: User, db: Session) -> None:
    page = adas.read("/settings")
    assert "Notifications" in page
    assert "Enable on this device" not in page
    assert 'value="push"' not in page
    # It says how it is: what no other way brings is mailed.
    assert page.count('value="email"\n                         class="checkbox') == len(Topic)
    form = {**FORM, "reminders": ["email"], "tasks": ["email"], "alerts": ["push", "email"]}
    adas.post("/settings/notifications", form)
    # What is not offered stays as it was.
    assert ways(db, ada) == USUAL


def test_linked_messengers_are_ways(
    adas: Browser, ada: User, eves: Browser, eve: User, db: Session
) -> None:
    accounts.link(db, ada.id, "telegram", "4711", "4711", "Ada")
    assert "Telegram" in adas.read("/settings")
    assert 'value="telegram"' not in eves.read("/settings")
    form = {**FORM, "reminders": ["email"], "alerts": ["telegram", "carrier-pigeon"]}
    adas.post("/settings/notifications", form)
    assert ways(db, ada)["alerts"] == ["telegram"]
    assert ways(db, ada)["reminders"] == ["email", "push"]
    eves.post("/settings/notifications", {**form, "alerts": ["email", "telegram"]})
    assert "telegram" not in ways(db, eve)["alerts"]
    assert ways(db, ada)["alerts"] == ["telegram"]


def test_news_of_money_needs_a_way(adas: Browser, ada: User, db: Session) -> None:
    form = {**FORM, "alerts": ["carrier-pigeon"], "quiet-from": "22:00", "quiet-until": "07:00"}
    answer = adas.post("/settings/notifications", form)
    assert answer.status_code == 422
    assert "at least one way" in answer.text
    assert 'value="22:00"' in answer.text
    assert ways(db, ada) == USUAL
    db.refresh(ada)
    assert ada.quiet_from_minute is None


def test_a_messenger_that_is_gone_shows_how_it_is_now(
    adas: Browser, ada: User, db: Session
) -> None:
    account = accounts.link(db, ada.id, "telegram", "4711", "4711", "Ada")
    adas.post("/settings/notifications", {**FORM, "reminders": ["telegram"], "tasks": []})
    accounts.unlink(db, account)
    page = adas.read("/settings")
    assert _ticked(page) == [("reminders", "email"), ("alerts", "email")]
    # Saving that page as it is changes nothing: once it is linked again, it is used again.
    adas.post("/settings/notifications", {**FORM, "reminders": ["email"], "tasks": []})
    assert ways(db, ada)["reminders"] == ["push", "telegram"]


def _ticked(page: str) -> list[tuple[str, str]]:
    boxes = re.findall(r'<input type="checkbox"\s+name="(\w+)"\s+value="(\w+)"([^>]*)>', page)
    return [(topic, way) for topic, way, rest in boxes if "checked" in rest.split()]


@pytest.mark.parametrize(
    "times", [("22:00", ""), ("", "07:00"), ("07:00", "07:00"), ("24:00", "07:00"), ("x", "y")]
)
def test_quiet_hours_that_are_none_change_nothing(
    adas: Browser, ada: User, db: Session, times: tuple[str, str]
) -> None:
    form = {**FORM, "quiet-from": times[0], "quiet-until": times[1]}
    answer = adas.post("/settings/notifications", form)
    assert answer.status_code == 422
    assert "Quiet hours need a beginning and an end" in answer.text
    assert times[0] in answer.text
    assert ways(db, ada) == USUAL
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
