# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""A worker process: the product's wake listener, commit loop and verbs; turns do nothing."""

import os
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from bench.queues import work
from bench.queues.workers import Given, mark, say_ready, until_told
from gateways.wake_queue import WakeQueue
from models import database, jobs
from models.base import new_id
from models.jobs import Claim, FinishedAnswer
from tasks.worker.commit_loop import CommitLoop
from tasks.worker.wake_listener import WakeListener

LEASE = timedelta(seconds=30)
NO_TIME = timedelta(0)


class Working:
    """Claims for its slots; a job is done in the moment that it begins."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self.id = new_id()
        self.commit_loop = CommitLoop(self._close, self._claim, self._begin)

    def _close(self, db: Session, answers: Sequence[FinishedAnswer]) -> dict[UUID, bool]:
        written = jobs.complete_many(db, answers, self.id, NO_TIME)
        work.charge(db, [answer for answer in answers if written.get(answer.job_id)])
        return written

    def _claim(self, db: Session) -> list[Claim]:
        return jobs.claim_many(db, self.id, LEASE, self._given.slots)

    def _begin(self, claim: Claim) -> None:
        mark(self._given, str(claim.job_id))
        self.commit_loop.submit(
            FinishedAnswer(claim.job_id, claim.user_id, claim.attempt, work.REPLY, work.REPLY)
        )


def main() -> None:
    given = Given.of_this_process()
    # The verbs read the product's settings.
    os.environ.update(  # noqa: TID251
        DATABASE_URL=given.database_url,
        REDIS_URL=given.redis_url,
        SECRET_KEY="a-secret-key-that-signs-nothing-here",
    )
    database.connect(given.database_url)
    working = Working(given)
    listener = WakeListener(
        WakeQueue(given.redis_url), working.id, lambda: True, working.commit_loop.wake
    )
    listener.start()
    working.commit_loop.start()
    say_ready()
    until_told()
    listener.stop()
    working.commit_loop.stop()


if __name__ == "__main__":
    main()
