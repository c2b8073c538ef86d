"""One way of logging for every process."""

import json
import logging
from collections.abc import Generator

import pytest
import structlog

from gateways import logs
from settings import Settings


@pytest.fixture(autouse=True)
def put_back() -> Generator[None]:
    """Give the rest of the suite its own logging back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_lines_are_json_whoever_wrote_them(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(settings.model_copy(update={"log_format": "json"}))
    structlog.contextvars.bind_contextvars(request_id="r1")
    structlog.get_logger("web").info("request", path="/chat", status=200)
    logging.getLogger("somebody.else").warning("low on %s", "disk")
    structlog.contextvars.clear_contextvars()
    ours, theirs = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert ours["event"] == "request"
    assert (ours["path"], ours["status"], ours["request_id"]) == ("/chat", 200, "r1")
    assert (theirs["event"], theirs["level"]) == ("low on disk", "warning")
    assert theirs["logger"] == "somebody.else"


def test_a_bug_is_logged_with_its_trace(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(settings.model_copy(update={"log_format": "json"}))
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        structlog.get_logger().error("request_failed", exc_info=error)
    assert "ZeroDivisionError" in json.loads(capsys.readouterr().out)["exception"]


def test_the_level_and_the_console_format_follow_the_settings(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(settings.model_copy(update={"log_format": "console", "log_level": "warning"}))
    structlog.get_logger().info("too quiet to hear")
    logging.getLogger("botocore").info("https://bucket/key?signature=secret")
    structlog.get_logger().warning("loud", count=3)
    heard = capsys.readouterr().out
    assert "loud" in heard
    assert "count=3" in heard
    assert "quiet" not in heard
    assert "secret" not in heard
