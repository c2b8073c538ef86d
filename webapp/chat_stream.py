"""The live stream of one conversation, as the browser reads it (server-sent events).

Events, each with an id from which a browser may go on after a cut:

- `exchange`: HTML of a message with its jobs; it replaces what is shown of it, text included.
  When they are over, what is left of the credits and the alerts come along.
- `text` {"job", "attempt", "text"}: more plain text at the end of an answer.
- `block` {"job", "attempt", "html", "tail"}: more finished HTML, and the plain text after it.
- `tool` {"job", "attempt", "words"}: what the assistant is doing.
- `reload`: too much has happened; `gone`: the conversation was deleted, or the login ended.

Whenever it is not certain what the browser has seen, the job is drawn whole from PostgreSQL and
its Redis stream, and only what came after that is added: nothing is lost, nothing is shown twice.

With `once` in the query the answer ends when all that happened has been told: so ask the tabs that
have no stream, as a browser has one for all of them (static/live.js).
"""

import json
import re
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, render_template
from markupsafe import Markup

from gateways import values
from gateways.event_streams import Event
from gateways.values import BadValue
from models import conversations, history, jobs
from models.base import utc_now
from models.conversations import PAGE_LENGTH
from models.database import unit_of_work
from models.errors import NotFound
from models.jobs import Job
from models.jobs.table import OVER
from webapp import chat_drawing, chat_views
from webapp.aside import aside
from webapp.chat_told import ADDING, Told, fold, in_words, is_later
from webapp.chat_views import ExchangeView, Standing
from webapp.database import db
from webapp.live import RESYNC, Hub, Listener
from webapp.sign_in import find_current_user
from webapp.turns import turn

RETRY_MS = 1000
HEARTBEAT_SECONDS = 15.0
# Without Redis a stream begins all the same, and goes on by looking at PostgreSQL.
CONNECT_SECONDS = 2.0
LOOK_SECONDS = 5.0
# Most messages are taken up at once: then one drawing shows both. Who sent it has one already.
TAKEN_UP_SECONDS = 0.05
# Afterwards the browser comes back, and is asked again who it is.
LONGEST_SECONDS = 900.0
# Clocks of Redis, PostgreSQL and ours may differ; telling an end twice is harmless.
MARGIN = timedelta(seconds=60)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_REST = {"queued", "paused", "sent", "stopped", "failed"}
LINE_END = re.compile(r"\r\n|\r|\n")
HEARTBEAT = ": still here\nevent: beat\ndata:\n\n"


class Gone(Exception):
    """The conversation is not there any more for whoever looks at it."""


@dataclass(frozen=True)
class Cursor:
    """How far a browser has read: an event's id, and the job it was about if there was one."""

    event_id: str
    job_id: UUID | None

    @classmethod
    def parse(cls, given: str) -> "Cursor":
        """Read a cursor back from a browser; one that makes no sense means now."""
        event_id, _, job = given.partition("@")
        try:
            when, count = values.stream_id(event_id)
            return cls(f"{when}-{count}", values.uuid(job) if job else None)
        except BadValue:
            return cls.now()

    @classmethod
    def now(cls) -> "Cursor":
        return cls(f"{time.time_ns() // 1_000_000}-0", None)

    @property
    def moment(self) -> datetime:
        return EPOCH + timedelta(milliseconds=values.stream_id(self.event_id)[0])

    def __str__(self) -> str:
        return f"{self.event_id}@{self.job_id}" if self.job_id else self.event_id


@dataclass
class _Shown:
    """What the browser has of a job: up to which event, and how the row stood."""

    told: Told
    standing: Standing

    @property
    def is_over(self) -> bool:
        return self.standing.status in OVER


