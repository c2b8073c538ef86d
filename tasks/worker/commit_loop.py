"""The commit loop: one thread that writes for a whole worker process.

Each round closes all jobs that were answered since the last one and claims for all cells that are
free, in one transaction: under load one commit serves many. One that only claims is a statement by
itself, so that a job starts sooner. The loop never waits for somebody's lock, so no person holds up
another.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.database import committed_singly, unit_of_work
from models.jobs import Claim, FinishedAnswer, LeaseLost

log = structlog.get_logger()

# How often it looks by itself: a wake-up may be lost, or go to a worker that has no room.
LOOK_SECONDS = 1.0
# An account that is locked just now is free again in a moment.
BUSY_SECONDS = 0.01
# A database that is away is back in a while.
AWAY_SECONDS = 0.5


@dataclass(frozen=True)
class _Ended:
    answer: FinishedAnswer
    # Whether the job was still ours.
    written: Future[bool] = field(default_factory=Future[bool])


class CommitLoop:
    """Closes and claims jobs. `wake` and `complete` may be called from any thread.

    `close` writes answers and says by job id which were still ours, leaving out what it could not
    reach; `claim` takes what there is room for; `begin` is given each claim once it is committed,
    and must not block.
    """

    def __init__(
        self,
        close: Callable[[Session, Sequence[FinishedAnswer]], dict[UUID, bool]],
        claim: Callable[[Session], Sequence[Claim]],
        begin: Callable[[Claim], object],
    ) -> None:
        self._close, self._claim, self._begin = close, claim, begin
        self._inbox: SimpleQueue[_Ended] = SimpleQueue()
        self._woken = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commit-loop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the round that is on; what was given in before is written."""
        self._over.set()
        self._woken.set()
        self._thread.join()

    def wake(self) -> None:
        """Look soon: a job may be waiting, or there is room for one."""
        self._woken.set()

    def complete(self, answer: FinishedAnswer) -> None:
        """Have an answer written, and return when it is committed.

        Raises LeaseLost when the job was not ours any more, and what the database objects to.
        """
        if not self.submit(answer).result():
            raise LeaseLost

    def submit(self, answer: FinishedAnswer) -> Future[bool]:
        """Have an answer written; the result says whether its job was still ours."""
        ended = _Ended(answer)
        self._inbox.put(ended)
        self._woken.set()
        return ended.written

    def _run(self) -> None:
        left: list[_Ended] = []
        while not self._over.is_set() or left or not self._inbox.empty():
            if not left:
                self._woken.wait(LOOK_SECONDS)
            self._woken.clear()
            left = self._round(left + self._take())

    def _take(self) -> list[_Ended]:
        taken: list[_Ended] = []
        try:
            while True:
                taken.append(self._inbox.get_nowait())
        except Empty:
            return taken

    def _round(self, ended: list[_Ended]) -> list[_Ended]:
        """Write and claim; return what must be tried again."""
        try:
            with unit_of_work() if ended else committed_singly() as db:
                written = self._close(db, [one.answer for one in ended]) if ended else {}
                claims = self._claim(db)
        except Exception as error:  # noqa: BLE001  # told for each answer, or by the next look
            log.warning("commit_loop.failed", answers=len(ended), error=str(error))
            return self._one_by_one(ended)
        for claim in claims:
            self._begin_one(claim)
        if claims:
            # There may be room for more.
            self._woken.set()
        return self._settle(ended, written)

    def _begin_one(self, claim: Claim) -> None:
        try:
            self._begin(claim)
        except Exception:
            # The loop serves all turns of the worker: it goes on.
            log.exception("turn.not_begun", job_id=str(claim.job_id))

    def _one_by_one(self, ended: list[_Ended]) -> list[_Ended]:
        """Write each in a transaction of its own, so that only the one at fault fails."""
        left: list[_Ended] = []
        for one in ended:
            try:
                with unit_of_work() as db:
                    written = self._close(db, [one.answer])
            except OperationalError:
                left.append(one)
            except Exception as error:  # noqa: BLE001  # told to the turn; the thread serves all
                one.written.set_exception(error)
            else:
                left += self._settle([one], written)
        self._over.wait(AWAY_SECONDS)
        return left

    def _settle(self, ended: list[_Ended], written: dict[UUID, bool]) -> list[_Ended]:
        left: list[_Ended] = []
        for one in ended:
            if one.answer.job_id in written:
                one.written.set_result(written[one.answer.job_id])
            else:
                left.append(one)
        if left:
            self._over.wait(BUSY_SECONDS)
        return left
