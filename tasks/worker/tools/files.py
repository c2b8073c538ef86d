"""Handing over a file of the workspace with the answer that is being written."""

from actions import answer_files as storing
from actions.attachments import drop_after_commit
from actions.sentences.refusals import sentence_of
from agent.tools.registry import FILE, Arguments, ToolRefused, WorkspaceFile
from agent.turn import Turn
from gateways import values
from gateways.values import BadValue
from models import jobs
from models.chat import answer_files, storage_quotas
from models.chat.answer_files import StoredFile
from models.database import unit_of_work
from models.errors import NotFound, Refused
from settings import get_settings

NOT_THERE = (
    "There is no such file in the workspace. Write it first, then hand it over by the same path."
)
EMPTY = "The file is empty. Write something into it first."
OVER = "There is no message to answer."


def hand_over(turn: Turn, given: Arguments) -> str:
    """Let a file go with the answer; no lock is held while it is looked into and stored."""
    file: WorkspaceFile | None = given.get(FILE)
    try:
        _look(turn, len(file.data) if file else 0)
        title = values.line(given.get("title") or "", most=storing.TITLE_MAX_LENGTH)
        stored = _store(turn, file, title)
        _attach(turn, stored)
    except BadValue as odd:
        raise ToolRefused("`title` must be one line of at most 120 characters.") from odd
    except (jobs.LeaseLost, NotFound) as lost:
        raise ToolRefused(OVER) from lost
    except Refused as refusal:
        raise ToolRefused(sentence_of(refusal)) from refusal
    return (
        f"Handed over: {stored.name}, {stored.size_bytes:,} bytes. They find it below your answer"
        " and at /files: say what it is, and do not repeat what is in it."
    )


def _store(turn: Turn, file: WorkspaceFile | None, title: str) -> StoredFile:
    most = get_settings().handed_over_max_bytes
    if file is None:
        raise ToolRefused(NOT_THERE)
    if len(file.data) > most:
        raise ToolRefused(f"The file is too large to be handed over: at most {most:,} bytes.")
    if not file.data:
        raise ToolRefused(EMPTY)
    return storing.keep(turn.user_id, file.path, file.data, title=title)


def _look(turn: Turn, size_bytes: int) -> None:
    """Refuse what will be refused, before anything is stored."""
    with unit_of_work() as db:
        user, _ = jobs.lock_held(db, turn.job_id, turn.attempt)
        storage_quotas.refuse_if_full(db, user.id, size_bytes)


def _attach(turn: Turn, stored: StoredFile) -> None:
    try:
        with unit_of_work() as db:
            _, job = jobs.lock_held(db, turn.job_id, turn.attempt)
            drop_after_commit(db, answer_files.attach(db, job, stored))
    except BaseException:
        storing.discard(stored)
        raise
