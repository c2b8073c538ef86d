"""Taking all that is one's own along, and bringing it from elsewhere."""

from io import BytesIO
from uuid import UUID

from flask import Blueprint, Response, abort, render_template, request

from actions.archives import exporting, importing
from actions.attachments import IncomingFile, storage
from actions.sentences import archives
from actions.sentences.refusals import sentence_of
from gateways.s3_files import NotStored, StorageFailed
from models.archives import exports
from models.errors import Refused
from models.translation import gettext
from settings import get_settings
from webapp.accounts.preferences import page, saved
from webapp.core.auth import current_user, member_required
from webapp.core.db import commit_and_release, db
from webapp.core.htmx import Answer
from webapp.core.security import import_limit, limiter
from webapp.core.shares import visitor

pages = Blueprint("archives", __name__)


@pages.post("/settings/export")
@member_required
def ask() -> Answer:
    """Have an archive put together."""
    try:
        exporting.ask(db(), current_user())
    except Refused as refusal:
        return page(refusal=sentence_of(refusal), section="archives"), 422
    return saved(gettext("It is being put together. That takes a minute or more."), "archives")


@pages.get("/settings/export")
@member_required
def show_state() -> Answer:
    """Show how the export stands."""
    export = exports.find_newest(db(), current_user().id)
    return render_template("accounts/preferences/_export_state.html", export=export)


@pages.post("/settings/import")
@limiter.limit(import_limit, key_func=visitor)
@member_required
def import_archive() -> Answer:
    """Take an archive in; one that is no good is refused, and nothing of it is kept."""
    sent = request.files.get("archive")
    file = IncomingFile(sent.filename or "", sent.stream) if sent else IncomingFile("", BytesIO())
    try:
        found = importing.import_archive(db(), current_user(), file)
    except Refused as refusal:
        return page(refusal=sentence_of(refusal), section="import"), 422
    return saved(archives.imported(found), "import")


@pages.get("/settings/export/<uuid:export_id>")
@member_required
def download(export_id: UUID) -> Response:
    """Send an archive, piece by piece."""
    export = exports.find_ready(db(), current_user().id, export_id)
    key, size_bytes, day = export.storage_key or "", export.size_bytes, export.created_at
    commit_and_release()
    try:
        pieces = storage().stream(key)
    except NotStored:
        abort(404)
    except StorageFailed:
        abort(503)
    response = Response(pieces, mimetype="application/zip")
    response.content_length = size_bytes
    name = f"{get_settings().product_name.lower()}-{day:%Y-%m-%d}.zip"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response
