# pyright: basic, reportMissingImports=false
"""How messages are put into each queue: many beforehand, or one and at once."""

import asyncio
import json
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

import asyncpg
import dramatiq
import procrastinate
import sqlalchemy as sa
from dramatiq.brokers.redis import RedisBroker
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy.orm import Session

from actions import wakeups
from bench.queues import pgqueued, procrastinated, stock_dramatiq, work
from bench.queues.databases import Sent, engine_of
from models import jobs
from models.base import new_id
from models.schema.chat import Conversation

MODEL = "demo/demo"
OUR_JOBS = sa.text("""
    INSERT INTO jobs (id, user_id, conversation_id, message_id, model, status, is_head)
    VALUES (:job_id, :user_id, :conversation_id, :message_id, 'demo/demo', 'pending', :is_head)
""")


class Sender(Protocol):
    """One queue's way in. `send` returns the start's mark, and when it could first have begun."""

    def fill(self, sent: Sequence[Sent]) -> None: ...
    def send(self, message: Sent) -> tuple[str, float]: ...
    def close(self) -> None: ...


class _Sender:
    """With a connection for the product's own rows."""

    def __init__(self, url: str, redis_url: str) -> None:
        self.engine = engine_of(url)
        self.redis_url = redis_url

    def close(self) -> None:
        self.engine.dispose()

    def write(self, message: Sent) -> None:
        with self.engine.begin() as connection:
            work.write_one(connection, message)


class Ours(_Sender):
    """The product's verb, then its wake-up."""

    def fill(self, sent: Sequence[Sent]) -> None:
        heads: set[Any] = set()
        rows: list[dict[str, object]] = []
        for one in sent:
            is_head = one.user_id not in heads
            heads.add(one.user_id)
            rows.append({"job_id": new_id(), "is_head": is_head, **vars(one)})
        with self.engine.begin() as connection:
            connection.execute(OUR_JOBS, rows)

    def send(self, message: Sent) -> tuple[str, float]:
        with Session(self.engine) as db, db.begin():
            conversation = db.get_one(Conversation, message.conversation_id)
            job_id = jobs.ask(db, conversation, "Hello there?", model=MODEL).id
        since = time.monotonic()
        wakeups.answer()
        return str(job_id), since


class Procrastinate(_Sender):
    def __init__(self, url: str, redis_url: str) -> None:
        super().__init__(url, redis_url)
        self._app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url))
        self._app.open()
        self._app.schema_manager.apply_schema()
        self._task = self._app.configure_task(procrastinated.TASK)

    def fill(self, sent: Sequence[Sent]) -> None:
        self._task.batch_defer(*(one.words() for one in sent))

    def send(self, message: Sent) -> tuple[str, float]:
        self.write(message)
        self._task.defer(**message.words())
        return str(message.message_id), time.monotonic()

    def close(self) -> None:
        self._app.close()
        super().close()


class PgQueuer(_Sender):
    def __init__(self, url: str, redis_url: str) -> None:
        super().__init__(url, redis_url)
        self._loop = asyncio.new_event_loop()
        self._connection = self._do(asyncpg.connect(url))
        self._queries = Queries(AsyncpgDriver(self._connection))
        self._do(self._queries.install())

    def fill(self, sent: Sequence[Sent]) -> None:
        names = [pgqueued.ENTRY_POINT] * len(sent)
        words: list[bytes | None] = [json.dumps(one.words()).encode() for one in sent]
        self._do(self._queries.enqueue(names, words, [0] * len(sent)))

    def send(self, message: Sent) -> tuple[str, float]:
        self.write(message)
        words = json.dumps(message.words()).encode()
        self._do(self._queries.enqueue(pgqueued.ENTRY_POINT, words))
        return str(message.message_id), time.monotonic()

    def close(self) -> None:
        self._do(self._connection.close())
        self._loop.close()
        super().close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)


class StockDramatiq(_Sender):
    """As stock as it comes: the message's row is there, the job is only in Redis."""

    def __init__(self, url: str, redis_url: str) -> None:
        super().__init__(url, redis_url)
        self._broker = RedisBroker(url=redis_url)

    def fill(self, sent: Sequence[Sent]) -> None:
        for one in sent:
            self._enqueue(one)

    def send(self, message: Sent) -> tuple[str, float]:
        self.write(message)
        since = time.monotonic()
        self._enqueue(message)
        return str(message.message_id), since

    def _enqueue(self, one: Sent) -> None:
        self._broker.enqueue(
            dramatiq.Message(
                queue_name=stock_dramatiq.QUEUE,
                actor_name=stock_dramatiq.ACTOR,
                args=(),
                kwargs=one.words(),
                options={},
            )
        )
