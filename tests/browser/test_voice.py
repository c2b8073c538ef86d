"""The microphone of the composer, with Chromium's own stand-in for one, which beeps."""

import re
from collections.abc import Callable, Generator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from models.schema.chat import Message
from models.schema.model_calls import ModelCall
from tests.browser.conftest import CHROMIUM, QUIETLY
from tests.browser.site import Site
from tests.transcriber import WORDS, Reply, Transcriber, heard, served_transcriber

pytestmark = pytest.mark.xdist_group("browser")

FAKE_DEVICE = "--use-fake-device-for-media-stream"
# It lets a page have it without asking.
FAKE_ANSWER = "--use-fake-ui-for-media-stream"
# On a busy machine more is recorded than was meant.
DEMO = re.compile(r"^The demo model cannot listen\. This was \d seconds?\.$")
TROUBLE = Reply({"error": {"message": "Down."}}, 503, headers=(("retry-after-ms", "1"),))
IS_LOUD = """() => [...document.querySelectorAll(".voice-level i")].some(
  (bar) => Number(bar.style.getPropertyValue("--level")) > 0.1
)"""


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    """A browser with a microphone that is given to every page."""
    with sync_playwright() as playwright:
        flags = [*QUIETLY, FAKE_DEVICE, FAKE_ANSWER]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(site: Site, open_browser: Callable[..., BrowserContext]) -> Page:
    """Ada's phone, in a new conversation."""
    page = open_browser(permissions=["microphone"]).new_page()
    site.log_in(page, site.person(), "/chat/new")
    return page


@pytest.fixture(scope="module")
def served() -> Generator[Transcriber]:
    with served_transcriber() as running:
        yield running


@pytest.fixture
def provider(served: Transcriber, adjust: Callable[..., None]) -> Transcriber:
    """Somebody who listens, and hears the usual words unless told otherwise."""
    served.answers(heard())
    served.asked.clear()
    adjust(**served.environment())
    return served


def microphone(page: Page) -> None:
    page.get_by_role("button", name="Record your message").click()
    expect(page.locator("#composer[data-voice=recording]")).to_be_visible()


def wait_until_heard(page: Page, seconds: float = 0.6) -> None:
    """Let it record for so long, by its own clock."""
    ends = page.evaluate("performance.now()") + seconds * 1000
    page.wait_for_function("ends => performance.now() > ends", arg=ends)


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop and turn it into text").click()


def calls(site: Site) -> int:
    with site.database() as db:
        return db.scalar(sa.select(sa.func.count()).select_from(ModelCall)) or 0


def test_a_tap_begins_and_another_one_turns_it_into_words_to_be_sent(
    site: Site, page: Page
) -> None:
    microphone(page)
    expect(page.locator(".composer-send")).to_be_hidden()
    expect(page.locator(".voice-time")).to_have_text("0:01")
    page.wait_for_function(IS_LOUD)
    stop(page)
    expect(page.locator("#text")).to_have_value(DEMO)
    expect(page.locator("#voice-status")).to_contain_text("Check them, then send")
    expect(page.locator("#composer[data-voice]")).to_have_count(0)
    # The stream of the conversation is not what this is about.
    page.route("**/events*", lambda route: route.abort())
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/chat/0*")
    with site.database() as db:
        assert DEMO.match(db.scalars(sa.select(Message.text)).one())
    # The form is another one now.
    microphone(page)


def test_no_recording_begins_in_a_form_that_is_about_to_go(site: Site, page: Page) -> None:
    sending: list[Route] = []

    def _hold(route: Route) -> None:
        sending.append(route) if route.request.method == "POST" else route.continue_()

    page.route("**/chat", _hold)
    page.locator("#text").fill("Hello")
    page.get_by_role("button", name="Send").click()
    button = page.get_by_role("button", name="Record your message")
    expect(button).to_be_disabled()
    while not sending:
        page.wait_for_timeout(20)
    sending[0].continue_()
    page.wait_for_url("**/chat/0*")
    expect(button).to_be_enabled()


def test_whoever_holds_it_speaks_until_they_let_go(site: Site, page: Page) -> None:
    box = page.locator(".voice-button").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    expect(page.locator("#composer[data-voice=recording]")).to_be_visible()
    wait_until_heard(page, 1)
    page.mouse.move(100, 100)
    page.mouse.up()
    expect(page.locator("#text")).to_have_value(DEMO)


