"""How large a request may be, and of how many fields: looked at before anything reads it."""

from functools import partial
from typing import cast

from flask import Flask, abort, request, session

from settings import Settings
from webapp.core.auth import USER

# Their forms hold a message, and files beside it.
WITH_FILES = {"chat.start", "chat.say"}
RECORDINGS = {"voice.hear"}
ARCHIVES = {"archives.import_archive"}
CALENDARS = {"calendar.bring_in"}
CALENDAR_BYTES = 1024 * 1024
WEBHOOK_BYTES = 512 * 1024
CHANNEL_WEBHOOK_BYTES = 1024 * 1024
# What companies hand in is no form: its view reads it once it knows whose it is.
WEBHOOKS = {
    "stripe_webhooks.hear": WEBHOOK_BYTES,
    "channel_webhooks.receive": CHANNEL_WEBHOOK_BYTES,
}
URLENCODED = "application/x-www-form-urlencoded"


def install(app: Flask, settings: Settings) -> None:
    """Answer 413 to what is larger than its page needs. Call it before whatever reads a form."""
    config = cast(dict[str, object], app.config)
    # For all that no endpoint is found for, too.
    config.update(
        MAX_CONTENT_LENGTH=settings.form_max_bytes,
        MAX_FORM_MEMORY_SIZE=settings.form_max_bytes,
        MAX_FORM_PARTS=settings.form_max_fields,
    )
    app.before_request(partial(_bound, settings))


def _bound(settings: Settings) -> None:
    if request.endpoint in WEBHOOKS:
        request.max_content_length = WEBHOOKS[request.endpoint]
        return
    if request.endpoint in WITH_FILES and session.get(USER):
        words = settings.message_form_max_bytes
        files = settings.upload_max_bytes * settings.upload_max_files
        is_plain = request.mimetype == URLENCODED
        request.max_content_length = words if is_plain else files + words
        request.max_form_memory_size = words
    elif request.endpoint in ARCHIVES and session.get(USER):
        request.max_content_length = settings.import_max_bytes + settings.form_max_bytes
    elif request.endpoint in RECORDINGS and session.get(USER):
        request.max_content_length = settings.voice_max_bytes + settings.form_max_bytes
    elif request.endpoint in CALENDARS and session.get(USER):
        request.max_content_length = CALENDAR_BYTES + settings.form_max_bytes
    # Werkzeug counts the parts of one kind of form alone.
    if request.mimetype == URLENCODED:
        body = request.get_data()
        # What comes in pieces is cut at the limit; a form that is cut says something else.
        is_cut = len(body) >= (request.max_content_length or 0)
        if is_cut or body.count(b"&") >= settings.form_max_fields:
            abort(413)
