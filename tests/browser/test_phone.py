"""The phone of the Telegram stand-in, held by people, with a small bot at the other end."""

import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIETLY
from tests.embedded.fake_telegram.served import (
    TOKEN,
    USERNAME,
    Body,
    ServedTelegram,
    served_telegram,
)
from tests.embedded.fake_telegram.test_methods import png

pytestmark = pytest.mark.xdist_group("browser")

DESKTOP = {"width": 1280, "height": 900}
STOP = {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop"}]]}
HOSTILE = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>'


class SmallBot:
    """Answers what it is asked by a message that grows, and remembers all updates."""

    def __init__(self, telegram: ServedTelegram) -> None:
        self.updates: list[Body] = []
        self._address = f"{telegram.url}/bot{TOKEN}"
        self._http = httpx2.Client(timeout=30, verify=False)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._ends.set()
        self._thread.join()

    def call(self, method: str, **values: Any) -> Any:
        return self._http.post(f"{self._address}/{method}", json=values).json().get("result")

    def messages(self) -> list[Body]:
        return [one["message"] for one in self.updates if "message" in one]

    def fetch(self, file: Body) -> bytes:
        path = self.call("getFile", file_id=file["file_id"])["file_path"]
        return self._http.get(f"{self._address.replace('/bot', '/file/bot')}/{path}").content

    def _run(self) -> None:
        offset = 0
        while not self._ends.is_set():
            with suppress(httpx2.TransportError):
                asked: list[Body] | None = self.call("getUpdates", offset=offset, timeout=1)
                for update in asked or ():
                    offset = update["update_id"] + 1
                    self.updates.append(update)
                    self._handle(update)

    def _handle(self, update: Body) -> None:
        if "callback_query" in update:
            self._stop(update["callback_query"])
        words = update.get("message", {}).get("text", "")
        if words.startswith("/start "):
            self.call("sendMessage", chat_id=_chat(update), text=f"Linked by {words[7:]}.")
        elif words.startswith("Tell"):
            self._tell(_chat(update))

    def _tell(self, chat: int) -> None:
        """Begin an answer that only a press of Stop ends."""
        self.call("sendChatAction", chat_id=chat, action="typing")
        sent = self.call("sendMessage", chat_id=chat, text="Once", reply_markup=STOP)
        place = {"chat_id": chat, "message_id": sent["message_id"], "reply_markup": STOP}
        for words in ("Once upon", "Once upon a time"):
            self.call("editMessageText", **place, text=words)

    def _stop(self, query: Body) -> None:
        self.call("answerCallbackQuery", callback_query_id=query["id"], text="Stopped.")
        message = query["message"]
        place = {"chat_id": message["chat"]["id"], "message_id": message["message_id"]}
        self.call("editMessageText", **place, text=f"{message['text']} … stopped")


def _chat(update: Body) -> int:
    return update["message"]["chat"]["id"]


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    """A browser with a microphone that somebody is heard in."""
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIETLY, *flags])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server() -> Generator[ServedTelegram]:
    with served_telegram() as running:
        yield running


@pytest.fixture
def telegram(server: ServedTelegram) -> Generator[ServedTelegram]:
    yield server
    server.reset()


@pytest.fixture
def bot(telegram: ServedTelegram) -> Generator[SmallBot]:
    bot = SmallBot(telegram)
    yield bot
    bot.close()


@pytest.fixture
def page(open_browser: Callable[..., BrowserContext]) -> Page:
    return open_browser().new_page()


def open_chat(page: Page, telegram: ServedTelegram, name: str = "Ada Lovelace") -> None:
    """Open the chat with the bot as somebody, and start it."""
    page.goto(f"{telegram.page}/{USERNAME}")
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(own(page)).to_have_text(["/start"])


def own(page: Page) -> Locator:
    return page.locator("#messages .mine .words")


def theirs(page: Page) -> Locator:
    return page.locator("#messages .theirs .words")


