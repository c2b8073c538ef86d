"""Runs the Google stand-in on 127.0.0.1 until it is told to stop.

    GOOGLE_CLIENT_SECRET=... python -m embedded.fake_google --port 8092 --client-id shellmate

The secret comes by the environment because anybody on the machine can read command lines. Nothing
is kept: an account's subject follows from its address, so it is the same after a restart.
"""

import argparse
import asyncio
import signal
import sys

from aiohttp import web

from embedded.environ import environ
from embedded.errors import in_one_sentence
from embedded.fake_google import control
from embedded.fake_google.guard import guarded
from embedded.fake_google.pages import Pages
from embedded.fake_google.provider import Client, Provider
from embedded.fake_google.server import Endpoints
from embedded.ports import LOCALHOST, free_port

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
GIVEN = "GOOGLE_CLIENT_SECRET"


def main() -> int:
    """Serve until stopped; return the exit code."""
    given, secret = _arguments(), environ().get(GIVEN)
    if not secret:
        print(f"{GIVEN} is missing: codes are exchanged with it.", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(given.host, given.port, Client(given.client_id, secret)))
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded.fake_google")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--client-id", required=True, help="whom it signs people in for")
    parser.add_argument("--host", default=LOCALHOST, help="0.0.0.0 in a container of its own")
    return parser.parse_args()


async def _serve(host: str, wanted_port: int, client: Client) -> None:
    stopped = asyncio.Event()
    for wanted in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    port = wanted_port or free_port()
    url = f"http://{LOCALHOST}:{port}"
    provider = Provider(url, client)
    app = web.Application(middlewares=[guarded(f"{LOCALHOST}:{port}")])
    parts = (Endpoints(provider), Pages(provider))
    app.add_routes([*control.routes(provider), *(one for part in parts for one in part.routes())])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        print(f"the Google stand-in is on {url}", flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
