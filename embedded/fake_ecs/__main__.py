"""Runs the stand-in for ECS on 127.0.0.1 until it is told to stop.

    python -m embedded.fake_ecs --port 8093 --desired 1 -- COMMAND OF A TASK

Tasks get the environment that it has itself, and the addresses of its own.
"""

import argparse
import asyncio
import signal
import sys

from aiohttp import web

from embedded.environ import environ
from embedded.fake_ecs.server import NAMES, Endpoints
from embedded.fake_ecs.service import Service
from embedded.ports import LOCALHOST, free_port

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
TICK_SECONDS = 0.1


def main() -> int:
    """Serve until stopped; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m embedded.fake_ecs")
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--desired", type=int, default=0)
    parser.add_argument("--start-seconds", type=float, default=0.0)
    parser.add_argument("command", nargs="+", help="of a task, after --")
    asyncio.run(_serve(parser.parse_args()))
    return 0


async def _serve(given: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    for wanted in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(wanted, stopped.set)
    port = given.port or free_port()
    url = f"http://{LOCALHOST}:{port}"
    own = {
        "ECS_ENDPOINT_URL": url,
        "ECS_CLUSTER": NAMES[0],
        "ECS_WORKER_SERVICE": NAMES[1],
    }
    service = Service(
        given.command,
        {**environ(), **own},
        lambda task: f"{url}/agent/{task}",
        desired=given.desired,
        start_seconds=given.start_seconds,
    )
    app = web.Application()
    app.add_routes(Endpoints(service).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOCALHOST, port).start()
        print(f"the ECS stand-in is on {url}", flush=True)
        while not stopped.is_set():
            service.tick()
            await asyncio.sleep(TICK_SECONDS)
    finally:
        service.close()
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
