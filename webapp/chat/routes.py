"""Talking to the assistant: conversations as pages, and sending."""

from os import SEEK_END
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from flask.globals import app_ctx
from werkzeug.datastructures import FileStorage

from actions import attachments, offers, quotes
from actions.quotes import CostConfirmationRequired
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models import jobs, ledger
from models.base import new_id
from models.chat import conversations, pending_uploads, storage_quotas
from models.database import after_commit
from models.errors import NotFound, Refused
from models.people import users
from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.uploads import PendingUpload, SentFile
from webapp.chat import page_state
from webapp.chat.answers import publish_asked, render_exchange
from webapp.chat.event_stream import ConversationStream, Cursor
from webapp.chat.listing import ConversationList
from webapp.chat.prewarm import prewarm_debouncer
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
    """Go on with the conversation that was used last; begin one if there is none."""
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
    staged: list[PendingUpload] = []
    files: list[SentFile] = []
    try:
        staged = pending_uploads.find_own(db(), current_user().id, _staged_ids())
        files = _keep_files()
        conversation, job = _ask(conversation_id, words, files, staged)
    except NotFound:
        raise
    except jobs.AlreadySent as before:
        # As if only this one had come.
        conversation = conversations.find_own(db(), current_user().id, before.job.conversation_id)
        return _sent(conversation, before.job, is_first=conversation_id is None)
    except CostConfirmationRequired as question:
        return _ask_first(conversation_id, words, question, [*(one.file for one in staged), *files])
    except Refused as refusal:
        return _refuse(conversation_id, words, refusal, staged)
    after_commit(db(), lambda: publish_asked(job))
    commit_and_release()
    return _sent(conversation, job, is_first=conversation_id is None)


def _keep_files() -> list[SentFile]:
    sent = request.files.getlist("files")
    chosen = [file for file in sent if file.filename]
    if chosen:
        # Before anything is stored: nothing of theirs is kept for who may not send.
        user = current_user()
        jobs.refuse_if_unable(db(), user)
        storage_quotas.refuse_if_full(db(), user.id, sum(map(_size_bytes, chosen)))
        commit_and_release()
    return attachments.keep(current_user(), sent)


def _size_bytes(file: FileStorage) -> int:
    """Measure a file of the form, which is in memory or in a temporary file by now."""
    size = file.stream.seek(0, SEEK_END)
    file.stream.seek(0)
    return size


def _staged_ids() -> set[UUID]:
    """Read which files of an earlier try the form carries on."""
    try:
        return {values.uuid(given) for given in request.form.getlist("staged")}
    except BadValue as nonsense:
        raise pending_uploads.FilesGone from nonsense


def _ask(
    conversation_id: UUID | None,
    words: str,
    files: list[SentFile],
    staged: list[PendingUpload],
) -> tuple[Conversation, Job]:
    every = [*(one.file for one in staged), *files]
    try:
        # A refusal undoes this much, and leaves a session to draw the page with.
        with db().begin_nested():
            # The lock comes first: nobody deletes the conversation between looking and writing.
            person = ledger.lock_account(db(), current_user().id)
            if conversation_id is None:
                conversation = conversations.start(db(), person.id)
            else:
                conversation = conversations.find_own(db(), person.id, conversation_id)
            pending_uploads.take(db(), person.id, [one.id for one in staged])
            allowed = quotes.allowance(
                db(),
                person,
                conversation_id,
                words,
                every,
                agreed_micros=request.form.get("agreed_micros", 0, type=values.integer),
            )
            job = jobs.ask(
                db(),
                conversation,
                words,
                model=offers.current(person).id,
                files=every,
                cost_limit_micros=allowed,
                sent_key=request.form.get("sent_key", type=values.uuid),
            )
            return conversation, job
    except CostConfirmationRequired:
        raise
    except BaseException:
        attachments.drop(file.storage_key for file in files)
        raise


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
    conversation_id: UUID | None,
    words: str,
    question: CostConfirmationRequired,
    files: list[SentFile],
) -> Answer:
    """Ask whether a message may cost so much; the words and files stay in the form."""
    quote = question.quote_micros
    known = pending_uploads.find_own(db(), current_user().id, _staged_ids())
    kept = {one.storage_key for one in known}
    new = [file for file in files if file.storage_key not in kept]
    if is_partial():
        # The browser still has these files, and sends them again.
        attachments.drop(file.storage_key for file in new)
        html = render_template("chat/_question.html", quote_micros=quote)
        return part(html, 422, retarget="#composer-notice", reswap="innerHTML")
    try:
        ledger.lock_account(db(), current_user().id)
        storage_quotas.refuse_if_much_staged(
            db(), current_user().id, sum(one.size_bytes for one in new)
        )
    except Refused as refusal:
        attachments.drop(file.storage_key for file in new)
        return _refuse(conversation_id, words, refusal, known)
    staged = [*known, *pending_uploads.stage(db(), current_user().id, new)]
    page = page_state.read(_find(conversation_id), draft=words, staged=staged, quote_micros=quote)
    return page_state.drawn(page)


def _refuse(
    conversation_id: UUID | None, words: str, refusal: Refused, staged: list[PendingUpload]
) -> Answer:
    if is_partial():
        html = render_template("chat/_refusal.html", text=sentence_of(refusal))
        return part(html, 422, retarget="#composer-notice", reswap="innerHTML")
    page = page_state.read(
        _find(conversation_id), draft=words, staged=staged, refusal=sentence_of(refusal)
    )
    return page_state.drawn(page, 422)


def _find(conversation_id: UUID | None) -> Conversation | None:
    if conversation_id is None:
        return None
    return conversations.find_own(db(), current_user().id, conversation_id)
