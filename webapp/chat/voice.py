"""The microphone of the composer: a recording comes in, and its words go back into the form."""

from flask import Blueprint, Response, jsonify, request

from actions import voice
from actions.attachments import IncomingFile
from actions.sentences.refusals import sentence_of
from gateways import values
from models.chat.transcriptions import StillHearing
from models.errors import Refused
from webapp.chat.routes import limit_uploads
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.errors import Unreadable

pages = Blueprint("voice", __name__)

# What the script may try again as it is, with the same recording.
PASSING = (voice.TranscriberAway, StillHearing)


@pages.post("/voice")
@limit_uploads
@member_required
def hear() -> Response | tuple[Response, int]:
    """Have a recording written down; the same `key` again is the same recording.

    Answers JSON: `text`, or `refusal` with 422, and whether it is worth `trying_again`.
    """
    try:
        return jsonify(text=_hear())
    except Refused as refusal:
        is_passing = isinstance(refusal, PASSING)
        return jsonify(refusal=sentence_of(refusal), trying_again=is_passing), 422


def _hear() -> str:
    key = request.form.get("key", type=values.uuid)
    sent = request.files.get("recording")
    if key is None or sent is None:
        raise Unreadable
    recorded = IncomingFile(sent.filename or "", sent.stream)
    return voice.hear(db(), current_user(), recorded, key).text
