"""Errors that are sent to a collector: where something broke, and never what it was about."""

import json
import logging
import threading
from collections.abc import Generator
from gzip import decompress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sentry_sdk
import structlog
from pydantic import SecretStr

from gateways import logs
from settings import Settings


class Collector(HTTPServer):
    """Takes envelopes on a socket."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taker)
        self.taken: list[str] = []

    @property
    def dsn(self) -> str:
        return f"http://key@127.0.0.1:{self.server_port}/7"

    def events(self) -> list[dict[str, Any]]:
        sentry_sdk.flush(timeout=5)
        return [json.loads(taken.splitlines()[2]) for taken in self.taken]


class _Taker(BaseHTTPRequestHandler):
    server: Collector  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_zipped = self.headers.get("Content-Encoding") == "gzip"
        self.server.taken.append((decompress(body) if is_zipped else body).decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def collector(settings: Settings) -> Generator[Collector]:
    """A collector that the log leads to."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    taking = Collector()
    threading.Thread(target=taking.serve_forever, daemon=True).start()
    logs.configure(settings.model_copy(update={"sentry_dsn": SecretStr(taking.dsn)}))
    yield taking
    sentry_sdk.get_client().close()
    # Without what it would hang into every request and process of the tests that follow.
    sentry_sdk.init(default_integrations=False, auto_enabling_integrations=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    taking.shutdown()
    taking.server_close()


def test_a_bug_is_sent_with_its_place_and_without_its_words(collector: Collector) -> None:
    told = "what Ada wrote to her assistant"
    with structlog.contextvars.bound_contextvars(request_id="r1", user_id="u-of-somebody"):
        try:
            int(told)
        except ValueError:
            structlog.get_logger("worker").exception("turn.broke_off", job_id="j1", words=told)

    (event,) = collector.events()

    (broken,) = event["exception"]["values"]
    assert broken["type"] == "ValueError"
    assert broken["stacktrace"]["frames"][-1]["function"].startswith("test_a_bug_is_sent")
    assert event["tags"] == {"request_id": "r1", "job_id": "j1", "event": "turn.broke_off"}
    assert told not in collector.taken[0]
    assert "u-of-somebody" not in collector.taken[0]


def test_an_error_without_a_bug_is_sent_and_a_warning_is_not(collector: Collector) -> None:
    structlog.get_logger("audits").error("books.mismatch", off_by_micros=3)
    structlog.get_logger("audits").warning("audit.stripe_not_asked")
    logging.getLogger("somebody.else").error("could not %s", "do it")

    ours, theirs = collector.events()

    assert ours["message"] == "audits: books.mismatch"
    assert theirs["message"] == "somebody.else: somebody.else"
