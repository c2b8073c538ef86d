"""What a message has in it, in the shape in which Telegram tells of it."""

from collections.abc import Callable
from typing import Any

from embedded.fake_telegram import pictures, voice_notes
from embedded.fake_telegram.entities import formatted
from embedded.fake_telegram.errors import Body, bad_request, too_large
from embedded.fake_telegram.files import MOST_FILE_BYTES, MOST_PHOTO_BYTES, Files
from embedded.fake_telegram.given import Upload
from embedded.fake_telegram.texts import utf16_length

MOST_TEXT, MOST_CAPTION = 4_096, 1_024
# Width and height together, and how much longer one may be than the other.
MOST_PIXELS, MOST_RATIO = 10_000, 20
PREVIEW_NAME = "preview.png"

Make = Callable[[Files, Upload, int | None], Body]


def text(words: str, entities: Any, too_long: str = "message is too long") -> Body:
    """Return the content of a text message; refuse an empty one, and one that is too long."""
    if not words:
        raise bad_request("message text is empty")
    kept, found = formatted(words, entities)
    if not kept:
        raise bad_request("text must be non-empty")
    if utf16_length(kept) > MOST_TEXT:
        raise bad_request(too_long)
    return {"text": kept, **({"entities": found} if found else {})}


def caption(words: str, entities: Any) -> Body:
    """Return what stands below a file: nothing, or a text."""
    kept, found = formatted(words, entities)
    if utf16_length(kept) > MOST_CAPTION:
        raise bad_request("message caption is too long")
    if not kept:
        return {}
    return {"caption": kept, **({"caption_entities": found} if found else {})}


def media(kind: str, files: Files, upload: Upload, size_bytes: int | None = None) -> Body:
    """Keep a file and return the content of a message with it; refuse what Telegram refuses."""
    if not upload.content:
        raise bad_request("file must be non-empty")
    if len(upload.content) > MOST_FILE_BYTES:
        raise too_large()
    return MEDIA[kind](files, upload, size_bytes)


def _photo(files: Files, upload: Upload, size_bytes: int | None) -> Body:
    size = len(upload.content)
    if size > MOST_PHOTO_BYTES:
        told = f"the maximum size is {MOST_PHOTO_BYTES} bytes"
        raise bad_request(f"file of size {size} bytes is too big for a photo; {told}")
    pixels = pictures.size(upload.content)
    if pixels is None:
        raise bad_request("IMAGE_PROCESS_FAILED")
    width, height = pixels
    if width + height > MOST_PIXELS or max(pixels) > MOST_RATIO * max(1, min(pixels)):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    small = Upload(PREVIEW_NAME, "image/png", pictures.preview(width, height))
    small_pixels = pictures.size(small.content) or (1, 1)
    return {
        "photo": [
            _pictured(files.keep(small, "photos"), small_pixels),
            _pictured(files.keep(_as_photo(upload), "photos", size_bytes), pixels),
        ]
    }


def _as_photo(upload: Upload) -> Upload:
    kind = pictures.media_type(upload.content) or upload.media_type
    return Upload(f"photo.{kind.rpartition('/')[2].replace('jpeg', 'jpg')}", kind, upload.content)


def _pictured(kept: Body, pixels: tuple[int, int]) -> Body:
    return {**kept, "width": pixels[0], "height": pixels[1]}


def _document(files: Files, upload: Upload, size_bytes: int | None) -> Body:
    kept = files.keep(upload, "documents", size_bytes)
    return {"document": {**kept, "file_name": upload.name, "mime_type": upload.media_type}}


def _voice(files: Files, upload: Upload, size_bytes: int | None) -> Body:
    kept = files.keep(upload, "voice", size_bytes)
    length = voice_notes.seconds(upload.content)
    return {"voice": {**kept, "duration": length, "mime_type": upload.media_type}}


def _audio(files: Files, upload: Upload, size_bytes: int | None) -> Body:
    kept = files.keep(upload, "music", size_bytes)
    more = {"file_name": upload.name, "mime_type": upload.media_type}
    return {"audio": {**kept, "duration": voice_notes.seconds(upload.content), **more}}


def _video(files: Files, upload: Upload, size_bytes: int | None) -> Body:
    kept = files.keep(upload, "videos", size_bytes)
    shape = {"width": 640, "height": 360, "duration": 3}
    named = {"file_name": upload.name, "mime_type": upload.media_type}
    return {"video": {**kept, **shape, **named}}


def _video_note(files: Files, upload: Upload, size_bytes: int | None) -> Body:
    return {"video_note": {**files.keep(upload, "video_notes", size_bytes), **ROUND}}


ROUND = {"length": 240, "duration": 3}
MEDIA: dict[str, Make] = {
    "photo": _photo,
    "document": _document,
    "voice": _voice,
    "audio": _audio,
    "video": _video,
    "video_note": _video_note,
}


def sticker(files: Files, emoji: str) -> Body:
    """Return the content of a sticker, which is known by its emoji."""
    kept = files.keep(Upload("sticker.png", "image/png", pictures.preview(512, 512)), "stickers")
    shape = {"width": 512, "height": 512, "is_animated": False, "is_video": False}
    return {"sticker": {**kept, **shape, "type": "regular", "emoji": emoji, "set_name": "Moods"}}
