# pyright: basic
"""A worker process of Dramatiq with its stock Redis broker, and its actor."""

import threading

import dramatiq
import psycopg
from dramatiq.brokers.redis import RedisBroker

from bench.queues.work import REPLY, WORK
from bench.queues.workers import Given, mark, say_ready, until_told

ACTOR = "answer"
QUEUE = "stock"


def main() -> None:
    given = Given.of_this_process()
    own = threading.local()

    def answer(message_id: str, **whose: str) -> None:
        mark(given, message_id)
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(given.database_url, autocommit=True)
        own.connection.execute(WORK, {"message_id": message_id, "reply": REPLY, **whose})

    broker = RedisBroker(url=given.redis_url)
    dramatiq.actor(broker=broker, actor_name=ACTOR, queue_name=QUEUE)(answer)
    worker = dramatiq.Worker(broker, worker_threads=given.slots)
    worker.start()
    say_ready()
    until_told()
    worker.stop()


if __name__ == "__main__":
    main()
