"""The live stream of one conversation, as the browser reads it (server-sent events).

Events, each with an id from which a browser may go on after a cut:

- `exchange`: HTML of a message with its jobs, or of what the product said unasked; it replaces what
  is shown of it, text included.
  When they are over, what is left of the credits and the alerts come along.
- `answer` {"job", "attempt", "html", "tail"}: HTML of further blocks that are finished, and that of
  the unfinished end, which replaces the one before.
- `text` {"job", "attempt", "text"}: plain text that only continues the last paragraph of the end.
- `tool` {"job", "attempt", "words"}: what the assistant is doing.
- `thought` {"job", "attempt", "words"}: what it is thinking of.
- `reload`: too much has happened; `gone`: the conversation was deleted, or the login ended.

Whenever it is not certain what the browser has seen, the job is drawn whole from PostgreSQL and
its Redis stream, and only what came after that is added: nothing is lost, nothing is shown twice.

With `once` in the query the answer ends when all that happened has been told: so ask the tabs that
have no stream, as a browser has one for all of them (static/live.js).
"""

import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Flask

from gateways.event_streams import Event
from gateways.live_events import (
    JobQueued,
    MessageAdded,
    MessageDeleted,
    TextAdded,
    ThoughtShown,
    ToolUsed,
)
from gateways.partial_answer import ADDING, PartialAnswer, is_later, replay
from models.chat.conversations import PAGE_LENGTH
from models.schema.jobs import Job, JobStatus
from webapp.chat import growing_answer
from webapp.chat.frames import HEARTBEAT, Cursor, frame
from webapp.chat.growing_answer import Rendered
from webapp.chat.shown_answer import ShownAnswer
from webapp.chat.updates import Updates
from webapp.chat.viewer import Gone, Viewer
from webapp.chat.views import Standing
from webapp.core.live import RESYNC, Hub, Listener
from webapp.core.own_stack import on_own_stack

RETRY_MS = 1000
HEARTBEAT_SECONDS = 15.0
# Without Redis a stream begins all the same, and goes on by looking at PostgreSQL.
CONNECT_SECONDS = 2.0
LOOK_SECONDS = 5.0
# Most messages are taken up at once: then one drawing shows both. Who sent it has one already.
TAKEN_UP_SECONDS = 0.05
# Afterwards the browser comes back, and is asked again who it is.
LONGEST_SECONDS = 900.0


