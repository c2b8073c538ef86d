# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""A worker process of ours: the product's broker, pump and verbs; its turns do nothing."""

import os
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import dramatiq
from sqlalchemy.orm import Session

from bench.queues import work
from bench.queues.workers import Given, mark, say_ready, until_told
from models import database, jobs
from models.base import new_id
from models.jobs import Claim, FinishedAnswer
from tasks import nudges
from tasks.broker import WakingBroker
from tasks.pump import Pump

LEASE = timedelta(seconds=30)
NO_TIME = timedelta(0)


class Working:
    """Claims for its slots; a job is done in the moment that it begins."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._id = new_id()
        self.pump = Pump(self._close, self._claim, self._begin)

    def _close(self, db: Session, answers: Sequence[FinishedAnswer]) -> dict[UUID, bool]:
        written = jobs.complete_many(db, answers, self._id, NO_TIME)
        work.charge(db, [answer for answer in answers if written.get(answer.job_id)])
        return written

    def _claim(self, db: Session) -> list[Claim]:
        return jobs.claim_many(db, self._id, LEASE, self._given.slots)

    def _begin(self, claim: Claim) -> None:
        mark(self._given, str(claim.job_id))
        self.pump.give_in(
            FinishedAnswer(claim.job_id, claim.user_id, claim.attempt, work.REPLY, work.REPLY)
        )


def main() -> None:
    given = Given.of_this_process()
    # The verbs read the product's settings.
    os.environ.update(  # noqa: TID251
        DATABASE_URL=given.database_url, REDIS_URL=given.redis_url, SECRET_KEY="bench"
    )
    database.connect(given.database_url)
    working = Working(given)
    broker = WakingBroker(given.redis_url)
    dramatiq.actor(broker=broker, actor_name=nudges.ANSWER_NEXT, queue_name=nudges.ANSWERS_QUEUE)(
        working.pump.wake
    )
    broker.on_knock = working.pump.wake
    worker = dramatiq.Worker(broker, worker_threads=1)
    worker.start()
    working.pump.start()
    say_ready()
    until_told()
    worker.stop()
    working.pump.stop()


if __name__ == "__main__":
    main()
