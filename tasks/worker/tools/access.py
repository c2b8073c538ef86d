"""Who a tool works for: the user of the job that the worker still holds, proved in each call."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps

from sqlalchemy.orm import Session

from actions.sentences.refusals import sentence_of
from agent.tools.registry import Arguments, Handler, ToolRefused
from agent.turn import Turn
from gateways.values import BadValue
from models import jobs
from models.database import unit_of_work
from models.errors import Refused
from models.schema.jobs import Job
from models.schema.users import User


@dataclass(frozen=True)
class Caller:
    """The user and the job of a running turn, both locked, and the transaction of the call."""

    db: Session
    user: User
    job: Job
    turn: Turn


@contextmanager
def as_caller(turn: Turn) -> Generator[Caller]:
    """A transaction as the user of a turn, which is committed at the end.

    Raises ToolRefused when the turn is over, and with the sentence of what is refused in it.
    """
    with told_in_words(), unit_of_work() as db:
        user, job = jobs.lock_held(db, turn.job_id, turn.attempt)
        yield Caller(db, user, job, turn)


@contextmanager
def told_in_words() -> Generator[None]:
    """Turn what is refused into a ToolRefused with its sentence."""
    try:
        yield
    except jobs.LeaseLost as lost:
        raise ToolRefused("There is no message to answer.") from lost
    except Refused as refusal:
        raise ToolRefused(sentence_of(refusal)) from refusal
    except BadValue as odd:
        raise ToolRefused("An argument is missing or not of its form; see the schema.") from odd


def in_turn(work: Callable[[Caller, Arguments], str]) -> Handler:
    """Do `work` in a transaction of its own, as the user of the turn; see `as_caller`."""

    @wraps(work)
    def handler(turn: Turn, arguments: Arguments) -> str:
        with as_caller(turn) as caller:
            return work(caller, arguments)

    return handler
