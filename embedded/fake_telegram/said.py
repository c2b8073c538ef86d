"""What a person says: the contents of the messages that one sending makes."""

from typing import Any

from embedded.fake_telegram import contents, voice_notes
from embedded.fake_telegram.errors import Body, bad_request
from embedded.fake_telegram.files import Files
from embedded.fake_telegram.given import Given, Upload
from embedded.fake_telegram.texts import utf16_length

MOST_IN_ALBUM = 10
# What stands for a film that nobody has made.
FILM = Upload("note.mp4", "video/mp4", b"\0\0\0\x18ftypmp42")


def said(given: Given, uploads: list[Upload], files: Files) -> list[Body]:
    """Return the content of each message that a sending makes; refuse what it cannot be.

    `kind` names what is sent: text, one of the kinds of files, album, location, contact, sticker.
    """
    kind = given.text("kind") or "text"
    if kind == "text":
        return [contents.text(part, None) for part in parts(given.text("text"))]
    if kind == "album":
        return _album(given, uploads, files)
    if kind in contents.MEDIA:
        return [_media(kind, given, _upload(kind, given, uploads), files)]
    if kind == "sticker":
        return [contents.sticker(files, given.text("emoji") or "🙂")]
    if kind == "location":
        return [{"location": _location(given)}]
    if kind == "contact":
        return [{"contact": _contact(given)}]
    raise bad_request(f"nobody can say {kind!r}")


def parts(text: str) -> list[str]:
    """Cut a text that is too long for one message, as people's apps do."""
    kept, length = [""], 0
    for char in text:
        length += utf16_length(char)
        if length > contents.MOST_TEXT:
            kept.append("")
            length = utf16_length(char)
        kept[-1] += char
    return kept


def _media(kind: str, given: Given, upload: Upload, files: Files) -> Body:
    # A file may say that it is larger than it is, so that nobody has to send so much.
    pretended = given.whole("size_bytes") or None
    made = contents.media(kind, files, upload, pretended)
    return {**made, **contents.caption(given.text("caption"), None)}


def _upload(kind: str, given: Given, uploads: list[Upload]) -> Upload:
    words = given.text("words")
    if kind == "voice" and not uploads:
        return Upload("voice.wav", voice_notes.MEDIA_TYPE, voice_notes.sample(words))
    if kind == "video_note" and not uploads:
        return FILM
    if not uploads:
        raise bad_request(f"there is no {kind} in the request")
    given_upload = uploads[0]
    spoken = voice_notes.with_words(given_upload.content, words)
    return Upload(given_upload.name, given_upload.media_type, spoken)


def _album(given: Given, uploads: list[Upload], files: Files) -> list[Body]:
    if not 2 <= len(uploads) <= MOST_IN_ALBUM:
        raise bad_request(f"an album has 2 to {MOST_IN_ALBUM} files")
    kind = given.text("of") or "photo"
    made = [contents.media(kind, files, upload) for upload in uploads]
    made[0] |= contents.caption(given.text("caption"), None)
    return made


def _location(given: Given) -> Body:
    try:
        return {name: float(given.text(name)) for name in ("latitude", "longitude")}
    except ValueError as odd:
        raise bad_request("latitude is empty") from odd


def _contact(given: Given) -> dict[str, Any]:
    known: Body = {"phone_number": given.text("phone_number") or "+15550100"}
    known["first_name"] = given.text("first_name") or "Grace"
    return known
