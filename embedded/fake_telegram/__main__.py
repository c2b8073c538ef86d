"""Runs the Telegram stand-in on 127.0.0.1 until it is told to stop.

    TELEGRAM_BOT_TOKEN=123:abc TELEGRAM_PAGE_TOKEN=... python -m embedded.fake_telegram --port 8093
        [--data FILE] [--name Shellmate] [--username shellmate_bot]

The Bot API is for whoever knows the bot's token; the page that looks like a phone is at
/<page token>/ for whoever knows that. Both come by the environment because anybody on the machine
can read command lines. Without --data it forgets everything when it stops.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from aiohttp import web

from embedded.environ import environ
from embedded.errors import in_one_sentence
from embedded.fake_telegram import control
from embedded.fake_telegram.acts import Acts
from embedded.fake_telegram.given import MOST_BYTES
from embedded.fake_telegram.guard import guarded
from embedded.fake_telegram.messenger import Bot, Messenger
from embedded.fake_telegram.phone import Phone
from embedded.fake_telegram.server import TOKEN, BotApi
from embedded.fake_telegram.store import Store
from embedded.fake_telegram.webhook import Webhook
from embedded.ports import LOCALHOST, free_port

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
BOT_TOKEN, PAGE_TOKEN = "TELEGRAM_BOT_TOKEN", "TELEGRAM_PAGE_TOKEN"


def main() -> int:
    """Serve until stopped; return the exit code."""
    given, environment = _arguments(), environ()
    bot_token, page_token = environment.get(BOT_TOKEN, ""), environment.get(PAGE_TOKEN, "")
    if not TOKEN.fullmatch(bot_token):
        print(f"{BOT_TOKEN} is missing, or not like 123:abc.", file=sys.stderr)
        return 2
    if not page_token:
        print(f"{PAGE_TOKEN} is missing: without it everybody could write.", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(given, Bot(bot_token, given.name, given.username), page_token))
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded.fake_telegram")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--data", type=Path, help="the file that keeps everything")
    parser.add_argument("--name", default="Shellmate", help="how the bot is called")
    parser.add_argument("--username", default="shellmate_bot", help="by what it is found")
    return parser.parse_args()


async def _serve(given: argparse.Namespace, bot: Bot, page_token: str) -> None:
    stopped = asyncio.Event()
    for wanted in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    port = given.port or free_port()
    store = Store(given.data)
    messenger = Messenger(store, bot)
    webhook = Webhook(store, messenger.updates)
    runner = web.AppRunner(
        _app(messenger, webhook, page_token), access_log=None, shutdown_timeout=0.5
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, LOCALHOST, port).start()
        print(f"the Telegram stand-in is on http://{LOCALHOST}:{port}", flush=True)
        webhook.start()
        await stopped.wait()
    finally:
        messenger.hub.end()
        messenger.updates.end_poll()
        await webhook.close()
        await runner.cleanup()
        store.close()


def _app(messenger: Messenger, webhook: Webhook, page_token: str) -> web.Application:
    acts = Acts(messenger)
    app = web.Application(middlewares=[guarded(page_token)], client_max_size=MOST_BYTES)
    app.add_routes(BotApi(messenger, acts, webhook).routes())
    app.add_routes(control.routes(messenger))
    app.add_routes(Phone(messenger, acts).routes())
    return app


if __name__ == "__main__":
    sys.exit(main())
