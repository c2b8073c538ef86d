"""What one worker process has: its cells, its held jobs, and the threads that keep both alive."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from actions import long_work, wakeups
from agent.cells.pool_stats import PoolStats
from agent.runtime import Runtime
from gateways.event_streams import Streams
from gateways.s3_files import Storage
from gateways.wake_queue import WakeQueue
from models import jobs
from models.base import new_id
from models.database import unit_of_work
from models.jobs import Claim, FinishedAnswer
from models.ops import switches, worker_orders, workers
from models.ops.workers import Use
from settings import Settings
from tasks.worker import boot_allocation
from tasks.worker.commit_loop import LOOK_SECONDS, CommitLoop
from tasks.worker.forget_slots import Editing
from tasks.worker.leased_jobs import LeasedJobs
from tasks.worker.protection import Protection
from tasks.worker.tools import offered_handlers
from tasks.worker.wake_listener import WakeListener
from untrusted import lanes
from untrusted.kinds import FILES, TEXTS

log = structlog.get_logger()

# While this lasts nobody else may start from files that are still being saved.
SAVE_TIME = timedelta(seconds=60)
# Turns keep the time limit themselves; this is for one that hangs.
LIMIT_MARGIN_SECONDS = 120
# A turn that was told to stop still hands its job back and saves.
STOP_SECONDS = 15


def _margin() -> int:
    # The commit loop reads the switches every other second.
    return switches.last_read().margin_percent


def _use(stats: PoolStats) -> Use:
    return Use(
        memory_bytes=stats.memory_bytes,
        memory_free_bytes=stats.memory_free_bytes,
        boots=stats.boots.worked,
        boot_failures=stats.boots.failed,
        boot_ms=stats.boots.last_ms,
    )


class WorkerProcess:
    """Everything an actor needs. Made once per process, after Dramatiq has forked it."""

    def __init__(
        self, settings: Settings, begin: Callable[["WorkerProcess", Claim], object]
    ) -> None:
        """`begin` sees a claimed job through, in a thread of its own."""
        self.id = new_id()
        self.settings = settings
        self.lease = timedelta(seconds=settings.job_lease_seconds)
        self.storage = Storage(settings)
        self.streams = Streams(settings.redis_url.get_secret_value())
        self.runtime = Runtime(settings, self.storage, offered_handlers(), margin=_margin)
        self.held = LeasedJobs(self.lease, settings.job_time_limit_seconds + LIMIT_MARGIN_SECONDS)
        self.commit_loop = CommitLoop(self._close, self._claim, partial(begin, self))
        wake_queue = WakeQueue(settings.redis_url.get_secret_value())
        self._listener = WakeListener(wake_queue, self.id, self._has_room, self.commit_loop.wake)
        self.runtime.on_free = self.look_again
        # Who missed two heartbeats is not counted on.
        self._seen_within = timedelta(seconds=2.5 * settings.job_heartbeat_seconds)
        self.editing = Editing()
        self.draining = threading.Event()
        self._protection = Protection(settings.ecs_agent_uri)
        self._is_released = False
        self._over = threading.Event()
        self._next_look = 0.0
        # As whoever stops a deployment does: what runs ends well.
        self.leave: Callable[[], object] = lambda: os.kill(os.getpid(), signal.SIGTERM)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Report for work, boot the first cells and begin to keep the leases."""
        # Before it takes a turn.
        self._protection.renew()
        with unit_of_work() as db:
            workers.register(db, self.id, socket.gethostname())
        lanes.warm(TEXTS, FILES)
        self.runtime.start()
        self.commit_loop.start()
        self._listener.start()
        self._run("heartbeat", self._heartbeat)
        self._run("stops", self._listen_for_stops)
        log.info("worker.started", worker_id=str(self.id), sandbox=self.runtime.stats().sandbox)

    def look_again(self) -> None:
        """Claim soon, if there is anything: there may be room that was not there before."""
        self.commit_loop.wake()
        self._listener.look_for_room()

    def drain(self, grace_seconds: float) -> None:
        """Claim nothing more; after `grace_seconds` hand what still runs back to the queue."""
        self._retire()
        for seconds, then in (
            (grace_seconds, self._hand_all_back),
            (self.settings.worker_stop_seconds, self._give_up),
        ):
            timer = threading.Timer(seconds, then)
            # A worker that is done before does not wait for it.
            timer.daemon = True
            timer.start()

    def _retire(self) -> None:
        """Claim nothing more, and send elsewhere whom that concerns; what runs goes on."""
        if not self.draining.is_set():
            self.draining.set()
            self._run("draining", self._tell_draining)

    def stop(self) -> None:
        """Wait for the turns that run, destroy the cells and sign off."""
        self.held.wait_until_none(self.settings.worker_drain_seconds + STOP_SECONDS)
        self.editing.end(STOP_SECONDS)
        self.commit_loop.stop()
        self._listener.stop()
        self._over.set()
        self.runtime.stop(grace_seconds=5)
        lanes.end()
        with unit_of_work() as db:
            workers.sign_off(db, self.id)
        log.info("worker.stopped", worker_id=str(self.id))

    def _has_room(self) -> bool:
        return not self.draining.is_set() and self.runtime.room(self.held.people()) > 0

    def _close(self, db: Session, answers: Sequence[FinishedAnswer]) -> dict[UUID, bool]:
        """Write answers, and with them what their users are told."""
        written = jobs.complete_many(db, answers, worker_id=self.id, save_time=SAVE_TIME)
        for answer in answers:
            if answer.is_unwatched and written.get(answer.job_id):
                long_work.tell_over(db, answer.job_id)
        return written

    def _claim(self, db: Session) -> list[Claim]:
        """Take jobs for all cells that are free; without one, those of people whose cell is hot."""
        if self.draining.is_set():
            return []
        held = self.held.people()
        room = self.runtime.room(held)
        if room:
            return jobs.claim_many(db, self.id, self.lease, room)
        self._look_who_waits(db, held)
        hot = self.runtime.hot_users()
        return jobs.claim_many(db, self.id, self.lease, len(hot), only=hot) if hot else []

    def _look_who_waits(self, db: Session, held: Collection[UUID]) -> None:
        """Tell the cells, once a second, for how many people to boot, and how urgently."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        served = {*held, *self.runtime.owners()}
        queue = jobs.queue(db, self.id, besides=served)
        live = workers.list_helpers(db, self._seen_within)
        share = boot_allocation.share(queue.people, queue.longest_seconds, self.id, live)
        self.runtime.tell_queue(share, queue.longest_seconds)

    def _tell_draining(self) -> None:
        """Send elsewhere whoever waits for the cell of theirs that we have."""
        try:
            with unit_of_work() as db:
                workers.drain(db, self.id)
                jobs.drop_affinity(db, self.id)
        except SQLAlchemyError as error:
            # They wait for as long as one waits for a hot cell, and no longer.
            log.warning("draining.untold", worker_id=str(self.id), error=str(error))
        wakeups.answer()

    def _hand_all_back(self) -> None:
        for held in self.held.all():
            held.stop.set()

    def _give_up(self) -> None:
        log.error("worker.stuck", worker_id=str(self.id), held=len(self.held))
        # Its cells die with it, and its leases run out.
        os._exit(1)

    def _run(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _heartbeat(self) -> None:
        while not self._over.wait(self.settings.job_heartbeat_seconds):
            try:
                self.held.renew()
                self._follow(is_to_drain=self._report())
            except SQLAlchemyError as error:
                log.warning("heartbeat.missed", worker_id=str(self.id), error=str(error))
            except Exception:
                # Without heartbeats all that runs here would be lost.
                log.exception("heartbeat.stumbled", worker_id=str(self.id))

    def _follow(self, *, is_to_drain: bool) -> None:
        """Do what somebody has asked for in our row; once nothing runs here, let us be stopped."""
        if not self.draining.is_set():
            self._protection.renew()
            if is_to_drain:
                # A claim may be on just now: whether anything runs, the next heartbeat tells.
                self._retire()
        elif not self._is_released and not self._is_at_work() and self._protection.release():
            with unit_of_work() as db:
                workers.release(db, self.id)
            self._is_released = True
            log.info("worker.released", worker_id=str(self.id))

    def _is_at_work(self) -> bool:
        return len(self.held) > 0 or self.editing.is_busy

    def _report(self) -> bool:
        """Say that we live; return whether we are to drain."""
        stats = self.runtime.stats()
        with unit_of_work() as db:
            is_wanted = workers.report(
                db,
                self.id,
                sandbox=stats.sandbox,
                capacity=stats.capacity,
                spare=stats.spare,
                hot=stats.hot,
                busy=stats.busy,
            )
            workers.report_use(db, self.id, _use(stats))
            ended = worker_orders.cells_to_end(db, self.id, self.runtime.hot_users())
            is_to_leave = worker_orders.is_drain_asked(db, self.id)
        for user_id in ended:
            if user_id not in self.held.people():
                self.runtime.discard(user_id)
        if is_to_leave and not self.draining.is_set():
            self.leave()
        return is_wanted

    def _listen_for_stops(self) -> None:
        """Look at the leases at once when somebody stops one of our jobs."""
        while not self._over.is_set():
            try:
                for job_id in self.streams.stops():
                    if job_id and self.held.has(job_id):
                        self.held.renew()
                    if self._over.is_set():
                        return
            except redis.RedisError as error:
                log.warning("stops.unheard", error=str(error))
                self._over.wait(1.0)
            except SQLAlchemyError as error:
                log.warning("stop.unread", error=str(error))


_process: list[WorkerProcess] = []


def enter(process: WorkerProcess) -> None:
    """Make `process` the one that this operating system process is."""
    _process[:] = [process]


def current_process() -> WorkerProcess:
    """The worker process we are in; an IndexError outside of one is a bug."""
    return _process[0]
