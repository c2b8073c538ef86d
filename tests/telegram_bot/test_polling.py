"""Updates on their way from Telegram to the web: each arrives, in order, whoever is away."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from settings import PROJECT_DIR, Settings
from telegram_bot.commands import MENU
from telegram_bot.polling import Poller, Route, TelegramAway
from tests.house import wait_for
from tests.telegram_bot.conftest import SECRET
from tests.telegram_bot.scripted import TOKEN, Reply, Scripted, ok, refusal, scripted

FIRST = 2**40
PAUSES = (0.02, 0.1)
DONE = Reply(204)
# Telegram waits for news; a test not for long.
NO_NEWS = Reply(body=ok([]).body, delay_seconds=0.1)


def news(*numbers: int) -> Reply:
    return ok([{"update_id": FIRST + number, "message": {"text": "né 😀"}} for number in numbers])


@pytest.fixture
def web() -> Generator[Scripted]:
    with scripted() as running:
        running.on("telegram", DONE)
        yield running


@contextmanager
def polling(
    server: Scripted, web: Scripted, prepared: list[None] | None = None, **changes: Any
) -> Generator[Poller]:
    """A poller at work in a thread, and its end."""
    given: dict[str, Any] = {
        "updates_url": f"{server.url}/bot{TOKEN}/getUpdates",
        "web_url": f"{web.url}/channels/telegram",
        "secret": SECRET,
        "timeout_seconds": 5,
        **changes,
    }
    count = prepared if prepared is not None else []
    poller = Poller(Route(**given), lambda: count.append(None), pause_seconds=PAUSES)
    thread = threading.Thread(target=poller.run)
    thread.start()
    try:
        yield poller
    finally:
        poller.finish()
        thread.join(30)
        assert not thread.is_alive()


def numbers_at(web: Scripted) -> list[int]:
    return [call.fields["update_id"] - FIRST for call in web.calls]


def wait_for_offset(server: Scripted, number: int) -> None:
    def is_asked() -> bool:
        return any(one["offset"] == FIRST + number for one in server.called("getUpdates"))

    wait_for(is_asked, f"the offset {number}", seconds=30)


def test_updates_arrive_one_by_one_with_the_secret_and_are_done_with_then(
    server: Scripted, web: Scripted
) -> None:
    server.on("getUpdates", news(1, 2), news(3), NO_NEWS)
    with polling(server, web):
        wait_for_offset(server, 4)
    assert numbers_at(web) == [1, 2, 3]
    call = web.calls[0]
    assert call.path == "/channels/telegram"
    assert call.headers["X-Telegram-Bot-Api-Secret-Token"] == SECRET
    assert call.headers["Content-Type"] == "application/json"
    assert json.loads(call.body)["message"] == {"text": "né 😀"}
    asked = server.called("getUpdates")
    assert [one["offset"] for one in asked[:3]] == [0, FIRST + 3, FIRST + 4]
    assert asked[0]["allowed_updates"] == [
        *("message", "edited_message", "callback_query", "my_chat_member"),
    ]


@pytest.mark.parametrize(
    "reply",
    [Reply(500), Reply(403), Reply(404), Reply(302), Reply(429), Reply(hangs_up=True)],
    ids=repr,
)
def test_what_the_web_has_not_taken_comes_again_before_anything_later(
    server: Scripted, web: Scripted, reply: Reply
) -> None:
    server.on("getUpdates", news(1, 2, 3), NO_NEWS)
    web.on("telegram", DONE, reply, reply, DONE)
    with polling(server, web):
        wait_for_offset(server, 4)
    assert numbers_at(web) == [1, 2, 2, 2, 3]
    # Nothing is done with before all of it has arrived.
    assert [one["offset"] for one in server.called("getUpdates")][:2] == [0, FIRST + 4]


def test_nothing_is_done_with_that_came_in_another_order_and_has_not_arrived(
    server: Scripted, web: Scripted
) -> None:
    server.on("getUpdates", news(3, 1, 2), NO_NEWS)
    web.on("telegram", DONE, Reply(500))
    with polling(server, web):
        wait_for(lambda: len(web.calls) > 2, "the second to be tried again")
    asked = [one["offset"] for one in server.called("getUpdates")]
    assert numbers_at(web)[:3] == [3, 1, 1]
    # The last is said as it ends.
    assert asked == [0, FIRST + 1]


@pytest.mark.parametrize("status", [400, 413])
def test_what_the_web_can_never_take_is_skipped_and_logged(
    server: Scripted, web: Scripted, status: int
) -> None:
    server.on("getUpdates", news(1, 2), NO_NEWS)
    web.on("telegram", Reply(status), DONE)
    with capture_logs() as lines, polling(server, web):
        wait_for_offset(server, 3)
    assert numbers_at(web) == [1, 2]
    (line,) = [line for line in lines if line["event"] == "telegram.update_refused"]
    assert (line["update_id"], line["status"]) == (FIRST + 1, status)


@pytest.mark.parametrize(
    "reply",
    [
        refusal(409, "Conflict: can't use getUpdates method while webhook is active"),
        refusal(500, "Internal Server Error"),
        refusal(401, "Unauthorized"),
        Reply(hangs_up=True),
        Reply(body=b"<html>"),
        Reply(body=b"[1]"),
        Reply(body=b"[" * 200_000),
        ok(None),
        ok([{"message": {}}]),
        Reply(429, b'{"parameters": 5}'),
    ],
    ids=lambda reply: repr(reply)[:60],
)
def test_when_telegram_is_away_it_is_asked_again_and_set_up_again(
    server: Scripted, web: Scripted, reply: Reply
) -> None:
    server.on("getUpdates", reply, reply, news(1), NO_NEWS)
    prepared: list[None] = []
    with capture_logs() as lines, polling(server, web, prepared):
        wait_for_offset(server, 2)
    assert numbers_at(web) == [1]
    assert len(prepared) == 3
    assert [line["event"] for line in lines].count("telegram.away") == 2
    assert TOKEN not in str(lines)


def test_telegram_says_how_long_to_wait(server: Scripted, web: Scripted) -> None:
    server.on("getUpdates", refusal(429, "Too Many Requests", retry_after=600), news(1))
    with polling(server, web):
        wait_for(lambda: server.calls, "the first question", seconds=30)
        # Its end does not wait so long.
    assert numbers_at(web) == []
    assert len(server.called("getUpdates")) == 1


def test_nothing_is_asked_for_before_all_is_set_up(server: Scripted, web: Scripted) -> None:
    tries: list[int] = []

    def prepare() -> None:
        tries.append(len(server.calls))
        if len(tries) < 3:
            raise TelegramAway("not yet")

    server.on("getUpdates", NO_NEWS)
    route = Route(f"{server.url}/getUpdates", web.url, SECRET, 5)
    poller = Poller(route, prepare, pause_seconds=PAUSES)
    thread = threading.Thread(target=poller.run)
    thread.start()
    wait_for(lambda: server.calls, "a question", seconds=30)
    poller.finish()
    thread.join(30)
    assert tries == [0, 0, 0]


def test_at_the_end_an_update_that_is_under_way_arrives_and_telegram_hears_of_it(
    server: Scripted, web: Scripted
) -> None:
    server.on("getUpdates", news(1, 2), NO_NEWS)
    web.on("telegram", Reply(204, delay_seconds=0.5), DONE)
    with polling(server, web):
        wait_for(lambda: web.calls, "the first update", seconds=30)
    assert numbers_at(web) == [1]
    last = server.called("getUpdates")[-1]
    assert (last["offset"], last["timeout"]) == (FIRST + 2, 0)


def environment(server: Scripted, web: Scripted, settings: Settings) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],  # noqa: TID251
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
        "TELEGRAM_API_BASE": server.url,
        "TELEGRAM_TIMEOUT_SECONDS": "5",
        "WEB_ORIGIN": web.url,
        "PUBLIC_URL": "https://chat.example.org",
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "DATABASE_URL": "postgresql://nobody",
        "REDIS_URL": "redis://nobody",
        "LOG_LEVEL": "DEBUG",
    }


def run(*arguments: str, env: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "telegram_bot", *arguments],
        cwd=PROJECT_DIR,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert TOKEN not in done.stdout
    return done.returncode, done.stdout


def events_in(output: str) -> list[str]:
    return [json.loads(line)["event"] for line in output.splitlines()]


def test_the_process_sets_up_moves_updates_and_ends_when_it_is_told_to(
    server: Scripted, web: Scripted, settings: Settings
) -> None:
    server.on("deleteWebhook", refusal(500, "Internal Server Error"), ok(True))
    server.on("setMyCommands", refusal(400, "Bad Request: BOT_COMMAND_INVALID"), ok(True))
    server.on("getUpdates", news(1), Reply(body=ok([]).body, delay_seconds=20))
    process = subprocess.Popen(
        [sys.executable, "-m", "telegram_bot"],
        cwd=PROJECT_DIR,
        env=environment(server, web, settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        # It asks for the next ones now, and Telegram has no answer for long.
        wait_for_offset(server, 2)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    assert numbers_at(web) == [1]
    names = [call.name for call in server.calls]
    assert names[:4] == ["deleteWebhook", "deleteWebhook", "setMyCommands", "getUpdates"]
    assert TOKEN not in output
    events = events_in(output)
    assert events[0] == "telegram.polling"
    assert {"telegram.away", "telegram.menu_not_set"} <= set(events)
    assert events[-1] == "telegram.polling_ended"


def test_the_webhook_is_set_once_for_production(
    server: Scripted, web: Scripted, settings: Settings
) -> None:
    server.on("setWebhook", ok(True))
    server.on("setMyCommands", ok(True))
    code, output = run("webhook", env=environment(server, web, settings))
    assert (code, events_in(output)[-1]) == (0, "telegram.webhook_set")
    (hook,) = server.called("setWebhook")
    assert hook["url"] == "https://chat.example.org/channels/telegram"
    assert hook["secret_token"] == SECRET
    commands = json.loads(server.called("setMyCommands")[0]["commands"])
    names = [one["command"] for one in commands]
    assert names == [one.name for one in MENU]
    assert all(3 <= len(one["description"]) <= 256 for one in commands)


def test_who_is_refused_or_not_set_up_hears_of_it(
    server: Scripted, web: Scripted, settings: Settings
) -> None:
    server.on("setWebhook", refusal(400, "Bad Request: bad webhook: HTTPS url must be provided"))
    env = environment(server, web, settings)
    code, output = run("webhook", env=env)
    assert (code, events_in(output)[-1]) == (1, "telegram.webhook_not_set")
    for missing in ("TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"):
        code, output = run(env={name: one for name, one in env.items() if name != missing})
        assert (code, events_in(output)) == (2, ["telegram.not_set_up"])
    code, output = run("fly", env=env)
    assert code == 2
    assert "webhook" in output
