"""Errors of the log, sent to whoever collects them by Sentry's protocol (SENTRY_DSN).

What is sent says where something broke, never about what: neither the words of an exception, which
may quote a message, nor local variables, requests or what our own log lines carry besides ids.
"""

import logging
from collections.abc import Mapping
from typing import Any, cast

import sentry_sdk
from sentry_sdk.types import Event, Hint

from settings import Settings

# What a line may be found by again.
TAGS = ("request_id", "job_id", "worker_id", "attempt")


class ErrorReports(logging.Handler):
    """Sends records of errors; it never blocks and never raises into what logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        # structlog hands its own fields on in place of a message.
        fields = _fields(record.msg)
        error = _error(record.exc_info) or _error(fields.get("exc_info"))
        with sentry_sdk.new_scope() as scope:
            for name in TAGS:
                if name in fields:
                    scope.set_tag(name, str(fields[name]))
            event = str(fields.get("event") or record.name)
            scope.set_tag("event", event)
            if error is None:
                sentry_sdk.capture_message(f"{record.name}: {event}", level="error")
            else:
                sentry_sdk.capture_exception(error)


def install(settings: Settings) -> logging.Handler | None:
    """Return what sends errors, or None where nobody collects them."""
    if settings.sentry_dsn is None:
        return None
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=settings.release or None,
        # Those of its own would read requests, and calls of models.
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        before_send=_without_words,
    )
    return ErrorReports()


def _fields(told: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", told) if isinstance(told, dict) else {}


def _error(found: object) -> BaseException | None:
    """Return the exception, which may come as what `sys.exc_info` says."""
    parts = cast("tuple[object, ...]", found) if isinstance(found, tuple) else (None, found)
    return parts[1] if isinstance(parts[1], BaseException) else None


def _without_words(event: Event, _: Hint) -> Event:
    for one in event.get("exception", {}).get("values", []):
        one["value"] = ""
    event.pop("server_name", None)
    return event
