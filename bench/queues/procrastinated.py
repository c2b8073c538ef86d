# pyright: basic, reportMissingImports=false
"""A worker process of procrastinate, and its task."""

import asyncio
import sys

import procrastinate
from psycopg_pool import AsyncConnectionPool

from bench.queues.work import REPLY, WORK
from bench.queues.workers import Given, end_when_told, mark, say_ready

TASK = "answer"


async def _work(given: Given) -> None:
    connector = procrastinate.PsycopgConnector(conninfo=given.database_url)
    app = procrastinate.App(connector=connector)
    async with AsyncConnectionPool(
        given.database_url, min_size=given.slots, kwargs={"autocommit": True}
    ) as pool:

        @app.task(name=TASK)
        async def answer(message_id: str, **whose: str) -> None:
            mark(given, message_id)
            async with pool.connection() as connection:
                await connection.execute(WORK, {"message_id": message_id, "reply": REPLY, **whose})

        async with app.open_async():
            say_ready()
            await app.run_worker_async(concurrency=given.slots, install_signal_handlers=False)


if __name__ == "__main__":
    end_when_told()
    sys.exit(asyncio.run(_work(Given.of_this_process())))
