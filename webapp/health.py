"""For machines: is the process up, and is all that it needs there?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from datetime import timedelta
from functools import lru_cache

import structlog
from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.orm import Session

from gateways import event_streams
from gateways.s3_files import Storage
from models import workers
from models.database import unit_of_work
from settings import get_settings

pages = Blueprint("health", __name__)
log = structlog.get_logger()

CHECK_SECONDS = 2.0


class NoEngine(Exception):
    """No worker has a cell that could answer."""


@pages.get("/healthz")
def alive() -> Response:
    """Say that this process answers, whatever else is down."""
    return Response("ok\n", mimetype="text/plain")


@pages.get("/readyz")
def ready() -> tuple[Response, int]:
    """Say of each thing the product needs whether it is there; 503 while any is missing."""
    asked = {name: _pool().submit(check) for name, check in CHECKS.items()}
    found = {name: _came_back(name, future.result) for name, future in asked.items()}
    return jsonify(found), 200 if all(found.values()) else 503


def engine_is_ready(db: Session) -> bool:
    """Whether any worker could answer now."""
    seen_within = timedelta(seconds=get_settings().job_lease_seconds)
    return workers.count_ready(db, seen_within) > 0


def _came_back(name: str, result: Callable[[float], None]) -> bool:
    try:
        result(CHECK_SECONDS)
    except TookTooLong:
        log.warning("not_ready", missing=name, reason="no answer in time")
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
def _storage() -> Storage:
    return Storage(get_settings())


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    # A check that hangs keeps its thread; the others still have one.
    return ThreadPoolExecutor(max_workers=16, thread_name_prefix="ready")
