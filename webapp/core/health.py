"""For machines: is the process up, and is all that it needs there?"""

import hmac
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from datetime import timedelta
from functools import lru_cache

import structlog
from flask import Blueprint, Response, jsonify, request
from sqlalchemy import text
from sqlalchemy.orm import Session

from gateways import event_streams
from gateways.s3_files import Storage
from models.database import unit_of_work
from models.ops import workers
from settings import get_settings

pages = Blueprint("health", __name__)
log = structlog.get_logger()

CHECK_SECONDS = 2.0
FRESH_SECONDS = 1.0


class NoEngine(Exception):
    """No worker has a cell that could answer."""


@pages.get("/healthz")
def alive() -> Response:
    """Say that this process answers, whatever else is down."""
    return Response("ok\n", mimetype="text/plain")


@pages.get("/readyz")
def ready() -> tuple[Response, int]:
    """Say whether all that the product needs is there: 200, or 503 while any is missing.

    What is missing is for who sends `readyz_token` alone. However many ask, it is looked up once a
    second.
    """
    found = find()
    is_ready = all(found.values())
    told = found if _may_know() else {"ready": is_ready}
    return jsonify(told), 200 if is_ready else 503


def find() -> dict[str, bool]:
    """Return, for each thing the product needs, whether it is there, as of a second ago."""
    return _lately().find()


def _may_know() -> bool:
    token = get_settings().readyz_token
    if token is None:
        return False
    given = request.headers.get("Authorization", "")
    wanted = f"Bearer {token.get_secret_value()}"
    return hmac.compare_digest(given.encode(), wanted.encode())


class Lately:
    """What was found a moment ago; one request at a time looks again, others wait for it."""

    def __init__(
        self, look: Callable[[], dict[str, bool]], fresh_seconds: float = FRESH_SECONDS
    ) -> None:
        self._look, self._fresh_seconds = look, fresh_seconds
        self._looking = threading.Lock()
        self._found: dict[str, bool] = {}
        self._looked_at = -math.inf

    def find(self) -> dict[str, bool]:
        """Return, for each thing the product needs, whether it is there."""
        with self._looking:
            if time.monotonic() >= self._looked_at + self._fresh_seconds:
                self._found = self._look()
                self._looked_at = time.monotonic()
            return self._found


def _look() -> dict[str, bool]:
    asked = {name: _pool().submit(check) for name, check in CHECKS.items()}
    return {name: _came_back(name, future.result) for name, future in asked.items()}


def engine_is_ready(db: Session) -> bool:
    """Whether any worker could answer now."""
    seen_within = timedelta(seconds=get_settings().job_lease_seconds)
    return workers.count_ready(db, seen_within) > 0


def _came_back(name: str, result: Callable[[float], None]) -> bool:
    try:
        result(CHECK_SECONDS)
    except TookTooLong:
        log.warning("not_ready", missing=name, reason="timeout")
    except Exception as failure:  # noqa: BLE001  # whatever it is, it is the answer
        log.warning("not_ready", missing=name, reason=type(failure).__name__)
    else:
        return True
    return False


def _check_database() -> None:
    with unit_of_work() as db:
        db.execute(text("SELECT 1"))


def _check_redis() -> None:
    client = event_streams.connect(get_settings().redis_url.get_secret_value())
    try:
        client.ping()  # pyright: ignore[reportUnknownMemberType]
    finally:
        client.close()


def _check_storage() -> None:
    _storage().check()


def _check_engine() -> None:
    with unit_of_work() as db:
        if not engine_is_ready(db):
            raise NoEngine


CHECKS: dict[str, Callable[[], None]] = {
    "database": _check_database,
    "redis": _check_redis,
    "storage": _check_storage,
    "engine": _check_engine,
}


@lru_cache(maxsize=1)
def _lately() -> Lately:
    return Lately(_look)


@lru_cache(maxsize=1)
def _storage() -> Storage:
    return Storage(get_settings())


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    # A check that hangs keeps its thread; the others still have one.
    return ThreadPoolExecutor(max_workers=16, thread_name_prefix="ready")
