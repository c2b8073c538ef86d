"""The channel over a socket: what it asks of the Bot API, and what it makes of each answer."""

import json
import logging
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from channels.base import Channel, ChannelFailed, Trouble
from channels.outbound import Button, OutgoingFile, Part
from settings import PROJECT_DIR, Settings
from telegram_bot import channels_of
from telegram_bot.bot import HEADER, TelegramChannel
from telegram_bot.commands import Command
from tests.telegram_bot.conftest import SECRET
from tests.telegram_bot.scripted import BOT, SENT, TOKEN, Reply, Scripted, ok, refusal

CHAT = "5000000000"
PART = Part("bold", ({"type": "bold", "offset": 0, "length": 4},))
MB = 1024 * 1024


def send(channel: TelegramChannel) -> str:
    return channel.send(CHAT, PART)


def loops() -> int:
    """Count the threads that have an event loop of a channel's."""
    return sum(thread.name == "telegram" for thread in threading.enumerate())


def failure(act: Callable[[], object]) -> ChannelFailed:
    with pytest.raises(ChannelFailed) as raised:
        act()
    # Neither in its words nor in what it came from.
    assert TOKEN not in "".join(traceback.format_exception(raised.value))
    assert raised.value.__cause__ is None
    return raised.value


def test_there_is_a_channel_if_there_is_a_token(bot_settings: Settings) -> None:
    (channel,) = channels_of(bot_settings)
    kept: Channel = channel
    assert kept.name == "telegram"
    assert channels_of(bot_settings.model_copy(update={"telegram_bot_token": None})) == []


