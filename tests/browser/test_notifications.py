"""Notifications in a real browser: asked for when somebody wants them, shown, and opened.

No push service can be reached from here, so a browser is given a subscription of the stand-in's;
what the stand-in receives is handed to the browser by its debugging port, as its own push service
would.
"""

import json
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, expect

from actions import notifications
from gateways.web_push import PushSender
from models.channels import accounts
from models.database import unit_of_work
from models.email import templates
from models.email.templates import Action
from models.notifications import preferences
from models.schema.notifications import PushSubscription, Topic
from models.schema.users import User
from settings import get_settings
from tasks import pushing
from tests.browser.site import Site, serve
from tests.house import wait_for
from tests.push_service import Device, PushService
from webapp import create_app

# What a browser would have got from its own push service.
SUBSCRIBED = """
  const KEPT = "subscribed";
  const subscription = {
    toJSON: () => ({ endpoint: ENDPOINT, keys: { p256dh: P256DH, auth: AUTH } }),
    unsubscribe: async () => sessionStorage.removeItem(KEPT) ?? true,
  };
  PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
    if (!userVisibleOnly || applicationServerKey.length !== 65) throw new Error("not like this");
    sessionStorage.setItem(KEPT, "yes");
    return subscription;
  };
  PushManager.prototype.getSubscription = async () =>
    sessionStorage.getItem(KEPT) ? subscription : null;
"""


@pytest.fixture
def site(
    push_service: PushService, emptied: sa.Engine, redis_url: str, storage: object
) -> Generator[Site]:
    """The website with a key that signs pushes."""
    assert emptied
    assert push_service
    assert storage
    with serve(create_app(get_settings()), redis_url) as site:
        yield site


@pytest.fixture
def ada(site: Site) -> User:
    return site.person()


@pytest.fixture
def context(open_browser: Callable[..., BrowserContext]) -> BrowserContext:
    return open_browser()


@pytest.fixture
def device(push_service: PushService) -> Device:
    return push_service.device()


def allow(context: BrowserContext, site: Site, device: Device) -> None:
    """Let the browser be one whose user allows notifications, at a push service of ours."""
    context.grant_permissions(["notifications"], origin=site.url)
    script = SUBSCRIBED
    form = device.as_form()
    for name, field in (("ENDPOINT", "endpoint"), ("P256DH", "p256dh"), ("AUTH", "auth")):
        script = script.replace(name, json.dumps(form[field]))
    context.add_init_script(script)


def kept() -> list[str]:
    with unit_of_work() as db:
        return list(db.scalars(sa.select(PushSubscription.endpoint)))


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_ways_and_quiet_hours_are_chosen_by_keyboard(
    open_browser: Callable[..., BrowserContext],
    site: Site,
    ada: User,
    tmp_path: Path,
    width: int,
    look: Literal["light", "dark"],
) -> None:
    with unit_of_work() as db:
        accounts.link(db, ada.id, "telegram", "4711", "4711", "Ada")
    size = {"width": width, "height": 800}
    page = open_browser(viewport=size, color_scheme=look).new_page()
    site.log_in(page, ada, "/settings")
    section = page.locator("#notifications")
    boxes = section.locator("tbody").get_by_role("checkbox")
    expect(boxes).to_have_count(12)
    page.get_by_label("Reminders: E-mail").focus()
    # E-mail and Telegram in place of push; then past the tasks to the news of money.
    for key in ("Space", "Tab", "Space", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Space"):
        page.keyboard.press(key)
    expect(page.get_by_label("Credits and limits: Push")).to_be_focused()
    page.get_by_label("Quiet from").fill("22:30")
    page.get_by_label("Quiet until").fill("07:15")
    section.screenshot(path=tmp_path / f"notifications-{width}-{look}.png")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for box in boxes.all():
        place = box.locator("xpath=..").bounding_box()
        assert place
        assert place["height"] >= 44
        assert place["x"] + place["width"] <= width
    section.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_text("Saved. This is how you will be told.")).to_be_visible()
    for label in ("E-mail", "Telegram"):
        expect(page.get_by_label(f"Reminders: {label}")).to_be_checked()
    expect(page.get_by_label("Reminders: Push")).not_to_be_checked()
    expect(page.get_by_label("Credits and limits: Push")).to_be_checked()
    expect(page.get_by_label("Quiet until")).to_have_value("07:15")

    # News of money needs a way; what was chosen meanwhile stays on the page.
    for label in ("E-mail", "Push"):
        page.get_by_label(f"Credits and limits: {label}").uncheck()
    section.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="at least one way")).to_be_visible()
    section.screenshot(path=tmp_path / f"refused-{width}-{look}.png")


def test_nothing_is_asked_before_the_button_is_pressed(
    context: BrowserContext, site: Site, ada: User
) -> None:
    context.add_init_script(
        "Notification.requestPermission = () => { throw new Error('it asked by itself'); }"
    )
    page = context.new_page()
    site.log_in(page, ada, "/settings")
    expect(page.get_by_role("button", name="Enable on this device")).to_be_visible()
    count = "navigator.serviceWorker.getRegistrations().then((all) => all.length)"
    assert page.evaluate(count) == 0


def test_a_browser_that_says_no_is_told_how_to_change_that(
    context: BrowserContext, site: Site, ada: User
) -> None:
    context.add_init_script(
        """let answer = "default";
        Object.defineProperty(Notification, "permission", { get: () => answer });
        Notification.requestPermission = async () => (answer = "denied");"""
    )
    page = context.new_page()
    site.log_in(page, ada, "/settings")
    page.get_by_role("button", name="Enable on this device").click()
    expect(page.get_by_text("Your browser blocks notifications")).to_be_visible()
    expect(page.get_by_role("button", name="Enable on this device")).to_be_hidden()
    assert kept() == []