class ConversationStream:
    """One browser's stream. It has no database session and no lock while it waits."""

    def __init__(
        self, app: Flask, environ: dict[str, Any], hub: Hub, conversation_id: UUID, cursor: Cursor
    ) -> None:
        self._hub, self._conversation_id = hub, conversation_id
        self._viewer = Viewer(app, environ, conversation_id)
        self._cursor = cursor
        self._updates = Updates(conversation_id, cursor.moment)
        self._shown: dict[UUID, ShownAnswer] = {}
        # Messages that no job wrote, which never change.
        self._drawn: set[UUID] = set()

    def frames(self) -> Iterator[str]:
        """Write the stream until the browser goes, reads too slowly, or should come back."""
        yield f"retry: {RETRY_MS}\n\n"
        with self._hub.listening(self._conversation_id) as listener:
            try:
                yield from self._follow(listener)
            except Gone:
                yield frame("gone", "")

    def missed(self) -> Iterator[str]:
        """Write what happened since the cursor and end, for a browser that asks now and then."""
        try:
            yield from on_own_stack(list, self._catch_up())
        except Gone:
            yield frame("gone", "")

    def _follow(self, listener: Listener) -> Iterator[str]:
        listener.next(CONNECT_SECONDS)
        yield from on_own_stack(list, self._catch_up())
        began = looked = beat = time.monotonic()
        while (now := time.monotonic()) < began + LONGEST_SECONDS and not listener.is_dropped:
            if self._render_seconds() == 0:
                yield from on_own_stack(list, self._render())
            if now >= looked + LOOK_SECONDS:
                looked = now
                yield from on_own_stack(list, self._look_again(is_deaf=not listener.is_synced))
            if now >= beat + HEARTBEAT_SECONDS:
                beat = now
                # Words of an answer are added without asking whose they are.
                on_own_stack(self._viewer.look, is_quiet=self._is_quiet())
                yield HEARTBEAT
            heard = listener.next(
                self._rest_seconds(now, looked, beat, is_deaf=not listener.is_synced)
            )
            if heard is RESYNC:
                yield from on_own_stack(list, self._catch_up())
            elif isinstance(heard, Event):
                if isinstance(heard.payload, JobQueued):
                    time.sleep(TAKEN_UP_SECONDS)
                yield from on_own_stack(list, self._show_event(heard))

    def _rest_seconds(self, now: float, looked: float, beat: float, *, is_deaf: bool) -> float:
        # A stream on which nothing goes on only wakes to beat: thousands of them do.
        until_beat = beat + HEARTBEAT_SECONDS - now
        if not is_deaf and self._is_quiet():
            return max(until_beat, 0)
        return max(min(until_beat, looked + LOOK_SECONDS - now, self._render_seconds()), 0)

    def _is_quiet(self) -> bool:
        return all(shown.is_over for shown in self._shown.values())

    def _render_seconds(self) -> float:
        """Say how long the next rendering of an answer should wait."""
        waits = (shown.answer.wait_seconds() for shown in self._shown.values())
        return min((wait for wait in waits if wait is not None), default=LONGEST_SECONDS)

    def _render(self) -> Iterator[str]:
        """Show the new ends of answers whose time has come."""
        for shown in self._shown.values():
            if shown.answer.wait_seconds() == 0:
                yield self._render_one(shown)

    def _render_one(self, shown: ShownAnswer) -> str:
        return self._advance(shown, shown.ended(shown.answer.render()))

    def _advance(self, shown: ShownAnswer, written: str) -> str:
        """Note where the browser is once it has the frame that was written for it."""
        self._cursor = shown.cursor
        return written

    def _catch_up(self) -> Iterator[str]:
        """Tell what happened since the cursor; after it nothing is missed."""
        if self._updates.has_forgotten():
            yield frame("reload", "")
            return
        unasked = self._not_drawn(self._updates.said_unasked())
        moved = self._updates.jobs()
        if len(moved) + len(unasked) > PAGE_LENGTH:
            yield frame("reload", "")
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
        yield from self._render_exchanges(whole)
        yield from self._render_unasked(unasked)

    def _look_again(self, *, is_deaf: bool) -> Iterator[str]:
        """Draw what changed without our being told: places in the queue, and lost events.

        Who is deaf, as Redis is away, is told of no message either.
        """
        if is_deaf and self._updates.has_forgotten():
            yield frame("reload", "")
            return
        unasked = self._not_drawn(self._updates.said_unasked()) if is_deaf else []
        if is_deaf or any(not shown.is_over for shown in self._shown.values()):
            yield from self._render_exchanges(
                [
                    job.id
                    for job, stands in self._updates.jobs().values()
                    if job.id not in self._shown or self._shown[job.id].standing != stands
                ]
            )
        yield from self._render_unasked(unasked)

    def _not_drawn(self, said: Collection[UUID]) -> list[UUID]:
        return [message_id for message_id in said if message_id not in self._drawn]

    def _only_added(self, job: Job, stands: Standing) -> list[str] | None:
        """Return what was added to the answer since the cursor; None if it must be drawn whole."""
        if job.is_over or job.id != self._cursor.job_id:
            return None
        events = self._hub.told(job.id)
        told = replay(events)
        at = next((n for n, event in enumerate(events) if event.id == self._cursor.event_id), None)
        if at is None or not told.is_whole or not events[at].attempt == told.attempt == job.attempt:
            return None
        missed = events[at + 1 :]
        closed = self._cursor.closed
        if not 0 <= closed <= len(told.text):
            return None
        if any(not isinstance(event.payload, ADDING) for event in missed):
            return None
        return self._continue(job, stands, told) if missed else self._stay(job, stands, told)

    def _continue(self, job: Job, stands: Standing, told: PartialAnswer) -> list[str]:
        closed = self._cursor.closed
        made = growing_answer.render(job.id, told.attempt, closed, told.text[closed:])
        self._note(job, stands, told, replace(made, closed=closed + made.closed))
        shown = self._shown[job.id]
        frames = [self._advance(shown, shown.ended(made))]
        if told.tool:
            frames.append(shown.doing(ToolUsed(told.tool)))
        elif told.thought:
            frames.append(shown.doing(ThoughtShown(told.thought)))
        return frames

    def _stay(self, job: Job, stands: Standing, told: PartialAnswer) -> list[str]:
        # Nothing is new. Which end the browser has is rendered anew with what comes next.
        self._note(job, stands, told, Rendered(closed=self._cursor.closed, is_rough=True))
        return []

    def _note(self, job: Job, stands: Standing, told: PartialAnswer, shown: Rendered) -> None:
        self._shown[job.id] = ShownAnswer.of(job, stands, told, shown)

    def _show_event(self, event: Event) -> Iterator[str]:
        if isinstance(event.payload, MessageAdded):
            yield from self._render_unasked({event.job_id} - self._drawn)
            return
        if isinstance(event.payload, MessageDeleted):
            yield frame("reload", "", self._cursor)
            return
        shown = self._shown.get(event.job_id)
        if shown is None:
            yield from self._render_exchanges([event.job_id])
        elif shown.is_over or not is_later(event.id, shown.told.last_id):
            # It was drawn with this in it already.
            return
        elif isinstance(event.payload, JobQueued):
            yield from self._show_edit(shown, event)
        elif event.attempt > shown.told.attempt or not isinstance(event.payload, ADDING):
            yield from self._render_exchanges([event.job_id])
        elif event.attempt == shown.told.attempt and shown.told.is_whole:
            yield from self._add(shown, event)

    def _show_edit(self, shown: ShownAnswer, event: Event) -> Iterator[str]:
        """Draw a message anew that still waits: its words may be changed in a messenger."""
        if shown.standing.status is JobStatus.PENDING:
            yield from self._render_exchanges([event.job_id])

    def _add(self, shown: ShownAnswer, event: Event) -> Iterator[str]:
        if isinstance(event.payload, ToolUsed | ThoughtShown):
            if shown.answer.wait_seconds() is not None:
                yield self._render_one(shown)
            shown.told.last_id = event.id
            yield self._advance(shown, shown.doing(event.payload))
        elif isinstance(event.payload, TextAdded):
            if event.payload.start != shown.answer.length:
                # Some of it was lost.
                yield from self._render_exchanges([event.job_id])
                return
            shown.told.last_id = event.id
            if shown.answer.add(event.payload.text):
                yield self._advance(shown, shown.continued(event.payload.text))
            elif shown.answer.wait_seconds() == 0:
                yield self._render_one(shown)

    def _render_exchanges(self, job_ids: Collection[UUID]) -> Iterator[str]:
        """Draw these jobs whole, as they stand in PostgreSQL, with the text that was told."""
        if not job_ids:
            return
        # First the streams, then the rows: what is told in between comes again, and is newer.
        told = {job_id: replay(self._hub.told(job_id)) for job_id in job_ids}
        for job_id, one in told.items():
            # Now, that no connection to the database waits for it.
            growing_answer.render(job_id, one.attempt, 0, one.text)
        for exchange, html in self._viewer.exchanges_of(job_ids, told):
            for run in exchange.runs:
                last_id = told[run.job.id].last_id if run.job.id in told else run.told.last_id
                self._note(run.job, run.standing, replace(run.told, last_id=last_id), run.written)
                closed = run.written.closed
                self._cursor = Cursor(last_id or Cursor.now().event_id, run.job.id, closed)
            yield frame("exchange", html, self._cursor)

    def _render_unasked(self, message_ids: Collection[UUID]) -> Iterator[str]:
        """Draw messages that the product said unasked."""
        if not message_ids:
            return
        self._drawn.update(message_ids)
        for _, html in self._viewer.said_unasked(message_ids):
            yield frame("exchange", html, self._cursor)
