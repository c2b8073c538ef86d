"""The page of memory: what the assistant knows, as single notes, and how they came about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from flask import Blueprint, Response, flash, render_template, request, url_for

import actions.memory
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.chat import conversations, search
from models.errors import Refused
from models.memory import changes, notes
from models.memory.changes import Step
from models.memory.notes import MOST_NOTES, WORDS_MAX_LENGTH, BadNote, NoteDeleted
from models.people import users
from models.people.users import NEEDS_MAX_LENGTH
from models.schema.memory import MemoryNote, NoteAuthor
from models.translation import gettext
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.formats import local_day
from webapp.core.htmx import Answer, go_to

pages = Blueprint("memory", __name__)

QUERY_MAX_LENGTH = 300
HISTORY_LENGTH = 12
# A form comes back with no more of what was typed.
TYPED_CHARS = 5_000


@dataclass(frozen=True)
class Page:
    """What is shown: notes by day, newest first, or those found by `query`.

    `titles` are of the conversations in which they were said.
    """

    query: str
    days: Sequence[tuple[str, Sequence[MemoryNote]]]
    found: Sequence[MemoryNote]
    titles: Mapping[UUID, str]
    steps: Sequence[Step]
    earlier: UUID | None

    @property
    def is_empty(self) -> bool:
        return not (self.days or self.query)


@pages.get("/memory")
@member_required
def show() -> Answer:
    """Show all notes, or with `q` those that have some of these words."""
    return _page()


@pages.post("/memory")
@member_required
def create() -> Answer:
    """Note something by hand; refusals keep what was typed."""
    typed = request.form.get("words", "")
    try:
        notes.add(db(), current_user().id, _said(typed), author=NoteAuthor.USER)
    except Refused as refusal:
        return _page(typed=typed[:TYPED_CHARS], refusal=sentence_of(refusal)), 422
    return _done(gettext("Noted. Your assistant knows from the next message on."))


@pages.post("/memory/about")
@member_required
def edit_about() -> Answer:
    """Change what the user wants help with; refusals keep what was typed."""
    typed = request.form.get("needs", "")
    try:
        users.say_needs(current_user(), typed)
    except Refused as refusal:
        return _page(needs=typed[:TYPED_CHARS], about_refusal=sentence_of(refusal)), 422
    return _done(gettext("Saved. Your assistant knows from the next message on."))


@pages.get("/memory/<uuid:note_id>")
@member_required
def show_one(note_id: UUID) -> Answer:
    """Show the form that changes or deletes a note; of a deleted one, that it is."""
    note = notes.find_own(db(), current_user().id, note_id)
    return _form_page(note, note.words, sentence_of(NoteDeleted()) if note.deleted_at else "")


@pages.post("/memory/<uuid:note_id>")
@member_required
def edit(note_id: UUID) -> Answer:
    """Let a note say something else; refusals keep what was typed."""
    note = notes.find_own(db(), current_user().id, note_id)
    typed = request.form.get("words", "")
    try:
        notes.edit(db(), note, _said(typed), author=NoteAuthor.USER)
    except Refused as refusal:
        return _form_page(note, typed[:TYPED_CHARS], sentence_of(refusal)), 422
    return _done(gettext("Changed. Your assistant knows from the next message on."))


@pages.post("/memory/<uuid:note_id>/deletion")
@member_required
def delete(note_id: UUID) -> Response:
    """Delete a note; for an hour it can be restored."""
    note = notes.find_own(db(), current_user().id, note_id)
    notes.remove(db(), note, author=NoteAuthor.USER)
    return _done(gettext("Deleted. You can undo this for an hour, below under “What changed”."))


@pages.post("/memory/<uuid:note_id>/erasure")
@member_required
def erase(note_id: UUID) -> Response:
    """Delete a note for good, with its history."""
    actions.memory.erase(db(), current_user().id, note_id)
    return _done(gettext("Deleted for good."))


@pages.post("/memory/changes/<uuid:change_id>/undo")
@member_required
def undo(change_id: UUID) -> Response:
    """Take the last change of a note back; refused when another came after it."""
    changes.undo(db(), current_user().id, change_id)
    return _done(gettext("Undone."))


def _said(typed: str) -> str:
    """Return a note in one clean line; refuse what nobody can see."""
    try:
        return values.line(" ".join(typed.split()), most=WORDS_MAX_LENGTH, least=1)
    except BadValue as odd:
        raise BadNote(most=WORDS_MAX_LENGTH) from odd


def _done(words: str) -> Response:
    flash(words)
    return go_to(url_for("memory.show"))


def _page(
    *, typed: str = "", refusal: str = "", needs: str | None = None, about_refusal: str = ""
) -> str:
    user = current_user()
    return render_template(
        "memory/page.html",
        page=_read(),
        typed=typed,
        refusal=refusal,
        needs=user.needs if needs is None else needs,
        about_refusal=about_refusal,
        words_max=WORDS_MAX_LENGTH,
        needs_max=NEEDS_MAX_LENGTH,
    )


def _form_page(note: MemoryNote, typed: str, refusal: str = "") -> str:
    return render_template(
        "memory/edit.html",
        note=note,
        typed=typed,
        refusal=refusal,
        titles=_titles([note]),
        words_max=WORDS_MAX_LENGTH,
    )


def _read() -> Page:
    user_id = current_user().id
    query = " ".join(request.args.get("q", "").split())[:QUERY_MAX_LENGTH].replace("\0", "")
    before = request.args.get("before", type=values.uuid_or_none)
    known = notes.list_own(db(), user_id)
    steps = changes.list_own(db(), user_id, HISTORY_LENGTH + 1, before=before)
    shown = steps[:HISTORY_LENGTH]
    found = _found(query, known) if query else []
    return Page(
        query=query,
        days=[] if query else [(day, list(of)) for day, of in groupby(known, _day)],
        found=found,
        titles=_titles([*known, *(step.note for step in shown)]),
        steps=shown,
        earlier=shown[-1].change.id if len(steps) > HISTORY_LENGTH else None,
    )


def _found(query: str, known: Sequence[MemoryNote]) -> list[MemoryNote]:
    by_number = {note.number: note for note in known}
    found = search.search(db(), current_user(), query, only_notes=True, most=MOST_NOTES)
    return [by_number[one.number] for one in found if one.number in by_number]


def _titles(shown: Sequence[MemoryNote]) -> Mapping[UUID, str]:
    said_in = {note.conversation_id for note in shown if note.conversation_id}
    return conversations.titles(db(), current_user().id, said_in)


def _day(note: MemoryNote) -> str:
    return local_day(note.noted_at)
