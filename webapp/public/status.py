"""Whether everything works, for anybody, in three words and without details."""

import enum
from collections.abc import Mapping
from functools import lru_cache

from flask import Blueprint, Response, make_response, render_template
from sqlalchemy.exc import SQLAlchemyError

from models.base import utc_now
from models.database import unit_of_work
from models.ops import fleet
from webapp.core import health
from webapp.core.health import Lately

pages = Blueprint("status", __name__)

FRESH_SECONDS = 10
# So long waits nobody for the first word while workers are enough.
SLOW_SECONDS = 30


class Answers(enum.StrEnum):
    """How answers come."""

    COME = "come"
    SLOW = "slow"
    WAIT = "wait"


@pages.get("/status")
def show() -> Response:
    """Say whether people can sign in, send files, and are answered; looked up every ten seconds."""
    found = _lately().find()
    response = make_response(
        render_template(
            "public/status/page.html",
            accounts=found["database"] and found["redis"],
            files=found["storage"],
            answers=_answers(found),
        )
    )
    response.cache_control.public = True
    response.cache_control.max_age = FRESH_SECONDS
    return response


def _answers(found: Mapping[str, bool]) -> Answers:
    if not found["engine"]:
        return Answers.WAIT
    return Answers.COME if found["is_quick"] else Answers.SLOW


def _look() -> dict[str, bool]:
    return {**health.find(), "is_quick": _is_quick()}


def _is_quick() -> bool:
    try:
        with unit_of_work() as db:
            oldest_at = fleet.read(db).oldest_at
    except SQLAlchemyError:
        # Then it says already that more than that is away.
        return False
    return oldest_at is None or (utc_now() - oldest_at).total_seconds() < SLOW_SECONDS


@lru_cache(maxsize=1)
def _lately() -> Lately:
    return Lately(_look, FRESH_SECONDS)
