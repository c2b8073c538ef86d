"""Writing a message: what is pasted, which Enter sends, and drafts that nobody else is shown."""

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, Route, expect
from playwright.sync_api import Error as PlaywrightError

from models.jobs.enqueue import MESSAGE_MAX_LENGTH
from models.schema.chat import Message, Role
from models.schema.sessions import UserSession
from models.schema.uploads import Upload
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")

COPY = """async ({ text, picture }) => {
  const items = {};
  if (text) items["text/plain"] = new Blob([text], { type: "text/plain" });
  if (picture) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 4, height: 4 });
    canvas.getContext("2d").fillRect(0, 0, 4, 4);
    items["image/png"] = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }
  await navigator.clipboard.write([new ClipboardItem(items)]);
}"""
PASTE_FILE = """({ name, text }) => {
  const data = new DataTransfer();
  data.items.add(new File(["a"], name, { type: "image/png" }));
  data.setData("text/plain", text);
  const told = { clipboardData: data, bubbles: true, cancelable: true };
  document.getElementById("text").dispatchEvent(new ClipboardEvent("paste", told));
}"""
# What Safari tells of the Enter that ends a composition, and what some input methods tell.
ENTER = """keyCode => {
  const area = document.getElementById("text");
  area.dispatchEvent(new CompositionEvent("compositionend", { bubbles: true }));
  const told = { key: "Enter", keyCode, bubbles: true, cancelable: true };
  area.dispatchEvent(new KeyboardEvent("keydown", told));
  return performance.now();
}"""
TABLE = "Name\tAmount\nAda\t12\n"


@pytest.fixture
def browser(open_browser: Callable[..., BrowserContext]) -> BrowserContext:
    return open_browser(permissions=["clipboard-read", "clipboard-write"])


def paste(page: Page, text: str = "", *, picture: bool = False) -> None:
    page.evaluate(COPY, {"text": text, "picture": picture})
    page.locator("#text").focus()
    page.keyboard.press("Control+V")


def test_what_is_pasted_from_a_spreadsheet_is_its_text(site: Site, browser: BrowserContext) -> None:
    page = browser.new_page()
    site.log_in(page, site.person(), "/chat/new")
    paste(page, TABLE, picture=True)
    expect(page.locator("#text")).to_have_value(TABLE)
    expect(page.locator(".chosen-file")).to_have_count(0)
    page.evaluate(PASTE_FILE, {"name": "cat.png", "text": "/home/ada/cat.png"})
    expect(page.locator(".chosen-file")).to_contain_text("cat.png")


def test_a_picture_alone_is_pasted_as_a_file(site: Site, browser: BrowserContext) -> None:
    page = browser.new_page()
    site.log_in(page, site.person(), "/chat/new")
    paste(page, picture=True)
    expect(page.locator(".chosen-file img")).to_be_visible()
    expect(page.locator("#text")).to_have_value("")


def test_a_long_paste_becomes_a_file_and_all_of_it_is_sent(
    site: Site, browser: BrowserContext
) -> None:
    page = browser.new_page()
    site.log_in(page, site.person(), "/chat/new")
    page.locator("#text").fill("What is this?")
    paste(page, "x" * MESSAGE_MAX_LENGTH)
    expect(page.locator("#text")).to_have_value("What is this?")
    expect(page.locator(".chosen-file")).to_contain_text("Pasted text.txt")
    expect(page.locator("#composer-notice")).to_contain_text("was attached as “Pasted text.txt”")
    paste(page, "y" * (MESSAGE_MAX_LENGTH + 1))
    expect(page.locator(".chosen-file")).to_have_count(2)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/chat/0*")
    with site.database() as db:
        sent = db.execute(sa.select(Upload.name, Upload.size_bytes).order_by(Upload.id)).all()
    assert [tuple(one) for one in sent] == [
        ("Pasted text.txt", MESSAGE_MAX_LENGTH),
        ("Pasted text 2.txt", MESSAGE_MAX_LENGTH + 1),
    ]


def test_without_scripts_a_long_text_is_refused_and_kept(
    site: Site, open_browser: Callable[..., BrowserContext]
) -> None:
    page = open_browser(java_script_enabled=False).new_page()
    site.log_in(page, site.person(), "/chat/new")
    long = "x" * (MESSAGE_MAX_LENGTH + 1)
    page.locator("#text").fill(long)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#composer-notice")).to_contain_text("longer than 20,000 characters")
    expect(page.locator("#text")).to_have_value(long)


