"""Files that were sent, given back to whoever sent them and to nobody else."""

from io import BytesIO
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, request, send_file

from actions.attachments import storage
from gateways.s3_files import NotStored, StorageFailed
from models.chat import uploads
from webapp.core.auth import current_user, login_required
from webapp.core.db import commit_and_release, db
from webapp.core.htmx import Answer

pages = Blueprint("uploads", __name__)

# Whatever a file holds, it can do nothing: no scripts, no styles, no origin of ours.
POLICY = "default-src 'none'; sandbox"


@pages.get("/uploads/<uuid:upload_id>")
@login_required
def show(upload_id: UUID) -> Answer:
    """Send one of the person's own files: pictures to look at, all others to keep."""
    upload = uploads.find_own(db(), current_user().id, upload_id)
    key, media_type, name, is_image = (
        upload.storage_key,
        upload.media_type,
        upload.name,
        upload.is_image,
    )
    if request.if_none_match.contains(str(upload_id)):
        return _guarded(make_response("", 304), upload_id)
    commit_and_release()
    try:
        data = storage().get(key)
    except NotStored:
        abort(404)
    except StorageFailed:
        abort(503)
    sent = send_file(
        BytesIO(data), mimetype=media_type, as_attachment=not is_image, download_name=name
    )
    return _guarded(sent, upload_id)


def _guarded(response: Response, upload_id: UUID) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    # It never changes; but who has logged out meanwhile must not see it.
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(str(upload_id))
    return response
