"""One log line for each request: who, what, how it ended, how long it took."""

import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

from webapp.core.auth import find_current_user_id

log = structlog.get_logger("web")

# Asked every few seconds by machines; a line each would bury the rest.
QUIET = {
    *("health.alive", "health.ready", "engine.show", "verification.show_standing"),
    *("channel_linking.show_standing", "static"),
}


def install(app: Flask) -> None:
    """Write the lines, and give every line of a request the same `request_id`."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began_at = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=uuid4().hex[:12])


def _end(response: Response) -> Response:
    if request.endpoint in QUIET and response.status_code < 400:
        return response
    log.info(
        "request",
        method=request.method,
        path=_path(),
        status=response.status_code,
        ms=round((time.perf_counter() - g.get("began_at", time.perf_counter())) * 1000, 1),
        user_id=str(find_current_user_id() or "") or None,
    )
    return response


def _path() -> str:
    """Return the path without what may be a secret: its query, and what its rule calls one."""
    secret = (request.view_args or {}).get("secret")
    return request.path.replace(str(secret), "…") if secret else request.path