@pytest.mark.parametrize("key_code", [229, 13])
def test_the_enter_of_an_input_method_sends_nothing(
    site: Site, browser: BrowserContext, key_code: int
) -> None:
    page = browser.new_page()
    site.log_in(page, site.person(), "/chat/new")
    page.locator("#text").fill("こんにち")
    composed = page.evaluate(ENTER, key_code)
    # Nobody presses it twice at the same moment.
    page.wait_for_function("composed => performance.now() > composed + 100", arg=composed)
    page.locator("#text").press_sequentially("は")
    page.locator("#text").press("Enter")
    page.wait_for_url("**/chat/0*")
    with site.database() as db:
        assert db.scalars(sa.select(Message.text)).all() == ["こんにちは"]


def test_after_a_login_that_had_ended_words_and_files_are_where_they_were(
    site: Site, browser: BrowserContext
) -> None:
    ada = site.person()
    older, _ = site.conversation(ada, "The older one"), site.conversation(ada, "The latest one")
    page = browser.new_page()
    site.log_in(page, ada, f"/chat/{older}")
    page.locator("#text").fill("Half a thought")
    page.locator("#files").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"All of my notes"}
    )
    with site.database() as db:
        db.execute(sa.delete(UserSession))
    # The page's stream may find the login ended before the press does; both lead there.
    with suppress(PlaywrightError):
        page.get_by_role("button", name="Send").click(timeout=3_000)
    page.wait_for_url("**/login?**")
    page.get_by_label("E-mail").fill(ada.email)
    page.locator("input[name=password]").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**/chat/{older}")
    expect(page.locator("#text")).to_have_value("Half a thought")
    expect(page.locator(".chosen-file")).to_contain_text("notes.txt")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-exchange]")).to_have_count(2)
    with site.database() as db:
        said = sa.select(Message.text).where(Message.role == Role.USER)
        assert "Half a thought" in db.scalars(said).all()
        assert db.scalars(sa.select(Upload.name)).all() == ["notes.txt"]
    page.reload()
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator(".chosen-file")).to_have_count(0)


def test_a_stream_that_ends_with_its_login_leads_back_too(
    site: Site, browser: BrowserContext
) -> None:
    ada = site.person()
    older = site.conversation(ada, "The older one")
    page = browser.new_page()
    site.log_in(page, ada, f"/chat/{older}")
    page.locator("#text").fill("Half a thought")
    with site.database() as db:
        db.execute(sa.delete(UserSession))
    site.asked(ada, "From elsewhere", older)
    page.wait_for_url("**/login?**")
    assert urlsplit(page.url).query == f"next=/chat/{older}"


def test_a_draft_is_shown_to_nobody_else(site: Site, browser: BrowserContext) -> None:
    ada, eve = site.person("Ada"), site.person("Eve")
    page = browser.new_page()
    site.log_in(page, ada, "/chat/new")
    page.locator("#text").fill("My secret")
    page.reload()
    expect(page.locator("#text")).to_have_value("My secret")
    # Her login ends without her doing.
    browser.clear_cookies()
    site.log_in(page, eve, "/chat/new")
    expect(page.locator("#text")).to_have_value("")
    kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"
    assert "My secret" not in page.evaluate(kept)


def test_logging_out_leaves_no_draft_behind(site: Site, browser: BrowserContext) -> None:
    ada = site.person()
    page = browser.new_page()
    site.log_in(page, ada, "/chat/new")
    page.locator("#text").fill("My secret")
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{site.url}/")
    kept = "JSON.stringify([{ ...localStorage }, { ...sessionStorage }])"
    assert "My secret" not in page.evaluate(kept)


def test_a_draft_is_there_in_another_tab_and_gone_when_it_is_sent(
    site: Site, browser: BrowserContext
) -> None:
    ada = site.person()
    page, other = browser.new_page(), browser.new_page()
    site.log_in(page, ada, "/chat/new")
    page.locator("#text").fill("To be sent")
    other.goto(f"{site.url}/chat/new")
    expect(other.locator("#text")).to_have_value("To be sent")
    other.locator("#text").fill("To be changed")
    expect(page.locator("#text")).to_have_value("To be sent")
    other.locator("#text").fill("To be sent")
    other.get_by_role("button", name="Send").click()
    other.wait_for_url("**/chat/0*")
    expect(page.locator("#text")).to_have_value("")


