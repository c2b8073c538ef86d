"""Searches of the web: each is one call, held before the engine is asked, with one charge."""

from uuid import UUID

from sqlalchemy.orm import Session

from models.base import new_id
from models.ledger import calls, limits
from models.schema.jobs import Job
from models.schema.model_calls import CallKind, ModelCall
from models.schema.users import User

# What stands behind the name of an engine where a model is named.
NAME = "web_search"


def open_search(db: Session, user: User, job: Job, *, engine: str, held_micros: int) -> UUID:
    """Hold what a search for a held job costs its locked user; return the id of the call.

    What it costs is known before, so that every limit holds, the message's own too. Raises
    OutOfCredit, SpendingFrozen or LimitReached.
    """
    bound = min(limits.bounds(db, user, job), key=lambda one: one.left_micros)
    if not user.is_frozen and bound.left_micros < held_micros:
        raise bound.refusal
    call = ModelCall(
        id=new_id(),
        kind=CallKind.SEARCH,
        job_id=job.id,
        attempt=job.attempt,
        model=f"{engine}/{NAME}",
        held_micros=held_micros,
    )
    calls.hold(db, user, call)
    return call.id