def test_a_message_is_sent_with_its_entities_and_buttons(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on("sendMessage", ok(SENT))
    rows = [[Button("Stop", data="stop:1")], [Button("Open", url="https://a.example/x")]]
    assert channel.send(CHAT, PART, rows=rows) == "77"
    (asked,) = server.called("sendMessage")
    assert (asked["chat_id"], asked["text"]) == (CHAT, "bold")
    assert json.loads(asked["entities"]) == list(PART.formatting)
    assert json.loads(asked["link_preview_options"]) == {"is_disabled": True}
    assert json.loads(asked["reply_markup"]) == {
        "inline_keyboard": [
            [{"text": "Stop", "callback_data": "stop:1"}],
            [{"text": "Open", "url": "https://a.example/x"}],
        ]
    }
    assert server.calls[0].path == f"/bot{TOKEN}/sendMessage"


def test_a_button_that_telegram_refuses_is_a_line(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on("sendMessage", ok(SENT))
    button = Button("Top up", url="http://localhost:8000/billing")
    channel.send(CHAT, PART, rows=[[button]])
    channel.send(CHAT, Part("a" * 4_090), rows=[[button]])
    first, second = server.called("sendMessage")
    assert first["text"] == "bold\nTop up: http://localhost:8000/billing"
    assert second["text"] == "a" * 4_090
    assert "reply_markup" not in first


def test_a_message_is_changed_taken_back_and_left_as_it_is(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on("editMessageText", ok(SENT), refusal(400, "Bad Request: message is not modified: x"))
    server.on("deleteMessage", ok(True), refusal(400, "Bad Request: message to delete not found"))
    for _ in range(2):
        channel.edit(CHAT, "77", PART, rows=[[Button("Stop", data="x")]])
        channel.delete(CHAT, "77")
    asked = server.called("editMessageText")[0]
    assert (asked["chat_id"], asked["message_id"], asked["text"]) == (CHAT, "77", "bold")
    assert "inline_keyboard" in asked["reply_markup"]
    assert server.called("deleteMessage")[1] == {"chat_id": CHAT, "message_id": "77"}


def test_typing_is_shown_a_press_is_answered_and_a_group_is_left(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on("sendChatAction", ok(True))
    gone = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    server.on("answerCallbackQuery", ok(True), refusal(400, gone))
    server.on("leaveChat", ok(True), refusal(403, "Forbidden: bot was kicked from the group chat"))
    channel.typing(CHAT)
    for words in ("w" * 300, ""):
        channel.acknowledge("99", words)
        channel.leave("-100123")
    assert server.called("sendChatAction") == [{"chat_id": CHAT, "action": "typing"}]
    first, second = server.called("answerCallbackQuery")
    assert (first["callback_query_id"], first["text"]) == ("99", "w" * 200)
    assert "text" not in second
    assert server.called("leaveChat")[0] == {"chat_id": "-100123"}


@pytest.mark.parametrize(
    ("reply", "trouble", "may_have_happened"),
    [
        (refusal(403, "Forbidden: bot was blocked by the user"), Trouble.BLOCKED, False),
        (refusal(403, "Forbidden: user is deactivated"), Trouble.BLOCKED, False),
        (refusal(400, "Bad Request: chat not found"), Trouble.BLOCKED, False),
        (refusal(400, "Bad Request: can't parse entities: x"), Trouble.BAD_FORMATTING, False),
        (refusal(400, "Bad Request: ENTITY_BOUNDS_INVALID"), Trouble.BAD_FORMATTING, False),
        (refusal(400, "Bad Request: entity URL 'x' is invalid"), Trouble.BAD_FORMATTING, False),
        (refusal(400, "Bad Request: message to edit not found"), Trouble.MESSAGE_GONE, False),
        (refusal(400, "Bad Request: message can't be edited"), Trouble.MESSAGE_GONE, False),
        (refusal(400, "Bad Request: MESSAGE_ID_INVALID"), Trouble.MESSAGE_GONE, False),
        (refusal(400, "Bad Request: message is too long"), Trouble.REFUSED, False),
        (refusal(400, "Bad Request: BUTTON_DATA_INVALID"), Trouble.REFUSED, False),
        (refusal(413, "Request Entity Too Large"), Trouble.FILE_TOO_LARGE, False),
        (refusal(429, "Too Many Requests"), Trouble.TOO_MANY_CALLS, False),
        (refusal(401, "Unauthorized"), Trouble.UNREACHABLE, False),
        (refusal(404, "Not Found"), Trouble.UNREACHABLE, False),
        (refusal(500, "Internal Server Error"), Trouble.UNREACHABLE, True),
        (Reply(502, b"<html>Bad Gateway</html>", "text/html"), Trouble.UNREACHABLE, True),
        # Some servers on the way repeat what they were asked.
        (Reply(503, f"no /bot{TOKEN}/x".encode(), "text/html"), Trouble.UNREACHABLE, True),
        (refusal(400, f"Bad Request: /bot{TOKEN}/x"), Trouble.REFUSED, False),
        (Reply(200, b"<html>"), Trouble.UNREACHABLE, True),
        (Reply(200, b"[]"), Trouble.UNREACHABLE, True),
        (Reply(200, b'{"ok": true}'), Trouble.UNREACHABLE, True),
        (ok("odd"), Trouble.UNREACHABLE, True),
        (ok({"message_id": 1}), Trouble.UNREACHABLE, True),
        (Reply(hangs_up=True), Trouble.UNREACHABLE, True),
    ],
    ids=lambda value: repr(value)[:70],
)
def test_each_answer_means_something_to_a_channel(
    server: Scripted,
    channel: TelegramChannel,
    reply: Reply,
    trouble: Trouble,
    may_have_happened: bool,
) -> None:
    server.on("sendMessage", reply)
    failed = failure(lambda: send(channel))
    assert (failed.trouble, failed.may_have_happened) == (trouble, may_have_happened)
    assert failed.retry_after_seconds is None


def test_telegram_says_how_long_to_wait(server: Scripted, channel: TelegramChannel) -> None:
    reply = refusal(429, "Too Many Requests: retry after 17", retry_after=17)
    server.on("sendMessage", reply)
    failed = failure(lambda: send(channel))
    assert failed.trouble is Trouble.TOO_MANY_CALLS
    assert failed.retry_after_seconds == 17


def test_an_edit_of_what_is_gone_fails_and_so_does_a_wait(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on(
        "editMessageText",
        refusal(400, "Bad Request: message to edit not found"),
        refusal(429, "Too Many Requests: retry after 3", retry_after=3),
    )
    assert failure(lambda: channel.edit(CHAT, "1", PART)).trouble is Trouble.MESSAGE_GONE
    assert failure(lambda: channel.edit(CHAT, "1", PART)).retry_after_seconds == 3


def test_who_answers_too_late_may_have_done_it(server: Scripted, bot_settings: Settings) -> None:
    server.on("sendMessage", Reply(delay_seconds=3))
    settings = bot_settings.model_copy(update={"telegram_timeout_seconds": 0.3})
    channel = TelegramChannel(settings)
    failed = failure(lambda: send(channel))
    assert (failed.trouble, failed.may_have_happened) == (Trouble.UNREACHABLE, True)
    channel.close()


def test_who_was_never_reached_has_done_nothing(bot_settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    channel = TelegramChannel(bot_settings.model_copy(update={"telegram_api_base": base}))
    failed = failure(lambda: send(channel))
    assert (failed.trouble, failed.may_have_happened) == (Trouble.UNREACHABLE, False)
    assert failure(lambda: channel.link_url("x")).trouble is Trouble.UNREACHABLE
    channel.close()


def test_threads_share_one_loop_and_it_begins_anew_after_its_end(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on("sendMessage", ok(SENT))
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(send(channel))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == ["77"] * 20
    assert loops() == 1
    channel.close()
    assert loops() == 0
    assert send(channel) == "77"


def test_a_picture_is_sent_as_one_and_anything_else_as_a_document(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on("sendPhoto", ok(SENT))
    server.on("sendDocument", ok({**SENT, "message_id": 78}))
    picture = OutgoingFile("a/../cat.png", "image/png", b"PNG")
    assert channel.send_file(CHAT, picture, "c" * 2_000) == "77"
    assert channel.send_file(CHAT, OutgoingFile("x.pdf", "application/pdf", b"%PDF")) == "78"
    assert channel.send_file(CHAT, OutgoingFile("a.gif", "image/gif", b"GIF")) == "78"
    large = OutgoingFile("b.png", "image/png", bytes(10 * MB + 1))
    assert channel.send_file(CHAT, large) == "78"
    (photo,) = server.called("sendPhoto")
    assert photo["photo"].get_payload(decode=True) == b"PNG"
    assert photo["photo"].get_filename() == "cat.png"
    caption = photo["caption"].get_payload(decode=True).decode()
    assert len(caption) == 1024
    assert caption.endswith("…")
    assert "caption" not in server.called("sendDocument")[0]
    huge = OutgoingFile("c.bin", "application/zip", bytes(50 * MB + 1))
    assert failure(lambda: channel.send_file(CHAT, huge)).trouble is Trouble.FILE_TOO_LARGE


def test_a_picture_that_is_none_to_telegram_is_a_document(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on(
        "sendPhoto",
        refusal(400, "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        refusal(403, "Forbidden: bot was blocked by the user"),
    )
    server.on("sendDocument", ok(SENT))
    picture = OutgoingFile("wide.png", "image/png", b"PNG")
    assert channel.send_file(CHAT, picture) == "77"
    assert failure(lambda: channel.send_file(CHAT, picture)).trouble is Trouble.BLOCKED
    assert len(server.called("sendDocument")) == 1


def file_named(path: str, **fields: Any) -> Reply:
    return ok({"file_id": "f", "file_unique_id": "u", "file_path": path, **fields})


@pytest.mark.parametrize(
    ("path", "said", "media_type"),
    [
        ("photos/file_1.jpg", "application/octet-stream", "image/jpeg"),
        ("voice/file_2.oga", "application/octet-stream", "audio/ogg"),
        ("documents/file_3", "application/octet-stream", "application/octet-stream"),
        ("documents/file_4.txt", "text/csv; charset=utf-8", "text/csv"),
    ],
)
def test_a_file_is_fetched_with_what_it_is(
    server: Scripted, channel: TelegramChannel, path: str, said: str, media_type: str
) -> None:
    server.on("getFile", file_named(path, file_size=3))
    server.on(path.rpartition("/")[2], Reply(body=b"abc", media_type=said))
    fetched = channel.fetch("f")
    assert (fetched.content, fetched.media_type) == (b"abc", media_type)
    assert server.calls[-1].path == f"/file/bot{TOKEN}/{path}"


def test_a_file_that_is_too_large_is_not_read_to_its_end(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on(
        "getFile",
        refusal(400, "Bad Request: file is too big"),
        file_named("a.bin", file_size=20 * MB + 1),
        # What it is said to have is not what comes.
        file_named("a.bin", file_size=3),
        file_named("a.bin"),
    )
    server.on("a.bin", Reply(long_bytes=200 * MB))
    for _ in range(4):
        assert failure(lambda: channel.fetch("f")).trouble is Trouble.FILE_TOO_LARGE
    assert [call.name for call in server.calls].count("a.bin") == 2


@pytest.mark.parametrize(
    ("found", "file", "trouble"),
    [
        (file_named("a"), Reply(404), Trouble.UNREACHABLE),
        (file_named("a"), Reply(hangs_up=True), Trouble.UNREACHABLE),
        (file_named("a"), Reply(302), Trouble.UNREACHABLE),
        (ok({"file_id": "f", "file_unique_id": "u"}), Reply(), Trouble.REFUSED),
        (file_named("/etc/hostname"), Reply(), Trouble.REFUSED),
        (
            refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
            Reply(),
            Trouble.REFUSED,
        ),
    ],
    ids=repr,
)
def test_a_file_that_cannot_be_had(
    server: Scripted, channel: TelegramChannel, found: Reply, file: Reply, trouble: Trouble
) -> None:
    server.on("getFile", found)
    server.on("a", file)
    assert failure(lambda: channel.fetch("f")).trouble is trouble


def test_a_link_opens_the_chat_and_telegram_is_asked_once_for_the_bots_name(
    server: Scripted, channel: TelegramChannel
) -> None:
    server.on("getMe", ok(BOT))
    assert channel.link_url("a-B_1") == "https://t.me/TestsBot?start=a-B_1"
    assert channel.link_url("c") == "https://t.me/TestsBot?start=c"
    assert len(server.calls) == 1
    # It needed no event loop, which a web process has none of.
    assert loops() == 0


@pytest.mark.parametrize("code", ["", "a b", "a&b=c", "é", "x" * 65, "../x"])
def test_a_code_that_telegram_does_not_hand_over_makes_no_link(
    channel: TelegramChannel, code: str
) -> None:
    with pytest.raises(ValueError, match="not a code"):
        channel.link_url(code)


@pytest.mark.parametrize(
    "reply",
    [
        refusal(401, "Unauthorized"),
        Reply(body=b"{"),
        Reply(body=b"[]"),
        ok([]),
        ok({}),
        ok({"username": "a/../b"}),
        ok({"username": None, "x": "y" * 100_000}),
        Reply(hangs_up=True),
        Reply(long_bytes=5 * MB),
    ],
    ids=lambda reply: repr(reply)[:60],
)
def test_without_the_bots_name_there_is_no_link_for_now(
    server: Scripted, channel: TelegramChannel, reply: Reply
) -> None:
    server.on("getMe", reply, ok(BOT))
    assert failure(lambda: channel.link_url("x")).trouble is Trouble.UNREACHABLE
    assert channel.link_url("x").endswith("/TestsBot?start=x")


def test_only_who_knows_the_secret_hands_updates_in(
    channel: TelegramChannel, bot_settings: Settings
) -> None:
    assert channel.is_authentic({HEADER: SECRET})
    assert channel.is_authentic({HEADER.lower(): SECRET})
    for given in ({}, {HEADER: ""}, {HEADER: SECRET + "x"}, {HEADER: "é"}, {"X-Other": SECRET}):
        assert not channel.is_authentic(given)
    for secret in (None, SecretStr("")):
        given = bot_settings.model_copy(update={"telegram_webhook_secret": secret})
        assert not TelegramChannel(given).is_authentic({HEADER: ""})
        assert not TelegramChannel(given).is_authentic({})


def test_the_menu_and_the_webhook_are_set(
    server: Scripted, channel: TelegramChannel, bot_settings: Settings
) -> None:
    for method in ("setMyCommands", "setWebhook", "deleteWebhook"):
        server.on(method, ok(True))
    channel.set_menu([Command("new", "Begin")])
    channel.set_webhook("https://a.example/channels/telegram")
    channel.delete_webhook()
    (menu,), (hook,) = server.called("setMyCommands"), server.called("setWebhook")
    assert json.loads(menu["commands"]) == [{"command": "new", "description": "Begin"}]
    assert hook["url"] == "https://a.example/channels/telegram"
    assert hook["secret_token"] == SECRET
    assert json.loads(hook["allowed_updates"]) == [
        *("message", "edited_message", "callback_query", "my_chat_member"),
    ]
    assert int(hook["max_connections"]) > 1
    # What waits is not thrown away.
    assert "drop_pending_updates" not in hook
    without = bot_settings.model_copy(update={"telegram_webhook_secret": None})
    with pytest.raises(ValueError, match="TELEGRAM_WEBHOOK_SECRET"):
        TelegramChannel(without).set_webhook("https://a.example")


def test_the_token_is_in_no_log_whatever_its_level(
    server: Scripted, bot_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    root = logging.getLogger()
    caplog.set_level(logging.DEBUG)
    for name in ("telegram", "httpx", "httpcore", "urllib3"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    assert root.isEnabledFor(logging.DEBUG)
    channel = TelegramChannel(bot_settings)
    server.on("sendMessage", ok(SENT), Reply(body=b"{"), Reply(hangs_up=True))
    server.on("getMe", Reply(hangs_up=True), ok(BOT))
    server.on("getFile", file_named("a"))
    server.on("a", Reply(404), Reply(hangs_up=True), Reply(body=b"x"))
    send(channel)
    for act in (*[lambda: send(channel)] * 2, lambda: channel.link_url("x")):
        failure(act)
    for _ in range(2):
        failure(lambda: channel.fetch("f"))
    channel.link_url("x")
    channel.fetch("f")
    channel.close()
    logged = "".join(f"{one.getMessage()}{one.args}{one.exc_text}" for one in caplog.records)
    assert TOKEN not in logged


UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import sys
from pathlib import Path
from settings import get_settings
from telegram_bot import channels_of
(channel,) = channels_of(get_settings())
assert channel.is_authentic({"X-Telegram-Bot-Api-Secret-Token": "s"})
(update,) = channel.parse(Path(sys.argv[1]).read_bytes())
print(update.inbound.text, channel.link_url("code"))
"""


def test_what_a_web_process_needs_works_under_gevent(
    server: Scripted, settings: Settings, tmp_path: Path
) -> None:
    server.on("getMe", ok(BOT))
    message = {**SENT, "from": {"id": 5, "is_bot": False, "first_name": "A"}, "text": "hi"}
    body = tmp_path / "update.json"
    body.write_text(json.dumps({"update_id": 1, "message": message}))
    given = {
        "TELEGRAM_BOT_TOKEN": TOKEN,
        "TELEGRAM_WEBHOOK_SECRET": "s",
        "TELEGRAM_API_BASE": server.url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "DATABASE_URL": "postgresql://nobody",
        "REDIS_URL": "redis://nobody",
    }
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT, str(body)],
        cwd=PROJECT_DIR,
        env=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout == "hi https://t.me/TestsBot?start=code\n", done.stderr
