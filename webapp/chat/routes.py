"""Talking to the assistant: conversations as pages, and sending."""

from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from flask.globals import app_ctx

from actions import offers, sending
from actions.attachments import IncomingFile
from actions.quotes import CostConfirmationRequired
from actions.sending import Incoming
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.base import new_id
from models.chat import conversations, pending_uploads
from models.errors import NotFound, Refused
from models.people import users
from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.uploads import PendingUpload
from webapp.chat import page_state
from webapp.chat.answers import render_exchange
from webapp.chat.event_stream import ConversationStream
from webapp.chat.frames import Cursor
from webapp.chat.listing import ConversationList
from webapp.chat.page_state import Unsent
from webapp.chat.prewarm import prewarm_debouncer
from webapp.core import detours
from webapp.core.auth import current_user, member_required
from webapp.core.db import commit_and_release, db
from webapp.core.db_slots import in_turn
from webapp.core.htmx import Answer, go_to, is_partial, part
from webapp.core.live import hub
from webapp.core.security import body_bytes, limiter, upload_limit
from webapp.core.shares import hold_stream, visitor

pages = Blueprint("chat", __name__)
pages.add_app_template_global(new_id, "new_key")
limit_uploads = limiter.shared_limit(
    upload_limit, scope="uploads", key_func=visitor, cost=body_bytes
)

STREAM_HEADERS = {
    "Cache-Control": "no-store, no-transform",
    # Nginx and its kin would hold the words back.
    "X-Accel-Buffering": "no",
}


@pages.get("/chat")
@member_required
def show_latest() -> Answer:
    """Go on with the conversation that was used last; begin one if there is none.

    Who had to sign up on their way to another page is led there first.
    """
    detour = detours.take()
    if detour is not None:
        return go_to(detour)
    mine = conversations.list_own(db(), current_user().id, limit=1)
    if mine:
        return go_to(url_for("chat.show", conversation_id=mine[0].id))
    prewarm_debouncer().note(current_user().id)
    return page_state.whole(page_state.read(None))


@pages.get("/chat/new")
@member_required
def show_new() -> Answer:
    """Offer an empty conversation; it is kept from its first message on."""
    prewarm_debouncer().note(current_user().id)
    return page_state.whole(page_state.read(None))


@pages.get("/chat/<uuid:conversation_id>")
@member_required
def show(conversation_id: UUID) -> Answer:
    """Show a conversation, or with `before` the page of it that ends there."""
    conversation = conversations.find_own(db(), current_user().id, conversation_id)
    before = request.args.get("before", type=values.uuid)
    page = page_state.read(conversation, before=before)
    if before is not None and is_partial():
        return render_template("chat/_history.html", page=page)
    prewarm_debouncer().note(current_user().id)
    return page_state.whole(page)


@pages.get("/chat/<uuid:conversation_id>/events")
@in_turn
@member_required
def follow(conversation_id: UUID) -> Response:
    """Stream what happens in a conversation, on from `Last-Event-ID` or `after`.

    With `once` it ends as soon as it has told what happened until now, and counts for no share of
    live streams: it is what a browser does whose share is taken.
    """
    user_id = current_user().id
    conversations.find_own(db(), user_id, conversation_id)
    commit_and_release()
    given = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    # Werkzeug's request hangs in it too, with all that it has parsed: kilobytes for each stream.
    request.environ.pop("werkzeug.request", None)
    stream = ConversationStream(
        app_ctx.app, request.environ, hub(), conversation_id, Cursor.parse(given)
    )
    if "once" in request.args:
        return Response(stream.missed(), mimetype="text/event-stream", headers=STREAM_HEADERS)
    frames = Response(stream.frames(), mimetype="text/event-stream", headers=STREAM_HEADERS)
    return hold_stream(frames, user_id)


@pages.post("/chat")
@limit_uploads
@member_required
def start() -> Answer:
    """Begin a conversation with its first message."""
    return _send(None)


@pages.post("/chat/<uuid:conversation_id>/messages")
@limit_uploads
@member_required
def say(conversation_id: UUID) -> Answer:
    """Send a message in a conversation."""
    return _send(conversation_id)