def area(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message")


def write(page: Page, words: str) -> None:
    area(page).fill(words)
    page.get_by_role("button", name="Send", exact=True).click()


def attach(page: Page, kind: str) -> None:
    page.get_by_role("button", name="Send something else").click()
    page.get_by_role("dialog").get_by_role("button", name=kind, exact=True).click()


def send(page: Page) -> None:
    """Send what the sheet has, and see it go."""
    page.get_by_role("dialog").get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def options(page: Page, of: Locator, choice: str) -> None:
    of.get_by_role("button", name="What to do with this message").click()
    page.get_by_role("dialog").get_by_role("button", name=choice).click()


def wait_for(holds: Callable[[], object], page: Page) -> None:
    for _ in range(300):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it never came")


def assert_nothing_sticks_out(page: Page) -> None:
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    inside = "e => e.scrollWidth - e.clientWidth"
    assert page.locator("#scroller").evaluate(inside) == 0


def test_a_link_starts_the_chat_by_one_press_and_an_answer_grows_until_it_is_stopped(
    page: Page, telegram: ServedTelegram, bot: SmallBot
) -> None:
    page.goto(f"{telegram.page}/{USERNAME}?start=c0de-_1")
    page.get_by_role("button", name="Ada Lovelace").click()
    expect(page.get_by_text("Nothing has been said yet.")).to_be_visible()
    expect(area(page)).to_be_hidden()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(theirs(page)).to_have_text(["Linked by c0de-_1."])
    expect(page).to_have_url(f"{telegram.page}/{USERNAME}")

    write(page, "Tell me a story")
    expect(theirs(page).last).to_have_text("Once upon a time")
    page.get_by_role("button", name="Stop").click()
    expect(theirs(page).last).to_have_text("Once upon a time … stopped")
    expect(page.get_by_text("Stopped.", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)

    # Whoever comes back is still who they were, and their chat is there.
    page.reload()
    expect(own(page)).to_have_text(["/start c0de-_1", "Tell me a story"])
    expect(theirs(page).last).to_contain_text("stopped")
    assert_nothing_sticks_out(page)


def _send_formatted(telegram: ServedTelegram) -> None:
    """Let the bot say something in every look, with hostile words, a link and buttons."""
    text = f"🙂 bold code def f(): pass said hidden link evil {HOSTILE}"
    place = {word: text.index(word) + 1 for word in ("bold", "code", "def", "said", "hidden")}

    def entity(kind: str, word: str, length: int, **more: str) -> Body:
        return {"type": kind, "offset": place[word], "length": length, **more}

    entities = [
        entity("bold", "bold", 4),
        entity("code", "code", 4),
        entity("pre", "def", 13, language="python"),
        entity("blockquote", "said", 4),
        entity("spoiler", "hidden", 6),
        {
            "type": "text_link",
            "offset": text.index("link") + 1,
            "length": 4,
            "url": "https://a.org/",
        },
    ]
    buttons = [[{"text": HOSTILE, "callback_data": "x"}, {"text": "Go", "url": "https://b.org/"}]]
    telegram.call(
        *("sendMessage",),
        chat_id=telegram.ada().id,
        text=text,
        entities=entities,
        reply_markup={"inline_keyboard": buttons},
    )


def test_formatted_and_hostile_text_is_shown_as_text(page: Page, telegram: ServedTelegram) -> None:
    open_chat(page, telegram)
    _send_formatted(telegram)
    write(page, HOSTILE)
    expect(own(page).last).to_have_text(HOSTILE)
    shown = theirs(page).last
    expect(shown.locator("strong")).to_have_text("bold")
    expect(shown.locator("code")).to_have_text("code")
    expect(shown.locator("figcaption")).to_have_text("python")
    expect(shown.get_by_label("Code, python")).to_have_text("def f(): pass")
    expect(shown.locator("blockquote")).to_have_text("said")
    expect(shown.get_by_role("link", name="link")).to_have_attribute("href", "https://a.org/")
    expect(shown).to_contain_text(HOSTILE)
    assert shown.locator("img, script").count() == 0
    hidden = shown.get_by_text("hidden", exact=True)
    expect(hidden).not_to_be_visible()
    shown.get_by_role("button", name="Show what is hidden").press("Enter")
    expect(hidden).to_be_visible()
    expect(page.get_by_role("link", name="Go")).to_have_attribute("rel", "noopener noreferrer")
    assert page.evaluate("window.hacked") is None
    assert_nothing_sticks_out(page)


def _send_one_of_each(page: Page, tmp_path: Path) -> None:
    """Send everything that a person can send from the open chat, a video note last."""
    pictures = [tmp_path / f"{at}.png" for at in range(3)]
    for at, path in enumerate(pictures):
        path.write_bytes(png(2000, 1000 + at))
    report = tmp_path / "report.pdf"
    report.write_bytes(b"%PDF-1.7 report")

    def choose(kind: str, *paths: Path) -> None:
        with page.expect_file_chooser() as chosen:
            attach(page, kind)
        chosen.value.set_files(paths)
        page.get_by_label("Caption").fill(f"My {kind.lower()}")
        send(page)

    choose("Photo", pictures[0])
    choose("Several photos", *pictures)
    choose("Document", report)
    page.get_by_role("button", name="Voice note").click()
    page.get_by_label("What is said").fill("Wake me at seven")
    send(page)
    attach(page, "Location")
    send(page)
    attach(page, "Contact")
    send(page)
    attach(page, "Sticker")
    page.get_by_role("button", name="🎉").click()
    attach(page, "Forwarded message")
    page.get_by_label("What they said").fill("Machines take me by surprise")
    send(page)
    attach(page, "Video note")


def test_everything_a_person_can_send_reaches_the_bot(
    page: Page, telegram: ServedTelegram, bot: SmallBot, tmp_path: Path
) -> None:
    open_chat(page, telegram)
    _send_one_of_each(page, tmp_path)
    wait_for(lambda: any("video_note" in one for one in bot.messages()), page)

    _, photo, *album, document, voice, place, contact, sticker, forwarded, _ = bot.messages()
    # As messengers do, the page has made the photo smaller.
    assert (photo["photo"][-1]["width"], photo["photo"][-1]["height"]) == (1280, 640)
    assert bot.fetch(photo["photo"][-1]).startswith(b"\xff\xd8\xff")
    assert photo["caption"] == "My photo"
    assert len(album) == 3
    assert len({one["media_group_id"] for one in album}) == 1
    assert (document["document"]["file_name"], document["caption"]) == ("report.pdf", "My document")
    assert b"ICMT" in bot.fetch(voice["voice"])
    assert b"Wake me at seven" in bot.fetch(voice["voice"])
    assert place["location"]["latitude"] == 52.5163
    assert contact["contact"]["first_name"] == "Grace"
    assert sticker["sticker"]["emoji"] == "🎉"
    assert forwarded["forward_origin"]["sender_user_name"] == "Alan Turing"
    expect(page.locator("#messages .photo img")).to_have_count(4)
    expect(page.locator("#messages audio")).to_have_count(1)
    assert_nothing_sticks_out(page)

    # The newest message stays in sight, however late the pictures above it come.
    page.reload()
    loaded = "() => [...document.querySelectorAll('.photo img')].filter(one => one.complete).length"
    wait_for(lambda: page.evaluate(loaded) == 4, page)
    below = "e => e.scrollHeight - e.clientHeight - e.scrollTop"
    wait_for(lambda: page.locator("#scroller").evaluate(below) < 2, page)


def test_replies_and_edits_are_made_and_shown(
    page: Page, telegram: ServedTelegram, bot: SmallBot
) -> None:
    open_chat(page, telegram)
    telegram.call("sendMessage", chat_id=telegram.ada().id, text="Which one?")
    options(page, page.locator("#messages .theirs").last, "Reply")
    expect(page.locator("#context")).to_contain_text("Which one?")
    write(page, "The frist")
    expect(page.locator("#context")).to_be_hidden()
    expect(page.locator("#messages .quoted")).to_contain_text("Which one?")
    # The arrow upwards changes what was said last.
    area(page).press("ArrowUp")
    expect(area(page)).to_have_value("The frist")
    write(page, "The first")
    expect(own(page).last).to_have_text("The first")
    expect(page.locator("#messages .mine .foot").last).to_contain_text("edited")
    wait_for(lambda: "edited_message" in bot.updates[-1], page)
    assert bot.updates[-1]["edited_message"]["text"] == "The first"
    assert bot.messages()[-1]["reply_to_message"]["text"] == "Which one?"


def test_it_can_be_held_without_a_mouse(
    page: Page, telegram: ServedTelegram, bot: SmallBot
) -> None:
    page.goto(f"{telegram.page}/")
    page.get_by_label("Somebody new").press_sequentially("Grace Hopper")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Shellmate").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Start", exact=True).press("Enter")
    expect(own(page)).to_have_text(["/start"])
    area(page).press_sequentially("Tell me")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    stop = page.get_by_role("button", name="Stop")
    expect(theirs(page).last).to_have_text("Once upon a time")
    # A message that grows leaves the focus on its button.
    stop.focus()
    chat: int = bot.messages()[0]["chat"]["id"]
    shown = telegram.journal(chat)["messages"][-1]["message_id"]
    place = {"chat_id": chat, "message_id": shown, "reply_markup": STOP}
    telegram.call("editMessageText", **place, text="Once upon a time, far away")
    expect(theirs(page).last).to_have_text("Once upon a time, far away")
    expect(stop).to_be_focused()
    page.keyboard.press("Enter")
    expect(theirs(page).last).to_contain_text("stopped")
    page.get_by_role("button", name="Send something else").press("Enter")
    expect(page.get_by_role("dialog", name="Send")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Send something else")).to_be_focused()


def test_the_bot_can_be_blocked_and_its_commands_and_drafts_are_shown(
    page: Page, telegram: ServedTelegram
) -> None:
    open_chat(page, telegram)
    ada = telegram.ada()
    telegram.call("setMyCommands", commands=[{"command": "new", "description": "Begin anew"}])
    page.get_by_role("button", name="Commands").click()
    page.get_by_role("button", name="/new Begin anew").click()
    expect(own(page).last).to_have_text("/new")
    telegram.call("sendChatAction", chat_id=ada.id, action="typing")
    expect(page.locator("#chat-status")).to_have_text("typing…")
    telegram.call("sendMessageDraft", chat_id=ada.id, draft_id=1)
    expect(page.get_by_text("Thinking…")).to_be_visible()
    telegram.call("sendMessageDraft", chat_id=ada.id, draft_id=1, text="So")
    expect(page.locator("#draft")).to_have_text("So")
    telegram.call("sendMessage", chat_id=ada.id, text="So be it.")
    expect(page.locator("#draft")).to_have_count(0)
    expect(page.locator("#chat-status")).to_have_text("bot")
    page.get_by_role("button", name="Chat menu").click()
    page.get_by_role("button", name="Block the bot").click()
    expect(area(page)).to_be_hidden()
    assert telegram.call("sendMessage", chat_id=ada.id, text="x").status_code == 403
    page.get_by_role("button", name="Unblock").click()
    expect(area(page)).to_be_visible()


def test_two_screens_of_one_person_and_a_group(
    open_browser: Callable[..., BrowserContext], telegram: ServedTelegram
) -> None:
    phone, desktop = open_browser().new_page(), open_browser(viewport=DESKTOP).new_page()
    open_chat(phone, telegram, "Eve")
    desktop.goto(f"{telegram.page}/")
    desktop.get_by_role("button", name="Eve").click()
    expect(desktop.get_by_role("button", name="Shellmate")).to_contain_text("/start")
    write(phone, "Hello from the phone")
    expect(desktop.get_by_role("button", name="Shellmate")).to_contain_text("Hello from the phone")
    desktop.get_by_role("button", name="New group with the bot").click()
    desktop.get_by_label("Name", exact=True).fill("Chess")
    desktop.get_by_role("button", name="Make it").click()
    expect(desktop.get_by_role("heading", name="Chess")).to_be_visible()
    expect(desktop.get_by_text("Eve added Shellmate")).to_be_visible()
    group = telegram.eve().state()["chats"][-1]["chat"]["id"]
    telegram.call("sendMessage", chat_id=group, text="Only in private.")
    expect(theirs(desktop)).to_have_text(["Only in private."])
    telegram.call("leaveChat", chat_id=group)
    expect(desktop.get_by_text("The bot has left this group.")).to_be_visible()
    assert_nothing_sticks_out(desktop)


LATE = """
const listen = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (kind, act) {
  listen.call(this, kind, (event) => setTimeout(() => act(event), 400));
};
"""


def test_a_group_opens_though_its_event_comes_late(page: Page, telegram: ServedTelegram) -> None:
    page.add_init_script(LATE)
    open_chat(page, telegram, "Eve")
    page.get_by_role("button", name="All chats").click()
    page.get_by_role("button", name="New group with the bot").click()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Friends")).to_be_visible()


def test_switches_are_set_on_their_page(page: Page, telegram: ServedTelegram) -> None:
    page.goto(f"{telegram.page}/controls")
    expect(page.get_by_label("Messages and edits a second")).to_have_value("2")
    page.get_by_label("Cut off, yet take effect").fill("100")
    page.locator("#faults").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    telegram.ada().start()
    with pytest.raises(httpx2.TransportError):
        telegram.call("sendMessage", chat_id=telegram.ada().id, text="x")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget everything").click()
    expect(page.get_by_label("Cut off, yet take effect")).to_have_value("0")


def test_a_recording_is_sent_with_its_words(
    page: Page, telegram: ServedTelegram, bot: SmallBot
) -> None:
    open_chat(page, telegram)
    page.get_by_role("button", name="Voice note").click()
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("Recording…")).to_be_visible()
    page.wait_for_timeout(1200)
    page.get_by_label("What is said").fill("Remind me tomorrow")
    send(page)
    wait_for(lambda: any("voice" in one for one in bot.messages()), page)
    heard = bot.fetch(bot.messages()[-1]["voice"])
    assert b"Remind me tomorrow" in heard
    # Sixteen thousand samples a second, of two bytes: about a second of something.
    data = heard.index(b"data")
    length = int.from_bytes(heard[data + 4 : data + 8], "little")
    assert int.from_bytes(heard[24:28], "little") == 16_000
    assert length > 16_000
    assert any(heard[data + 8 : data + 8 + length])
