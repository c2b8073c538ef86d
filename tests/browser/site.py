"""The website alone, on real stores, for what a browser does before any assistant is asked."""

import socket
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from uuid import UUID

from flask import Flask
from playwright.sync_api import Page
from sqlalchemy.orm import Session
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from gateways.event_streams import Streams
from gateways.live_events import AttemptBegan, JobEnded, LiveEvent, TextAdded
from models.base import new_id
from models.database import unit_of_work
from models.ops import workers
from models.schema.jobs import Job
from models.schema.users import User
from tests import factories


class _Handler(WSGIRequestHandler):
    # As behind a load balancer: browsers open six connections, and keep them.
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing: the site logs its requests."""


class _Server(ThreadedWSGIServer):
    """Serves by threads, all of which are over when it is closed."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, app: Flask) -> None:
        super().__init__("127.0.0.1", 0, app, handler=_Handler)
        self._connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def server_close(self) -> None:
        # Browsers keep connections open that nothing is asked by any more.
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class Site:
    """A running website, its people and what they are told."""

    def __init__(self, url: str, streams: Streams) -> None:
        self.url = url
        self._streams = streams
        self._worker = new_id()
        self._said: Counter[UUID] = Counter()
        with unit_of_work() as db:
            workers.register(db, self._worker, "here")
            workers.report(db, self._worker, sandbox="bwrap", capacity=1, spare=1, hot=0, busy=0)

    @contextmanager
    def database(self) -> Generator[Session]:
        """A session that is committed at its end."""
        with unit_of_work() as db:
            yield db

    def person(self, name: str = "Ada") -> User:
        """Somebody who has signed up and introduced themselves."""
        with unit_of_work() as db:
            return factories.user(db, f"{name.lower()}@example.org", name=name)

    def conversation(self, owner: User, words: str, answer: str = "Done.") -> UUID:
        """A conversation in which one message was answered."""
        job = self.asked(owner, words)
        with unit_of_work() as db:
            factories.answer(db, db.get_one(Job, job.id), answer, f"<p>{answer}</p>")
        return job.conversation_id

    def asked(self, owner: User, words: str, conversation_id: UUID | None = None) -> Job:
        """A message that a worker has just taken up; nobody else's may be waiting."""
        with unit_of_work() as db:
            job = factories.running(db, owner, words, conversation_id=conversation_id)
        self.tell(job, AttemptBegan())
        return job

    def tell(self, job: Job, event: LiveEvent) -> None:
        """Tell the pages what the worker tells them."""
        self._streams.append(job.conversation_id, job.id, job.attempt, event)

    def say(self, job: Job, words: str) -> None:
        """Tell the pages more of an answer."""
        self.tell(job, TextAdded(self._said[job.id], words))
        self._said[job.id] += len(words)

    def answer(self, job: Job, words: str, html: str = "") -> None:
        """Complete a message's answer, as its worker does."""
        with unit_of_work() as db:
            factories.answer(db, db.get_one(Job, job.id), words, html or f"<p>{words}</p>")
        self.tell(job, JobEnded("completed"))

    def log_in(self, page: Page, person: User, path: str = "/chat") -> None:
        """Log in by the form, on the way to a page."""
        page.goto(f"{self.url}{path}")
        if "/login" in page.url:
            page.get_by_label("E-mail").fill(person.email)
            page.locator("input[name=password]").fill(factories.PASSWORD)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"**{path}*")
            with unit_of_work() as db:
                factories.show_codes(db)


@contextmanager
def serve(app: Flask, redis_url: str) -> Generator[Site]:
    """Serve a site by threads on a port of its own."""
    server = _Server(app)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    yield Site(f"http://127.0.0.1:{server.port}", Streams(redis_url))
    server.shutdown()
    serving.join()
    # A live stream would ask the database that its conversation is in, whenever it looks again.
    app.extensions["hub"].close()
    server.server_close()
