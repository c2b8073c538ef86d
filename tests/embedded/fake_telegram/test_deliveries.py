"""How updates reach the bot: asked for or by a webhook, once or oftener, early or late."""

import asyncio
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import loads
from typing import Any

import pytest
from telegram import Bot, Update
from telegram.error import Conflict
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters

from tests.embedded.fake_telegram.conftest import Do
from tests.embedded.fake_telegram.served import (
    TOKEN,
    WEBHOOK_SECRET,
    Person,
    ServedTelegram,
    served_telegram,
)
from tests.embedded.stand_ins import wait_until

HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Ear:
    """A server that hears a webhook's posts, and refuses as many as it is told to."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.secrets: list[str | None] = []
        self.refusals: list[int] = []
        ear = self

        class _Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = ear.refusals.pop(0) if ear.refusals else 200
                ear.secrets.append(self.headers[HEADER])
                if status == 200:
                    ear.heard.append(body)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def texts(self) -> list[str]:
        return [update["message"]["text"] for update in self.heard]


@pytest.fixture
def ear() -> Generator[Ear]:
    ear = Ear()
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


def texts(updates: Any) -> list[str]:
    return [one["message"]["text"] for one in updates]


def poll(telegram: ServedTelegram, **values: Any) -> list[dict[str, Any]]:
    answer = telegram.call("getUpdates", **values)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def webhook(telegram: ServedTelegram) -> dict[str, Any]:
    return telegram.call("getWebhookInfo").json()["result"]


def waits(telegram: ServedTelegram) -> bool:
    """Whether any update is still to be told."""
    return bool(webhook(telegram)["pending_update_count"])


def test_an_update_is_told_until_it_is_confirmed(telegram: ServedTelegram, ada: Person) -> None:
    for words in ("1", "2", "3"):
        ada.say(words)
    assert texts(poll(telegram)) == ["/start", "1", "2", "3"]
    first = poll(telegram, limit=2)
    assert texts(first) == ["/start", "1"]
    rest = poll(telegram, offset=first[-1]["update_id"] + 1)
    assert texts(rest) == ["2", "3"]
    assert texts(poll(telegram, offset=-1)) == ["3"]
    assert texts(poll(telegram)) == ["3"]
    assert poll(telegram, offset=rest[-1]["update_id"] + 1) == []


def test_a_long_poll_ends_when_something_comes(telegram: ServedTelegram, ada: Person) -> None:
    offset = poll(telegram)[-1]["update_id"] + 1
    began = time.monotonic()
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(poll, telegram, offset=offset, timeout=25)
        time.sleep(0.3)
        ada.say("Hello")
        assert texts(waiting.result()) == ["Hello"]
    assert time.monotonic() - began < 20
    assert poll(telegram, offset=offset + 1, timeout=1) == []


def test_a_second_poll_ends_the_first(telegram: ServedTelegram, ada: Person) -> None:
    offset = poll(telegram)[-1]["update_id"] + 1
    with ThreadPoolExecutor() as threads:
        first = threads.submit(telegram.call, "getUpdates", offset=offset, timeout=25)
        time.sleep(0.5)
        second = threads.submit(telegram.call, "getUpdates", offset=offset, timeout=25)
        refused = first.result()
        ada.say("Hello")
        assert texts(second.result().json()["result"]) == ["Hello"]
    assert refused.status_code == 409
    assert "only one bot instance" in refused.json()["description"]


def test_only_wanted_kinds_are_made(telegram: ServedTelegram, ada: Person) -> None:
    poll(telegram, allowed_updates=["edited_message"], offset=-1)
    said = ada.say("Before")
    ada.edit(said["message_id"], "After")
    assert [set(one) for one in poll(telegram)[1:]] == [{"update_id", "edited_message"}]


def test_a_webhook_hears_all_in_order_with_its_secret(
    telegram: ServedTelegram, ada: Person, ear: Ear, bot: Bot, do: Do[Any]
) -> None:
    assert do(bot.set_webhook(ear.url, secret_token=WEBHOOK_SECRET, max_connections=3))
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        do(bot.get_updates())
    eve = telegram.eve()
    for at in range(5):
        ada.say(f"a{at}")
        eve.say(f"e{at}")
    wait_until(lambda: len(ear.heard) == 11)
    assert [words for words in ear.texts() if words[0] == "a"] == ["a0", "a1", "a2", "a3", "a4"]
    assert [words for words in ear.texts() if words[0] == "e"] == ["e0", "e1", "e2", "e3", "e4"]
    assert set(ear.secrets) == {WEBHOOK_SECRET}
    wait_until(lambda: do(bot.get_webhook_info()).pending_update_count == 0)
    info = do(bot.get_webhook_info())
    assert (info.url, info.max_connections, info.last_error_message) == (ear.url, 3, None)
    assert do(bot.delete_webhook())
    ada.say("Later")
    assert do(bot.get_updates())[-1].message.text == "Later"


def test_what_a_webhook_refuses_is_told_again_and_the_chatwaits(
    telegram: ServedTelegram, ada: Person, ear: Ear
) -> None:
    ear.refusals = [500, 302, 503]
    telegram.call("setWebhook", url=ear.url)
    for words in ("1", "2"):
        ada.say(words)
    wait_until(lambda: len(ear.heard) == 3)
    assert ear.texts() == ["/start", "1", "2"]
    assert len(ear.secrets) == 6
    assert set(ear.secrets) == {None}
    info = webhook(telegram)
    assert info["last_error_message"].startswith("Wrong response from the webhook: 503")
    told = telegram.journal(ada.id)["updates"][0]["deliveries"]
    assert [one["status"] for one in told] == [500, 302, 503, 200]
    assert {one["via"] for one in told} == {"webhook"}


def test_a_webhook_that_is_not_there_yet_is_waited_for(
    telegram: ServedTelegram, ada: Person, ear: Ear
) -> None:
    telegram.call("setWebhook", url="http://127.0.0.1:9/hook")
    wait_until(lambda: webhook(telegram).get("last_error_message") == "Connection refused")
    assert telegram.call("setWebhook", url=ear.url).json()["description"] == "Webhook was set"
    again = telegram.call("setWebhook", url=ear.url).json()
    assert (again["result"], again["description"]) == (True, "Webhook is already set")
    wait_until(lambda: ear.texts() == ["/start"])
    assert ada.id == ear.heard[0]["message"]["chat"]["id"]


def test_pending_updates_can_be_dropped(telegram: ServedTelegram, ada: Person, ear: Ear) -> None:
    telegram.call("setWebhook", url=ear.url, drop_pending_updates=True)
    ada.say("New")
    wait_until(lambda: ear.texts() == ["New"])
    telegram.call("deleteWebhook", drop_pending_updates=True)
    ada.say("Newer")
    assert texts(poll(telegram)) == ["Newer"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "http://example.org/hook"}, "An HTTPS URL must be provided for webhook"),
        ({"url": "ftp://127.0.0.1/hook"}, "An HTTPS URL must be provided for webhook"),
        ({"url": "http://[", "secret_token": "a"}, "invalid webhook URL specified"),
        ({"url": "https://a.org", "secret_token": "a b"}, "contains unallowed characters"),
        ({"url": "https://a.org", "secret_token": "a" * 257}, "secret token is too long"),
    ],
)
def test_webhooks_that_are_refused(
    telegram: ServedTelegram, values: dict[str, str], words: str
) -> None:
    answer = telegram.call("setWebhook", **values)
    assert answer.status_code == 400
    assert words in answer.json()["description"]


def test_updates_can_come_several_times_and_in_any_order(
    telegram: ServedTelegram, ada: Person
) -> None:
    telegram.switch(copies=3, shuffle_seconds=0.4, seed=7)
    said = [f"{at}" for at in range(20)]
    for words in said:
        ada.say(words)
    heard: list[str] = []
    offset, ends = 0, time.monotonic() + 20
    # As Telegram's library asks: after the last one that came, whichever that was.
    while time.monotonic() < ends and not (set(said) <= set(heard) and not waits(telegram)):
        found = poll(telegram, offset=offset, timeout=1)
        heard += texts(found)
        offset = found[-1]["update_id"] + 1 if found else offset
    assert set(heard) == {"/start", *said}
    assert len(heard) > len(said) + 5
    assert sorted(set(heard[1:]), key=heard[1:].index) != said
    counts = [len(one["deliveries"]) for one in telegram.journal(ada.id)["updates"]]
    assert min(counts) >= 1


def test_a_webhook_too_hears_them_several_times_and_in_any_order(
    telegram: ServedTelegram, ada: Person, ear: Ear
) -> None:
    telegram.call("setWebhook", url=ear.url, drop_pending_updates=True)
    telegram.switch(copies=3, shuffle_seconds=0.3, seed=3)
    said = [f"{at}" for at in range(20)]
    for words in said:
        ada.say(words)
    wait_until(lambda: not waits(telegram))
    assert set(ear.texts()) == set(said)
    assert len(ear.heard) > 25
    assert sorted(set(ear.texts()), key=ear.texts().index) != said


def test_updates_can_come_late(telegram: ServedTelegram, ada: Person) -> None:
    offset = poll(telegram)[-1]["update_id"] + 1
    telegram.switch(update_delay_seconds=0.6)
    ada.say("Late")
    assert poll(telegram, offset=offset) == []
    assert texts(poll(telegram, offset=offset, timeout=20)) == ["Late"]


def test_an_update_can_be_told_once_more_long_after_it_was_heard(
    telegram: ServedTelegram, ada: Person
) -> None:
    started = poll(telegram)[0]["update_id"]
    assert poll(telegram, offset=started + 1) == []
    telegram.repeat(started)
    assert texts(poll(telegram, offset=started + 1)) == ["/start"]
    assert poll(telegram, offset=started + 1) == []
    assert ada.messages()[0]["text"] == "/start"


def test_what_nobody_heard_is_told_after_a_restart(tmp_path: Any, ear: Ear) -> None:
    kept = tmp_path / "telegram" / "messenger.sqlite"
    with served_telegram(kept) as first:
        ada = first.ada()
        ada.start("code")
        first.call("setMyCommands", commands=[{"command": "new", "description": "Begin anew"}])
        sent = first.call("sendMessage", chat_id=ada.id, text="Hello").json()["result"]
        first.call("setWebhook", url="http://127.0.0.1:9/", secret_token="s")
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in kept.parent.iterdir()} == {0o600}
    with served_telegram(kept) as second:
        assert second.call("getWebhookInfo").json()["result"]["pending_update_count"] == 1
        second.call("setWebhook", url=ear.url, secret_token="t")
        wait_until(lambda: ear.texts() == ["/start code"])
        assert ear.secrets == ["t"]
        again = Person(second, ada.id)
        assert [one["text"] for one in again.messages()] == ["/start code", "Hello"]
        assert again.state()["bot"]["commands"][0]["command"] == "new"
        later = second.call("sendMessage", chat_id=ada.id, text="Back").json()["result"]
        assert later["message_id"] > sent["message_id"]


def test_telegrams_own_loop_runs_on_it(telegram: ServedTelegram, ada: Person, do: Do[Any]) -> None:
    """Its Application polls, handles and answers, as a bot in earnest does."""
    application = (
        ApplicationBuilder()
        .token(TOKEN)
        .base_url(f"{telegram.url}/bot")
        .base_file_url(f"{telegram.url}/file/bot")
        .build()
    )

    async def _echo(update: Update, _: ContextTypes.DEFAULT_TYPE) -> None:
        assert update.message
        await update.message.reply_text(f"You said: {update.message.text}")

    async def _run() -> None:
        async with application:
            await application.start()
            assert application.updater
            await application.updater.start_polling(timeout=5)
            for _ in range(200):
                if len(ada.messages()) == 4:
                    break
                await asyncio.sleep(0.05)
            await application.updater.stop()
            await application.stop()

    application.add_handler(MessageHandler(filters.ALL, _echo))
    ada.say("Hello")
    do(_run())
    answers = [one["text"] for one in ada.messages() if one["from"]["is_bot"]]
    assert answers == ["You said: /start", "You said: Hello"]