@pages.post("/chat/model")
@member_required
def choose_model() -> Answer:
    """Let another model answer from the next message on; refuse one that is not offered."""
    users.choose_model(current_user(), offers.find(request.form.get("model", "")).id)
    return go_to(url_for("chat.show_latest")) if not is_partial() else ("", 204)


def _send(conversation_id: UUID | None) -> Answer:
    words = request.form.get("text", "").replace("\r\n", "\n")
    try:
        incoming = _read_form(conversation_id, words)
        sent = sending.send(db(), current_user(), incoming, hub())
    except NotFound:
        raise
    except CostConfirmationRequired as question:
        return _ask_first(conversation_id, words, question)
    except Refused as refusal:
        return _refuse(conversation_id, words, refusal)
    commit_and_release()
    return _sent(sent.conversation, sent.job, is_first=conversation_id is None)


def _read_form(conversation_id: UUID | None, words: str) -> Incoming:
    chosen = [file for file in request.files.getlist("files") if file.filename]
    return Incoming(
        words,
        files=[IncomingFile(file.filename or "", file.stream) for file in chosen],
        staged_ids=_staged_ids(),
        conversation_id=conversation_id,
        sent_key=request.form.get("sent_key", type=values.uuid),
        agreed_micros=request.form.get("agreed_micros", 0, type=values.integer),
        is_research=_wants_research(),
        thinks_longer=_thinks_longer(),
        # With scripts the form stays as it is, files and all.
        resends_files=is_partial(),
    )


def _wants_research() -> bool:
    return bool(request.form.get("research"))


def _thinks_longer() -> bool:
    return bool(request.form.get("thinks_longer"))


def _staged_ids() -> frozenset[UUID]:
    """Read which files of an earlier try the form carries on."""
    try:
        return frozenset(values.uuid(given) for given in request.form.getlist("staged"))
    except BadValue as nonsense:
        raise pending_uploads.FilesGone from nonsense


def _sent(conversation: Conversation, job: Job, *, is_first: bool) -> Answer:
    if not is_partial():
        return go_to(url_for("chat.show", conversation_id=conversation.id))
    if not is_first:
        return render_exchange(conversation, job)
    html = render_template(
        "chat/_started.html",
        page=page_state.read(conversation),
        listed=ConversationList.read(open_id=conversation.id),
    )
    return part(html, push_url=url_for("chat.show", conversation_id=conversation.id))


def _ask_first(
    conversation_id: UUID | None, words: str, question: CostConfirmationRequired
) -> Answer:
    """Ask whether a message may cost so much; the words and files stay in the form."""
    quote = question.quote_micros
    if is_partial():
        html = render_template(
            "chat/_question.html", quote_micros=quote, is_research=question.is_research
        )
        return part(html, 422, retarget="#composer-notice", reswap="innerHTML")
    page = page_state.read(
        _find(conversation_id),
        unsent=Unsent(
            words,
            question.staged,
            quote_micros=quote,
            is_research=question.is_research,
            thinks_longer=_thinks_longer(),
        ),
    )
    return page_state.drawn(page)


def _refuse(conversation_id: UUID | None, words: str, refusal: Refused) -> Answer:
    if is_partial():
        html = render_template("chat/_refusal.html", text=sentence_of(refusal))
        return part(html, 422, retarget="#composer-notice", reswap="innerHTML")
    page = page_state.read(
        _find(conversation_id),
        unsent=Unsent(
            words,
            _still_staged(),
            sentence_of(refusal),
            is_research=_wants_research(),
            thinks_longer=_thinks_longer(),
        ),
    )
    return page_state.drawn(page, 422)


def _still_staged() -> list[PendingUpload]:
    try:
        return pending_uploads.find_own(db(), current_user().id, _staged_ids())
    except pending_uploads.FilesGone:
        return []


def _find(conversation_id: UUID | None) -> Conversation | None:
    if conversation_id is None:
        return None
    return conversations.find_own(db(), current_user().id, conversation_id)