def test_words_come_where_the_cursor_is(site: Site, page: Page, provider: Transcriber) -> None:
    page.locator("#text").fill("Before.After.")
    page.locator("#text").evaluate("area => area.setSelectionRange(7, 7)")
    microphone(page)
    wait_until_heard(page)
    stop(page)
    expect(page.locator("#text")).to_have_value(f"Before. {WORDS} After.")
    assert b"audio/webm" in provider.asked[0].body


def test_a_recording_can_be_discarded_and_a_slip_is_not_sent(site: Site, page: Page) -> None:
    page.locator("#text").fill("Typed")
    microphone(page)
    page.locator("#text").press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#composer[data-voice]")).to_have_count(0)
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    expect(page.locator("#voice-status")).to_have_text("The recording was discarded.")
    microphone(page)
    page.get_by_role("button", name="Discard the recording").click()
    expect(page.locator("#composer[data-voice]")).to_have_count(0)
    microphone(page)
    stop(page)
    expect(page.locator("#composer-notice")).to_contain_text("That was very short")
    expect(page.locator("#text")).to_have_value("Typed")
    assert calls(site) == 0


def test_it_works_from_the_keyboard(site: Site, page: Page) -> None:
    button = page.locator(".voice-button")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#composer[data-voice=recording]")).to_be_visible()
    wait_until_heard(page, 1)
    page.keyboard.press("Space")
    expect(page.locator("#text")).to_have_value(DEMO)


def sound_in(body: bytes) -> bytes:
    """What was recorded, of a request to a provider."""
    return body.split(b"Content-Type: audio/webm\r\n\r\n")[1].split(b"\r\n--")[0]


def test_after_a_failure_the_recording_is_there_to_be_tried_again(
    site: Site, page: Page, provider: Transcriber
) -> None:
    provider.answers(TROUBLE, TROUBLE, heard())
    page.context.set_offline(True)
    microphone(page)
    wait_until_heard(page)
    stop(page)
    expect(page.locator("#composer-notice")).to_contain_text("Your recording is kept")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#composer-notice")).to_contain_text("could not be turned into text")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#text")).to_have_value(WORDS)
    expect(page.locator("#composer-notice")).to_be_empty()
    first, _, last = (one.body for one in provider.asked)
    assert sound_in(first) == sound_in(last) != b""
    provider.answers(TROUBLE)
    microphone(page)
    wait_until_heard(page)
    stop(page)
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#composer-notice")).to_be_empty()


def test_a_refusal_is_told_as_it_is_and_the_longest_ends_by_itself(
    site: Site, page: Page, provider: Transcriber
) -> None:
    provider.answers(heard(""), heard())
    microphone(page)
    wait_until_heard(page)
    stop(page)
    expect(page.locator("#composer-notice")).to_contain_text("No words could be heard")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    page.locator("#voice").evaluate("voice => voice.dataset.maxSeconds = 2")
    microphone(page)
    expect(page.locator(".voice-time")).to_contain_text("s left")
    expect(page.locator("#text")).to_have_value(WORDS)
    expect(page.locator("#composer-notice")).to_contain_text("longest that a recording may be")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([FAKE_DEVICE], "The microphone is blocked for this site"),
        ([FAKE_ANSWER], "No microphone was found"),
    ],
)
def test_without_leave_or_without_a_microphone_it_says_what_to_do(
    site: Site, chromium: Browser, flags: list[str], words: str
) -> None:
    other = chromium.browser_type.launch(executable_path=CHROMIUM, args=[*QUIETLY, *flags])
    try:
        page = other.new_page()
        site.log_in(page, site.person(), "/chat/new")
        page.get_by_role("button", name="Record your message").click()
        expect(page.locator("#composer-notice")).to_contain_text(words)
        expect(page.locator("#composer[data-voice]")).to_have_count(0)
    finally:
        other.close()


def test_where_nobody_listens_or_nothing_can_record_there_is_no_button(
    site: Site, open_browser: Callable[..., BrowserContext], adjust: Callable[..., None]
) -> None:
    ada = site.person()
    without = open_browser(java_script_enabled=False).new_page()
    site.log_in(without, ada, "/chat/new")
    expect(without.locator(".voice-button")).to_be_hidden()
    adjust(ANTHROPIC_API_KEY="key")
    page = open_browser().new_page()
    site.log_in(page, ada, "/chat/new")
    expect(page.locator("#composer")).to_be_visible()
    expect(page.locator(".voice-button")).to_have_count(0)
