"""What a message brings besides its words: files, and what is said of what is none.

Everything in it was chosen by whoever sent it, so it is cut, cleaned and bounded here.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from telegram import Audio, Document, Message, PhotoSize, Voice
from telegram.constants import MessageAttachmentType, MessageType

from channels.inbound import FileKind, InboundFile, Unsupported
from gateways import values

# What the library reads. It refuses whatever has more or other parts than it knows, so of all else
# in a message only the name is kept.
READ = {
    *("message_id", "date", "chat", "from", "text", "caption", "media_group_id"),
    *("photo", "live_photo", "document", "voice", "audio"),
    *("sticker", "dice", "contact", "venue", "location"),
    *("reply_to_message", "quote", "forward_origin"),
}
NAMES = "brings"
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,100}/[a-z0-9][a-z0-9.+-]{0,100}")
ANY_MEDIA_TYPE = "application/octet-stream"
UNSUPPORTED = (
    ("video", Unsupported.VIDEO),
    # Moving pictures without sound, which come as documents too.
    ("animation", Unsupported.VIDEO),
    ("video_note", Unsupported.VIDEO_NOTE),
    ("poll", Unsupported.POLL),
)
# What the library lists among the kinds of messages, and what only comes along with one.
_ALONG = {
    *("text", "effect_id", "reply_to_story", "business_connection_id", "sender_business_bot"),
    *("sender_boost_count", "suggested_post_info", "checklist", "giveaway", "giveaway_winners"),
}
EVENTS = {one.value for one in MessageType} - {one.value for one in MessageAttachmentType} - _ALONG


def pruned(message: Mapping[str, Any]) -> dict[str, Any]:
    """Leave of a message as it came what is read, and the names of all else that it brings."""
    kept = {name: value for name, value in message.items() if name in READ}
    return {**kept, NAMES: [name for name in message if name not in READ]}


def brings(message: Message) -> Collection[str]:
    """Name what a message brings that is not read."""
    return message.api_kwargs.get(NAMES, ())


def files_of(message: Message) -> tuple[InboundFile, ...]:
    """Name the files of a message; there is one at most, and albums are several messages."""
    photos = message.photo or (message.live_photo.photo if message.live_photo else ())
    if photos:
        return (_photo(photos, message.message_id),)
    if message.voice:
        return (_sound(message.voice, "voice.ogg", "audio/ogg"),)
    if message.audio:
        return (_sound(message.audio, message.audio.file_name or "audio.mp3", "audio/mpeg"),)
    if message.document and "animation" not in brings(message):
        return (_document(message.document),)
    return ()


def described(message: Message) -> str:
    """Say in words what a message shows that is no file; nothing where there is no such thing."""
    if message.sticker:
        return message.sticker.emoji or ""
    if message.dice:
        return f"{message.dice.emoji} {message.dice.value}"
    if message.contact:
        contact = message.contact
        name = " ".join(part for part in (contact.first_name, contact.last_name) if part)
        return f"👤 {name}, {contact.phone_number}"
    if message.venue:
        venue = message.venue
        place = _place(venue.location.latitude, venue.location.longitude)
        return f"📍 {venue.title}, {venue.address} ({place})"
    if message.location:
        return f"📍 {_place(message.location.latitude, message.location.longitude)}"
    return ""


def unsupported(message: Message) -> Unsupported | None:
    """Tell what in a message the assistant cannot take; None where nothing of that kind is."""
    named = brings(message)
    return next((kind for name, kind in UNSUPPORTED if name in named), None)


def is_event(message: Message) -> bool:
    """Tell whether a message was written by nobody: something was pinned, or set, or paid."""
    return not EVENTS.isdisjoint(brings(message))


def _place(latitude: float, longitude: float) -> str:
    return f"{latitude:.6f}, {longitude:.6f}"


def _photo(sizes: Sequence[PhotoSize], message_id: int) -> InboundFile:
    largest = max(sizes, key=lambda size: size.width * size.height)
    return InboundFile(
        id=largest.file_id,
        kind=FileKind.PHOTO,
        name=f"photo-{message_id:d}.jpg",
        media_type="image/jpeg",
        size_bytes=_count(largest.file_size),
    )


def _sound(sound: Voice | Audio, name: str, media_type: str) -> InboundFile:
    # In the library's own attribute the type of a duration is about to change.
    duration: object = sound.to_dict().get("duration")
    return InboundFile(
        id=sound.file_id,
        kind=FileKind.VOICE,
        name=values.file_name(name, fallback="audio"),
        media_type=_media_type(sound.mime_type, media_type),
        size_bytes=_count(sound.file_size),
        duration_seconds=_count(duration),
    )


def _document(document: Document) -> InboundFile:
    return InboundFile(
        id=document.file_id,
        kind=FileKind.DOCUMENT,
        name=values.file_name(document.file_name, fallback="document"),
        media_type=_media_type(document.mime_type, ANY_MEDIA_TYPE),
        size_bytes=_count(document.file_size),
    )


def _media_type(said: object, otherwise: str) -> str:
    named = said.lower() if isinstance(said, str) else ""
    return named if MEDIA_TYPE.fullmatch(named) else otherwise


def _count(said: object) -> int | None:
    """Return a number of bytes or seconds; None for what is none."""
    if not isinstance(said, int) or isinstance(said, bool):
        return None
    return said if 0 <= said <= values.MOST_INTEGER else None
