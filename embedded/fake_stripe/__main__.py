"""Runs the Stripe stand-in on 127.0.0.1 until it is told to stop.

    STRIPE_WEBHOOK_SECRET=whsec_... python -m embedded.fake_stripe --port 8091 [--data FILE]
        [--webhook-url http://127.0.0.1:8000/webhooks/stripe]

Webhooks are signed with the secret, which comes by the environment because anybody on the machine
can read command lines. Without --data it forgets everything when it stops. Its switches are told in
embedded.fake_stripe.control.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from aiohttp import web

from embedded.environ import environ
from embedded.errors import in_one_sentence
from embedded.fake_stripe import control
from embedded.fake_stripe.pages import Pages
from embedded.fake_stripe.server import FakeStripe
from embedded.ports import LOCALHOST, free_port

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GIVEN = "STRIPE_WEBHOOK_SECRET"


def main() -> int:
    """Serve until stopped; return the exit code."""
    given, secret = _arguments(), environ().get(GIVEN)
    if not secret:
        print(f"{GIVEN} is missing: webhooks are signed with it.", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(given, secret))
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded.fake_stripe")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--data", type=Path, help="the file that keeps everything")
    parser.add_argument("--webhook-url", help="who is told what happens")
    parser.add_argument("--host", default=LOCALHOST, help="0.0.0.0 in a container of its own")
    return parser.parse_args()


async def _serve(given: argparse.Namespace, secret: str) -> None:
    stopped = asyncio.Event()
    for wanted in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    port = given.port or free_port()
    url = f"http://{LOCALHOST}:{port}"
    fake = FakeStripe(given.data, url, given.webhook_url, secret)
    app = web.Application()
    app.add_routes([*fake.routes(), *control.routes(fake), *Pages(fake).routes()])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, given.host, port).start()
        print(f"the Stripe stand-in is on {url}", flush=True)
        fake.deliveries.resume()
        await stopped.wait()
    finally:
        await fake.deliveries.close()
        await runner.cleanup()
        fake.store.close()


if __name__ == "__main__":
    sys.exit(main())
