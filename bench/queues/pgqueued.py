# pyright: basic, reportMissingImports=false
"""A worker process of pgqueuer, and its entry point."""

import json
import re
import sys

import asyncpg
import uvloop
from pgqueuer.db import AsyncpgPoolDriver
from pgqueuer.models import Job
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from bench.queues.work import REPLY, WORK
from bench.queues.workers import Given, end_when_told, mark, say_ready

ENTRY_POINT = "answer"
NAMES = ("message_id", "user_id", "conversation_id", "reply")
CONNECTIONS = 8


def numbered(statement: str) -> str:
    """Bring a statement from psycopg's words into asyncpg's."""
    return re.sub(r"%\((\w+)\)s", lambda found: f"${NAMES.index(found[1]) + 1}::text", statement)


async def _work(given: Given) -> None:
    statement = numbered(WORK)
    own = await asyncpg.create_pool(given.database_url, min_size=2, max_size=4)
    pool = await asyncpg.create_pool(given.database_url, min_size=CONNECTIONS)
    manager = QueueManager(Queries(AsyncpgPoolDriver(own)))

    @manager.entrypoint(ENTRY_POINT)
    async def answer(job: Job) -> None:
        words = json.loads(job.payload or b"{}")
        mark(given, words["message_id"])
        await pool.execute(statement, *(words[name] for name in NAMES[:3]), REPLY)

    say_ready()
    await manager.run(batch_size=given.slots)


if __name__ == "__main__":
    end_when_told()
    sys.exit(uvloop.run(_work(Given.of_this_process())))
