"""A user's lists, to look at and to tick off."""

from itertools import groupby
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models import lists
from models.errors import Refused
from models.lists import BadListItem
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("lists", __name__)

TYPED_CHARS = 500


@pages.get("/lists")
@member_required
def show() -> Answer:
    """Show all lists."""
    return _page()


@pages.post("/lists")
@member_required
def add() -> Answer:
    """Put something on a list; refusals keep what was typed."""
    try:
        name = _read(request.form.get("list", ""), lists.NAME_MAX_LENGTH)
        words = _read(request.form.get("words", ""), lists.WORDS_MAX_LENGTH)
        lists.add(db(), current_user().id, name, [words])
    except Refused as refusal:
        return _page(sentence_of(refusal)), 422
    return _back(lists.named(name))


@pages.post("/lists/<uuid:item_id>/tick")
@member_required
def tick(item_id: UUID) -> Response:
    """Tick something off, or put it back."""
    item = lists.find_own(db(), current_user().id, item_id)
    name = item.list_name
    lists.tick(db(), item, is_done=item.done_at is None)
    return _back(name)


@pages.post("/lists/clearing")
@member_required
def clear() -> Response:
    """Delete what is ticked off on a list."""
    name = _read(request.form.get("list", ""), lists.NAME_MAX_LENGTH)
    lists.clear(db(), current_user().id, name, only_done=True)
    return _back(name)


def _read(typed: str, most: int) -> str:
    try:
        return values.line(typed, most=most, least=1)
    except BadValue as odd:
        raise BadListItem(most=most) from odd


def _back(name: str) -> Response:
    return go_to(url_for("lists.show", _anchor=f"list-{name.replace(' ', '-')}"))


def _page(refusal: str = "") -> str:
    items = lists.show(db(), current_user().id)
    grouped = {name: list(group) for name, group in groupby(items, lambda one: one.list_name)}
    form = request.form
    return render_template(
        "lists/page.html",
        lists=grouped,
        refusal=refusal,
        typed_list=form.get("list", "")[:TYPED_CHARS] if refusal else "",
        typed_words=form.get("words", "")[:TYPED_CHARS] if refusal else "",
    )
