"""Pausing and resuming what workers claim, from the page of the queue."""

from flask import Blueprint, request, url_for

from actions.sentences.refusals import sentence_of
from channels import registry
from models.errors import Refused
from models.ops import switch_changes
from models.ops.switches import SENTENCE_MAX_LENGTH, Pause, PauseScope
from models.people.admin_roles import Permission
from models.schema.chat import WEB
from webapp.admin import queue
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_pauses", __name__)


class NoSuchScope(Refused):
    """What is to be paused is none of what there is."""

    code = "no_such_scope"


@pages.post("/admin/queue/pauses")
@allowed_to(Permission.ACT)
def pause() -> Answer:
    """Let no worker claim all messages, or those of a provider or a channel."""
    sentence = request.form.get("sentence", "").strip()[:SENTENCE_MAX_LENGTH]
    given = request.form.get("scope", "")
    try:
        order = ordered()
        scope, name = _scope(given)
        wanted = Pause(scope=scope, name=name, sentence=sentence)
        switch_changes.pause_claiming(db(), order, wanted)
    except Refused as refusal:
        return queue.render(refused="pause", refusal=sentence_of(refusal)), 422
    return _back("Paused. What runs runs on; nothing new begins within five seconds.")


@pages.post("/admin/queue/pauses/end")
@allowed_to(Permission.ACT)
def resume() -> Answer:
    """End a pause."""
    given = request.form.get("scope", "")
    try:
        order = ordered()
        scope, name = _scope(given)
        switch_changes.resume_claiming(db(), order, scope, name)
    except Refused as refusal:
        return queue.render(refused="resume", refusal=sentence_of(refusal)), 422
    return _back("Resumed. Messages go on where they were.")


def _scope(given: str) -> tuple[PauseScope, str]:
    """Read what the form is about: `all`, `provider:openai`, `channel:web`."""
    kind, _, name = given.partition(":")
    scope = next((one for one in PauseScope if one == kind), None)
    known = {
        PauseScope.ALL: {""},
        PauseScope.PROVIDER: set(queue.providers()),
        PauseScope.CHANNEL: {WEB, *(channel.name for channel in registry.installed())},
    }
    if scope is None or name not in known[scope]:
        raise NoSuchScope
    return scope, name


def _back(words: str) -> Answer:
    flash_done(words)
    return go_to(url_for("admin_queue.show", _anchor="pauses"))