def test_a_push_service_that_is_away_is_said(
    context: BrowserContext, site: Site, ada: User
) -> None:
    context.grant_permissions(["notifications"], origin=site.url)
    context.add_init_script("PushManager.prototype.subscribe = async () => { throw new Error(); }")
    page = context.new_page()
    site.log_in(page, ada, "/settings")
    page.get_by_role("button", name="Enable on this device").click()
    expect(page.get_by_text("could not reach its push service")).to_be_visible()


def test_a_browser_that_cannot_says_so(context: BrowserContext, site: Site, ada: User) -> None:
    context.add_init_script("delete window.PushManager")
    page = context.new_page()
    site.log_in(page, ada, "/settings")
    expect(page.get_by_text("This browser cannot show notifications")).to_be_visible()


def test_a_browser_is_switched_on_and_off(
    context: BrowserContext, site: Site, ada: User, device: Device
) -> None:
    allow(context, site, device)
    page = context.new_page()
    site.log_in(page, ada, "/settings")
    page.get_by_role("button", name="Enable on this device").click()
    expect(page.get_by_text("Notifications are on in this browser.")).to_be_visible()
    expect(page.get_by_text("This browser, on since")).to_be_visible()
    expect(page.get_by_role("button", name="Enable on this device")).to_be_hidden()
    assert kept() == [device.endpoint]
    scope = "navigator.serviceWorker.getRegistration('/').then((one) => one.scope)"
    assert page.evaluate(scope) == f"{site.url}/"

    page.get_by_role("button", name="Switch off in").click()
    expect(page.get_by_text("Notifications are off in that browser.")).to_be_visible()
    expect(page.get_by_role("button", name="Enable on this device")).to_be_visible()
    assert kept() == []


def _registrations(devtools: Any) -> list[str]:
    """The service workers of a browser, as they come."""
    found: list[str] = []

    def _note(told: dict[str, Any]) -> None:
        found.extend(one["registrationId"] for one in told["registrations"])

    devtools.on("ServiceWorker.workerRegistrationUpdated", _note)
    devtools.send("ServiceWorker.enable")
    return found


def test_what_is_pushed_is_shown_once_and_leads_to_its_page(
    context: BrowserContext, site: Site, ada: User, device: Device, push_service: PushService
) -> None:
    allow(context, site, device)
    page = context.new_page()
    devtools: Any = context.new_cdp_session(page)
    registrations = _registrations(devtools)
    site.log_in(page, ada, "/settings")
    page.get_by_role("button", name="Enable on this device").click()
    expect(page.get_by_text("This browser, on since")).to_be_visible()
    with unit_of_work() as db:
        user = db.get_one(User, ada.id)
        preferences.choose(db, user.id, Topic.ALERTS, ["push"])
        see = Action("Top up", f"{site.url}/billing")
        letter = templates.alert("Credits are low", ["Top up at any time."], see=see)
        notifications.notify(db, user, Topic.ALERTS, letter, reference="alert:1")
    assert pushing.send_next(PushSender(get_settings()))

    (told,) = push_service.shown(device)
    # No page but ours is ever opened.
    evil = {**told, "url": "https://evil.example/", "tag": "evil"}
    look = """async () => {
      const registration = await navigator.serviceWorker.getRegistration("/");
      const shown = await registration.getNotifications();
      return shown.map((one) => [one.title, one.body, one.data.url]);
    }"""

    def _is_shown(words: str, count: int) -> bool:
        # Of what comes in a burst a browser without a screen may lose some: it comes again.
        pushed = {"origin": site.url, "registrationId": registrations[-1], "data": words}
        devtools.send("ServiceWorker.deliverPushMessage", pushed)
        page.wait_for_timeout(300)
        return len(page.evaluate(look)) == count

    pushes = (json.dumps(told), json.dumps(told), json.dumps(evil), "not JSON")
    for words, count in zip(pushes, (1, 1, 2, 3), strict=True):
        wait_for(partial(_is_shown, words, count), f"{count} notifications", seconds=20)
    shown = page.evaluate(look)
    assert sorted(shown) == [
        ["127.0.0.1", "", f"{site.url}/chat"],
        ["Credits are low", "Top up at any time.", f"{site.url}/billing"],
        ["Credits are low", "Top up at any time.", f"{site.url}/chat"],
    ]


def test_notifications_are_offered_after_an_answer_that_took_long(
    context: BrowserContext, site: Site, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(LONG_WORK_SECONDS="0.5")
    page = context.new_page()
    first = site.asked(ada, "Research this")
    site.log_in(page, ada, f"/chat/{first.conversation_id}")
    expect(page.get_by_text("That took a while.")).to_be_hidden()
    page.wait_for_timeout(600)
    site.answer(first, "Here it is.")
    expect(page.get_by_text("That took a while.")).to_be_visible()
    page.get_by_role("button", name="No, thanks").click()
    expect(page.get_by_text("That took a while.")).to_be_hidden()

    second = site.asked(ada, "And this", first.conversation_id)
    page.wait_for_timeout(600)
    site.answer(second, "Here you are.")
    expect(page.locator("#exchanges").get_by_text("Here you are.")).to_be_visible()
    expect(page.get_by_text("That took a while.")).to_be_hidden()
