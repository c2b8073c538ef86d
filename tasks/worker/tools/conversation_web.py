"""What a conversation has had of the web before a turn, told to that turn once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps

from sqlalchemy.orm import Session

from actions.web import reading
from agent.tools.registry import Arguments, Handler
from agent.turn import Turn
from models.chat import conversations, sources, uploads
from models.database import unit_of_work
from models.schema.jobs import Job
from tasks.worker.tools import turn_web
from tasks.worker.tools.access import Caller, in_turn
from tasks.worker.tools.turn_web import TurnWeb

# Of the pages that earlier answers read, so many are looked at once more.
MOST_PAGES = 20


@dataclass(frozen=True)
class _Had:
    """What is in the database of it: words latest first, titles with addresses that were read."""

    words: Sequence[str]
    titles: Sequence[tuple[str, str | None]]
    has_files: bool


def recall(turn: Turn, web: TurnWeb) -> None:
    """Let a turn know what its user wrote in the conversation, and what was read in it before.

    A file of an earlier message still stands before the assistant. It is not for within a
    transaction: to take in a long conversation takes seconds, in which a worker that waited for
    its jobs' rows could renew none of its leases.
    """
    with web.hearing:
        if web.has_heard:
            return
        with unit_of_work() as db:
            job = db.get(Job, turn.job_id)
            had = _had(db, job) if job is not None else None
        if had is None:
            # Whatever the assistant does next is refused: there is no message to answer.
            return
        web.hear(had.words)
        web.remember(_earlier(had))
        if had.has_files:
            web.know_of_files()
        web.has_heard = True


def recalling(work: Callable[[Caller, Arguments], str]) -> Handler:
    """Do `work` as `in_turn` does, in a turn that has recalled its conversation before."""
    handler = in_turn(work)

    @wraps(work)
    def _handle(turn: Turn, arguments: Arguments) -> str:
        recall(turn, turn_web.of(turn))
        return handler(turn, arguments)

    return _handle


def _had(db: Session, job: Job) -> _Had:
    earlier = sources.list_earlier(db, job)
    return _Had(
        conversations.words_of_user(db, job.conversation_id),
        [(one.title, one.url if one.is_read else None) for one in earlier],
        uploads.has_any(db, job.conversation_id),
    )


def _earlier(had: _Had) -> Iterator[str]:
    pages = 0
    for title, url in had.titles:
        yield title
        if url is not None and pages < MOST_PAGES:
            pages += 1
            kept = reading.find_kept(url)
            yield kept.text if kept else ""
