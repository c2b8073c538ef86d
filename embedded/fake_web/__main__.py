"""Runs the made-up web on 127.0.0.1 until it is told to stop.

python -m embedded.fake_web --port 8093
"""

import argparse
import asyncio
import signal
import sys

from aiohttp import web

from embedded.errors import in_one_sentence
from embedded.fake_web.server import MadeUpWeb
from embedded.ports import LOCALHOST

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Serve until stopped; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m embedded.fake_web")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    given = parser.parse_args()
    try:
        asyncio.run(_serve(given.port))
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    return 0


async def _serve(port: int) -> None:
    stopped = asyncio.Event()
    for wanted in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    runner = web.AppRunner(MadeUpWeb().app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOCALHOST, port).start()
        print(f"the made-up web is on http://{LOCALHOST}:{runner.addresses[0][1]}", flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