def attach(page: Page, name: str) -> None:
    before = page.locator(".chosen-file").count()
    page.locator("#files").set_input_files(
        {"name": name, "mimeType": "text/plain", "buffer": name.encode()}
    )
    expect(page.locator(".chosen-file")).to_have_count(before + 1)


def send_and_hold(page: Page, path: str) -> Route:
    """Press Send, and keep what is sent on its way."""
    routes: list[Route] = []

    def _hold(route: Route) -> None:
        routes.append(route) if route.request.method == "POST" else route.continue_()

    page.route(path, _hold)
    with page.expect_request(lambda request: request.method == "POST"):
        page.get_by_role("button", name="Send").click()
    while not routes:
        page.wait_for_timeout(20)
    return routes[0]


def test_what_was_on_its_way_at_a_reload_is_said_once(site: Site, browser: BrowserContext) -> None:
    page = browser.new_page()
    site.log_in(page, site.person(), "/chat/new")
    page.locator("#text").fill("Book the flight")
    # The server has it, and its answer never comes.
    send_and_hold(page, "**/chat").fetch()
    page.reload()
    page.unroute("**/chat")
    expect(page.locator("#text")).to_have_value("Book the flight")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/chat/0*")
    assert said(site) == ["Book the flight"]
    page.locator("#text").fill("Book the flight")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-exchange]")).to_have_count(2)
    assert said(site) == ["Book the flight"] * 2


def test_other_words_after_a_reload_are_another_message(
    site: Site, browser: BrowserContext
) -> None:
    page = browser.new_page()
    site.log_in(page, site.person(), "/chat/new")
    page.locator("#text").fill("Book the flight")
    send_and_hold(page, "**/chat").fetch()
    page.locator("#text").fill("Book the train")
    # What is held would go on with the page that it is of.
    page.reload()
    page.unroute("**/chat")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/chat/0*")
    assert said(site) == ["Book the flight", "Book the train"]


def said(site: Site) -> list[str]:
    mine = sa.select(Message.text).where(Message.role == Role.USER).order_by(Message.id)
    with site.database() as db:
        return list(db.scalars(mine))


@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_written_while_a_message_is_on_its_way_stays(
    site: Site, browser: BrowserContext, *, is_first: bool
) -> None:
    ada = site.person()
    talk = "new" if is_first else site.conversation(ada, "One")
    page = browser.new_page()
    site.log_in(page, ada, f"/chat/{talk}")
    page.locator("#text").fill("Hello")
    attach(page, "first.txt")
    sending = send_and_hold(page, "**/chat" if is_first else "**/messages")
    page.locator("#text").press_sequentially(" and more")
    attach(page, "second.txt")
    sending.continue_()
    expect(page.locator("#text")).to_have_value(" and more")
    expect(page.locator(".chosen-file")).to_have_text(["second.txt×"])
    page.unroute_all()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-exchange]")).to_have_count(2 if is_first else 3)
    with site.database() as db:
        names = db.scalars(sa.select(Upload.name).order_by(Upload.id)).all()
    assert names == ["first.txt", "second.txt"]
    page.goto(f"{site.url}/chat/new")
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator(".chosen-file")).to_have_count(0)


def test_a_file_that_was_sent_in_one_tab_is_not_sent_from_another(
    site: Site, browser: BrowserContext
) -> None:
    ada = site.person()
    talk = site.conversation(ada, "One")
    page, other = browser.new_page(), browser.new_page()
    site.log_in(page, ada, f"/chat/{talk}")
    page.locator("#text").fill("What is this?")
    attach(page, "bill.txt")
    # What is kept of a file is written after it is shown.
    page.wait_for_timeout(300)
    other.goto(f"{site.url}/chat/{talk}")
    expect(other.locator(".chosen-file")).to_have_count(1)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-exchange]")).to_have_count(2)
    expect(other.locator("#text")).to_have_value("")
    expect(other.locator(".chosen-file")).to_have_count(0)
