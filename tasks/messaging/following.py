"""Shows an answer in a messenger while it is being written."""

import time
from collections.abc import Callable

import redis
import structlog

from actions import wakeups
from channels.base import Channel, ChannelFailed, Trouble
from channels.outbound import Button
from gateways.event_streams import Event
from gateways.live_events import JobEnded, JobPaused
from gateways.partial_answer import replay
from models.channels import delivery_claims
from models.database import unit_of_work
from models.schema.jobs import Job, JobStatus
from models.translation import gettext
from tasks.messaging.parts import LEASE, LeaseLost, PartSender

log = structlog.get_logger()

RENEW_SECONDS = 15.0
# How soon words are seen, until there are some.
FIRST_LOOK_SECONDS = 0.04
LOOK_SECONDS = 0.5
# Should events be lost, the row says it.
ROW_SECONDS = 3.0
TYPING_SECONDS = 4.0


class Follower:
    """Follows one running job until it is over, or the process is."""

    def __init__(self, sender: PartSender, job: Job, is_over: Callable[[], bool]) -> None:
        self._sender, self._channel = sender, sender.channel
        self._job_id, self._status = job.id, job.status
        self._is_over = is_over
        self._events: list[Event] = []
        self._shown = ""
        self._next_edit = self._next_typing = 0.0
        self._next_renewal = time.monotonic() + RENEW_SECONDS
        self._next_row = time.monotonic() + ROW_SECONDS

    def follow(self) -> JobStatus:
        """Return once the job does not run any more, or the process ends, with its last status.

        Raises ChannelFailed when the user has blocked us, and LeaseLost.
        """
        while self._status is JobStatus.RUNNING and not self._is_over():
            self._type()
            ended = self._read()
            self._show()
            self._renew()
            if ended or time.monotonic() >= self._next_row:
                self._look_at_row()
            if self._status is JobStatus.RUNNING:
                time.sleep(LOOK_SECONDS if self._shown else FIRST_LOOK_SECONDS)
        return self._status

    def _read(self) -> bool:
        """Take in what was told since; return whether the job may have come to an end."""
        after = self._events[-1].id if self._events else "0"
        try:
            new = wakeups.streams().read(self._job_id, after)
        except redis.RedisError as error:
            log.warning("live.unread", job_id=str(self._job_id), error=str(error))
            time.sleep(LOOK_SECONDS)
            return False
        self._events.extend(new)
        return any(isinstance(event.payload, JobEnded | JobPaused) for event in new)

    def _show(self) -> None:
        if not self._channel.capabilities.can_edit:
            # What cannot grow comes once it is whole.
            return
        words = replay(self._events).text
        if not words.strip() or words == self._shown or time.monotonic() < self._next_edit:
            return
        wait = self._channel.capabilities.edit_interval_seconds
        try:
            self._sender.preview(self._channel.preview(words), self._buttons())
        except ChannelFailed as failure:
            if failure.trouble is Trouble.BLOCKED:
                raise
            log.info("preview.skipped", job_id=str(self._job_id), error=str(failure))
            wait = max(wait, failure.retry_after_seconds or 0)
        self._shown = words
        self._next_edit = time.monotonic() + wait

    def _buttons(self) -> list[list[Button]]:
        if not self._channel.capabilities.has_buttons:
            return []
        return [[Button(gettext("Stop"), data=f"stop:{self._job_id}")]]

    def _type(self) -> None:
        if self._shown or time.monotonic() < self._next_typing:
            return
        self._next_typing = time.monotonic() + TYPING_SECONDS
        show_typing(self._channel, self._sender.claimed.address)

    def _renew(self) -> None:
        if time.monotonic() < self._next_renewal:
            return
        self._next_renewal = time.monotonic() + RENEW_SECONDS
        with unit_of_work() as db:
            if not delivery_claims.renew(db, self._sender.claimed, LEASE):
                raise LeaseLost

    def _look_at_row(self) -> None:
        self._next_row = time.monotonic() + ROW_SECONDS
        with unit_of_work() as db:
            job = db.get(Job, self._job_id)
            self._status = job.status if job else JobStatus.CANCELLED


def show_typing(channel: Channel, address: str) -> None:
    """Show that the assistant is at it; no harm is done if the messenger does not."""
    if not channel.capabilities.has_typing:
        return
    try:
        channel.typing(address)
    except ChannelFailed as failure:
        if failure.trouble is Trouble.BLOCKED:
            raise
