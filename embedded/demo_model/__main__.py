"""Runs the demo model on 127.0.0.1 until it is told to stop.

    python -m embedded.demo_model --port 8090 [--pause-ms 30] [--scriptable] [--record]

DEMO_MODEL_SCRIPTABLE=1 and DEMO_MODEL_RECORD=1 in the environment do what the flags do. Scripts are
told in embedded.demo_model.script. With --record, GET /_recorded shows the latest requests; DELETE
forgets what it shows.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Mapping

from aiohttp import web

from embedded.demo_model.server import DemoModel, Options
from embedded.environ import environ
from embedded.errors import in_one_sentence
from embedded.ports import LOCALHOST

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Serve until stopped; return the exit code."""
    arguments = _arguments()
    given = environ()
    options = Options(
        pause_seconds=arguments.pause_ms / 1000,
        is_scriptable=arguments.scriptable or _is_on(given, "DEMO_MODEL_SCRIPTABLE"),
        is_recording=arguments.record or _is_on(given, "DEMO_MODEL_RECORD"),
    )
    try:
        asyncio.run(_serve(options, arguments.host, arguments.port))
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded.demo_model")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--pause-ms", type=float, default=30, help="between two words")
    parser.add_argument("--scriptable", action="store_true", help="obey [[demo: ...]] in messages")
    parser.add_argument("--record", action="store_true", help="keep requests for GET /_recorded")
    parser.add_argument("--host", default=LOCALHOST, help="0.0.0.0 in a container of its own")
    return parser.parse_args()


def _is_on(given: Mapping[str, str], name: str) -> bool:
    return given.get(name, "") not in ("", "0", "false")


async def _serve(options: Options, host: str, port: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wanted in STOP_SIGNALS:
        loop.add_signal_handler(wanted, stopped.set)
    # Answers under way are cut: whoever stops the demo model does not wait for it.
    runner = web.AppRunner(
        DemoModel(options).app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        print(f"the demo model is on http://{LOCALHOST}:{runner.addresses[0][1]}", flush=True)
        await stopped.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