class ConversationStream:
    """One browser's stream. It has no database session and no lock while it waits."""

    def __init__(
        self, app: Flask, environ: dict[str, Any], hub: Hub, conversation_id: UUID, cursor: Cursor
    ) -> None:
        self._app, self._environ, self._hub = app, environ, hub
        self._conversation_id = conversation_id
        self._cursor = cursor
        self._since = cursor.moment
        self._shown: dict[UUID, _Shown] = {}

    def frames(self) -> Iterator[str]:
        """Write the stream until the browser goes, reads too slowly, or should come back."""
        yield f"retry: {RETRY_MS}\n\n"
        with self._hub.listening(self._conversation_id) as listener:
            try:
                yield from self._follow(listener)
            except Gone:
                yield _frame("gone", "")

    def missed(self) -> Iterator[str]:
        """Write what happened since the cursor and end, for a browser that asks now and then."""
        try:
            yield from aside(list, self._catch_up())
        except Gone:
            yield _frame("gone", "")

    def _follow(self, listener: Listener) -> Iterator[str]:
        listener.next(CONNECT_SECONDS)
        yield from aside(list, self._catch_up())
        began = looked = beat = time.monotonic()
        while (now := time.monotonic()) < began + LONGEST_SECONDS and not listener.is_dropped:
            if now >= looked + LOOK_SECONDS:
                looked = now
                yield from aside(list, self._look_again())
            if now >= beat + HEARTBEAT_SECONDS:
                beat = now
                yield HEARTBEAT
            heard = listener.next(self._rest_seconds(now, looked, beat))
            if heard is RESYNC:
                yield from aside(list, self._catch_up())
            elif isinstance(heard, Event):
                if heard.kind == "asked":
                    time.sleep(TAKEN_UP_SECONDS)
                yield from aside(list, self._tell(heard))

    def _rest_seconds(self, now: float, looked: float, beat: float) -> float:
        # A stream on which nothing goes on only wakes to beat: thousands of them do.
        until_beat = beat + HEARTBEAT_SECONDS - now
        if all(shown.is_over for shown in self._shown.values()):
            return max(until_beat, 0)
        return max(min(until_beat, looked + LOOK_SECONDS - now), 0)

    def _catch_up(self) -> Iterator[str]:
        """Tell what happened since the cursor; after it nothing is missed."""
        moved = self._moved()
        if len(moved) > PAGE_LENGTH:
            yield _frame("reload", "")
            return
        whole: list[UUID] = []
        for job, stands in moved.values():
            before = self._shown.get(job.id)
            if before is not None and before.is_over:
                continue
            added = self._only_added(job, stands)
            if added is None:
                whole.append(job.id)
            else:
                yield from added
        yield from self._draw(whole)

    def _look_again(self) -> Iterator[str]:
        """Draw what changed without our being told: places in the queue, and lost events."""
        if any(not shown.is_over for shown in self._shown.values()):
            yield from self._draw(
                [
                    job.id
                    for job, stands in self._moved().values()
                    if job.id not in self._shown or self._shown[job.id].standing != stands
                ]
            )

    def _moved(self) -> dict[UUID, tuple[Job, Standing]]:
        now = utc_now()
        with turn(), unit_of_work() as own:
            moved = history.jobs_that_moved(own, self._conversation_id, self._since - MARGIN)
            found = {job.id: (job, chat_views.standing(own, job)) for job in moved}
        self._since = now
        return found

    def _only_added(self, job: Job, stands: Standing) -> list[str] | None:
        """Return what was added to the answer since the cursor; None if it must be drawn whole."""
        if job.is_over or job.id != self._cursor.job_id:
            return None
        events = self._hub.told(job.id)
        told = fold(events)
        at = next((n for n, event in enumerate(events) if event.id == self._cursor.event_id), None)
        if at is None or not told.is_whole or not events[at].attempt == told.attempt == job.attempt:
            return None
        missed = events[at + 1 :]
        if any(event.kind not in ADDING for event in missed):
            return None
        self._shown[job.id] = _Shown(replace(told, html="", tail=""), stands)
        return [self._add(event) for event in missed]

    def _tell(self, event: Event) -> Iterator[str]:
        shown = self._shown.get(event.job_id)
        if shown is None:
            yield from self._draw([event.job_id])
        elif shown.is_over or not is_later(event.id, shown.told.last_id) or event.kind == "asked":
            # It was drawn with this in it already.
            return
        elif event.attempt > shown.told.attempt or event.kind not in ADDING:
            yield from self._draw([event.job_id])
        elif event.attempt == shown.told.attempt and shown.told.is_whole:
            shown.told.last_id = event.id
            yield self._add(event)

    def _add(self, event: Event) -> str:
        data: dict[str, object] = {"job": str(event.job_id), "attempt": event.attempt}
        if event.kind == "tool":
            data["words"] = in_words(event.data["name"])
        else:
            data.update(event.data)
        self._cursor = Cursor(event.id, event.job_id)
        return _frame(event.kind, json.dumps(data, separators=(",", ":")), self._cursor)

    def _draw(self, job_ids: Collection[UUID]) -> Iterator[str]:
        """Draw these jobs whole, as they stand in PostgreSQL, with the text that was told."""
        if not job_ids:
            return
        # First the streams, then the rows: what is told in between comes again, and is newer.
        told = {job_id: fold(self._hub.told(job_id)) for job_id in job_ids}
        for exchange, html in self._exchanges(job_ids, told):
            for run in exchange.runs:
                last_id = told[run.job.id].last_id if run.job.id in told else run.told.last_id
                seen = replace(run.told, last_id=last_id, html="", tail="")
                self._shown[run.job.id] = _Shown(seen, run.standing)
                self._cursor = Cursor(last_id or Cursor.now().event_id, run.job.id)
            yield _frame("exchange", html, self._cursor)

    def _exchanges(
        self, job_ids: Collection[UUID], told: dict[UUID, Told]
    ) -> list[tuple[ExchangeView, str]]:
        # As if the browser had asked again: with its login, its time zone, and a session that is
        # closed before we go on.
        with turn(), self._app.request_context(self._environ):
            person = find_current_user()
            if person is None:
                raise Gone
            try:
                conversation = conversations.find_own(db(), person.id, self._conversation_id)
            except NotFound as deleted:
                raise Gone from deleted
            found = history.exchanges_of(db(), conversation, job_ids)
            return [(view, _draw_one(view)) for view in chat_views.show(db(), found, told)]


def _draw_one(view: ExchangeView) -> str:
    html = chat_drawing.draw(view)
    # While words come, nothing has been charged yet.
    if all(run.state in AT_REST for run in view.runs):
        person = find_current_user()
        is_dry = person is not None and not person.is_frozen and jobs.is_paused(db(), person)
        for name in ("_credits_left.html", "chat/_dry.html", "alerts/_list.html"):
            html += Markup(render_template(name, is_dry=is_dry))  # noqa: S704  # it escapes
    return html


def _frame(kind: str, data: str, cursor: Cursor | None = None) -> str:
    lines = [f"id: {cursor}"] if cursor else []
    lines += [f"event: {kind}", *(f"data: {line}" for line in LINE_END.split(data))]
    return "\n".join(lines) + "\n\n"
