"""What the assistant handed over, given to its user and to nobody else: to keep, never to run."""

from io import BytesIO
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, request, send_file

from actions.attachments import storage
from gateways.s3_files import NotStored, StorageFailed
from models.archives import imported
from models.chat import answer_files
from models.errors import NotFound
from webapp.core.auth import current_user, login_required
from webapp.core.db import commit_and_release, db
from webapp.core.htmx import Answer

pages = Blueprint("downloads", __name__)

# Whatever a file holds, it can do nothing: no scripts, no styles, no origin of ours.
POLICY = "default-src 'none'; sandbox"
ANY = "application/octet-stream"
# What our own helper makes.
THUMBNAILS = {b"\xff\xd8": "image/jpeg", b"RI": "image/webp"}


@pages.get("/files/made/<uuid:file_id>/download")
@login_required
def download(file_id: UUID) -> Answer:
    """Send a file to be kept. No browser is told that it is anything to be shown."""
    file = answer_files.find_own(db(), current_user().id, file_id)
    return _to_keep(file.name, file.storage_key)


@pages.get("/files/imported/<uuid:file_id>/download")
@login_required
def download_imported(file_id: UUID) -> Answer:
    """Send a file that came with an archive, to be kept like any other."""
    file = imported.find_own(db(), current_user().id, file_id)
    return _to_keep(file.name, file.storage_key)


@pages.get("/files/made/<uuid:file_id>/thumbnail")
@login_required
def thumbnail(file_id: UUID) -> Answer:
    """Send the small picture that a helper made of one."""
    file = answer_files.find_own(db(), current_user().id, file_id)
    key = file.thumbnail_key
    if key is None:
        raise NotFound
    if request.if_none_match.contains(str(file_id)):
        return _kept(make_response("", 304), file_id)
    commit_and_release()
    data = _fetch(key)
    return _kept(send_file(BytesIO(data), mimetype=THUMBNAILS.get(data[:2], ANY)), file_id)


def _to_keep(name: str, key: str) -> Response:
    commit_and_release()
    sent = send_file(BytesIO(_fetch(key)), mimetype=ANY, as_attachment=True, download_name=name)
    return _guarded(sent)


def _fetch(key: str) -> bytes:
    try:
        return storage().get(key)
    except NotStored:
        abort(404)
    except StorageFailed:
        abort(503)


def _kept(response: Response, file_id: UUID) -> Response:
    response.set_etag(str(file_id))
    return _guarded(response, cache="private, no-cache")


def _guarded(response: Response, *, cache: str = "private, no-store") -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = cache
    return response
