"""Runs the mailbox on 127.0.0.1 until it is told to stop.

    MAILBOX_TOKEN=... python -m embedded.mailbox --smtp-port 8025 --port 8026 --folder .data/mailbox

The page is at /<token>/, for whoever knows the token. It comes by the environment, because anybody
on the machine can read command lines. For tests it can be told to be unwell: POST /<token>/_mood
with `refuse`, `later`, `vanish` or `well`.
"""

import argparse
import asyncio
import signal
import sys
from functools import partial
from pathlib import Path

from aiohttp import web
from aiosmtpd.smtp import SMTP

from embedded.environ import environ
from embedded.errors import in_one_sentence
from embedded.mailbox.folder import MailFolder
from embedded.mailbox.reception import Reception
from embedded.mailbox.site import MailSite
from embedded.ports import LOCALHOST

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GIVEN = "MAILBOX_TOKEN"


def main() -> int:
    """Serve until stopped; return the exit code."""
    given, token = _arguments(), environ().get(GIVEN)
    if not token:
        print(f"{GIVEN} is missing: without it everybody could read the mail.", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(given, token))
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded.mailbox")
    parser.add_argument("--smtp-port", type=int, required=True, help="where mail is handed in")
    parser.add_argument("--port", type=int, required=True, help="where it can be read")
    parser.add_argument("--folder", type=Path, required=True, help="where it is kept")
    parser.add_argument("--host", default=LOCALHOST, help="0.0.0.0 in a container of its own")
    return parser.parse_args()


async def _serve(given: argparse.Namespace, token: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in STOP_SIGNALS:
        loop.add_signal_handler(wanted, stopped.set)
    kept = MailFolder(given.folder)
    reception = Reception(kept)
    protocol = partial(SMTP, reception, enable_SMTPUTF8=True, hostname="mailbox", loop=loop)
    server = await loop.create_server(protocol, given.host, given.smtp_port)
    site = MailSite(kept, reception, token)
    runner = web.AppRunner(site.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, given.host, given.port).start()
        print(f"the mailbox is on http://{LOCALHOST}:{given.port}", flush=True)
        await stopped.wait()
    finally:
        server.close()
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
