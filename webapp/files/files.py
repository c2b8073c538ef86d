"""The pages of a user's files: all of them, one of them, and deleting it."""

from uuid import UUID

from flask import Blueprint, Response, flash, render_template, request, url_for

from actions import file_previews
from actions import files as deleting
from gateways import values
from models.chat import files, storage_quotas
from models.chat.files import FileKind, UserFile
from models.errors import NotFound
from models.translation import gettext
from settings import get_settings
from webapp.core.auth import current_user, member_required
from webapp.core.db import commit_and_release, db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("files", __name__)

KINDS: dict[str, tuple[FileKind, ...]] = {
    "": tuple(FileKind),
    **{str(kind): (kind,) for kind in FileKind},
}


@pages.get("/files")
@member_required
def show_all() -> Answer:
    """Show the files of a kind, or of both; `before` goes further back."""
    kind = request.args.get("kind", "")
    before = request.args.get("before", type=values.uuid_or_none)
    listed = files.list_own(db(), current_user().id, KINDS.get(kind, KINDS[""]), before=before)
    return render_template(
        "files/page.html",
        listed=listed,
        kind=kind if kind in KINDS else "",
        used_bytes=storage_quotas.used(db(), current_user().id).uploads_bytes,
        limit_bytes=get_settings().uploads_max_bytes_per_user,
        content_url=content_url,
        picture_url=picture_url,
    )


@pages.get("/files/<kind>/<uuid:file_id>")
@member_required
def show(kind: str, file_id: UUID) -> Answer:
    """Show one file, with what can be seen of it."""
    user = current_user()
    file = files.find_own(db(), user.id, _kind(kind), file_id)
    titles = files.titles_of(db(), (file,))
    commit_and_release()
    words, is_cut = file_previews.read(user, file)
    return render_template(
        "files/file.html",
        file=file,
        title=titles.get(file.conversation_id, "") if file.conversation_id else "",
        words=words,
        is_cut=is_cut,
        content_url=content_url,
        picture_url=picture_url,
    )


@pages.post("/files/<kind>/<uuid:file_id>/deletion")
@member_required
def delete(kind: str, file_id: UUID) -> Response:
    """Delete a file for good."""
    deleting.DELETE[_kind(kind)](db(), current_user(), file_id)
    flash(gettext("Deleted."))
    return go_to(url_for("files.show_all"))


def content_url(file: UserFile) -> str:
    """Return where a file is downloaded."""
    if file.kind is FileKind.SENT:
        return url_for("uploads.show", upload_id=file.id)
    is_imported = file.kind is FileKind.IMPORTED
    page = "downloads.download_imported" if is_imported else "downloads.download"
    return url_for(page, file_id=file.id)


def picture_url(file: UserFile) -> str:
    """Return where a picture is looked at."""
    if file.kind is FileKind.SENT:
        return url_for("uploads.show", upload_id=file.id)
    return url_for("downloads.thumbnail", file_id=file.id)


def _kind(given: str) -> FileKind:
    if given not in list(FileKind):
        raise NotFound
    return FileKind(given)
