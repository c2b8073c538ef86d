"""Noting facts about the user whose turn runs, and taking them out."""

from agent.tools.registry import Arguments, ToolRefused
from gateways import values
from gateways.values import BadValue
from models.errors import NotFound
from models.memory import notes
from models.memory.notes import WORDS_MAX_LENGTH
from models.schema.memory import MemoryNote, NoteAuthor
from tasks.worker.tools.access import Caller

BAD_FACT = f"`fact` must be one line of 1 to {WORDS_MAX_LENGTH} characters."


def remember(caller: Caller, given: Arguments) -> str:
    """Note a fact, or let it replace a note; what is noted already is not noted twice."""
    try:
        words = values.line(given.get("fact"), most=WORDS_MAX_LENGTH, least=1)
    except BadValue as odd:
        raise ToolRefused(BAD_FACT) from odd
    job = caller.job
    notes.refuse_if_not_remembered(caller.db, job.conversation_id)
    where = {"conversation_id": job.conversation_id, "message_id": job.message_id}
    by = NoteAuthor.ASSISTANT
    if given.get("instead_of") is None:
        note = notes.add(caller.db, caller.user.id, words, author=by, **where)
    else:
        note = _find(caller, given.get("instead_of"))
        notes.edit(caller.db, note, words, author=by, **where)
    return f"Noted: #{note.number}."


def forget(caller: Caller, given: Arguments) -> str:
    """Take a note out by its number; the user can restore it for a while."""
    notes.refuse_if_not_remembered(caller.db, caller.job.conversation_id)
    note = _find(caller, given.get("number"))
    notes.remove(caller.db, note, author=NoteAuthor.ASSISTANT)
    return f"Taken out: #{note.number}. They can restore it at /memory for an hour."


def _find(caller: Caller, given: object) -> MemoryNote:
    number = values.integer(given)
    try:
        return notes.find_by_number(caller.db, caller.user.id, number)
    except NotFound as missing:
        raise ToolRefused(f"There is no note #{number}.") from missing
