"""Sending: texts, drafts, files and albums."""

import secrets
from typing import Any, cast

from embedded.fake_telegram import contents
from embedded.fake_telegram.acts import without_reply
from embedded.fake_telegram.entities import formatted
from embedded.fake_telegram.errors import Body, bad_request
from embedded.fake_telegram.given import ATTACHED, Given, Upload
from embedded.fake_telegram.keyboards import keyboard
from embedded.fake_telegram.messenger import Messenger
from embedded.fake_telegram.methods.chats import writable
from embedded.fake_telegram.texts import utf16_length

ALBUM_SIZES = range(2, 11)
# A document only shares an album with documents, and likewise.
TOGETHER = ({"photo", "video"}, {"document"}, {"audio"})
ACTIONS = frozenset(
    {
        *("typing", "cancel", "upload_photo", "record_video", "upload_video", "record_voice"),
        *("upload_voice", "upload_document", "choose_sticker", "find_location"),
        *("record_video_note", "upload_video_note"),
    }
)


class Sending:
    """Methods that add something to a chat."""

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger

    def send_message(self, given: Given) -> Body:
        content = contents.text(given.text("text"), entities(given, "entities"))
        return self._post(given, {**content, **_preview(given)})

    def send_photo(self, given: Given) -> Body:
        return self._send_file("photo", given)

    def send_document(self, given: Given) -> Body:
        return self._send_file("document", given)

    def send_media_group(self, given: Given) -> list[Body]:
        room = writable(self._messenger, given)
        media = _album(given)
        uploads = [self._upload(given, one["media"], one["type"]) for one in media]
        reply = self._reply(room, given)
        self._messenger.buckets.take(room["chat"]["id"], len(media))
        group = {"media_group_id": str(secrets.randbelow(10**17) + 10**17), **reply}
        made = [
            {**self._kept(one["type"], upload), **_caption_of(one), **group}
            for one, upload in zip(media, uploads, strict=True)
        ]
        bot = self._messenger.bot.as_user()
        return [self._messenger.post(room, bot, content) for content in made]

    def send_message_draft(self, given: Given) -> bool:
        room = writable(self._messenger, given)
        if room["chat"]["type"] != "private":
            raise bad_request("method is available only in private chats")
        if not given.whole("draft_id"):
            raise bad_request("RANDOM_ID_INVALID")
        words, found = formatted(given.text("text"), entities(given, "entities"))
        if utf16_length(words) > contents.MOST_TEXT:
            raise bad_request("MESSAGE_TOO_LONG")
        self._messenger.buckets.take(room["chat"]["id"])
        draft = {"draft_id": given.whole("draft_id"), "text": words, "entities": found}
        self._messenger.draft(room["chat"]["id"], draft)
        return True

    def send_chat_action(self, given: Given) -> bool:
        if given.text("action") not in ACTIONS:
            raise bad_request("wrong parameter action in request")
        room = writable(self._messenger, given)
        self._messenger.show_typing(room["chat"]["id"], given.text("action"))
        return True

    def _send_file(self, kind: str, given: Given) -> Body:
        below = contents.caption(given.text("caption"), entities(given, "caption_entities"))
        upload = given.upload(kind) or self._upload(given, given.text(kind), kind)
        writable(self._messenger, given)
        return self._post(given, {**self._kept(kind, upload), **below})

    def _post(self, given: Given, content: Body) -> Body:
        room, markup = writable(self._messenger, given), keyboard(given)
        more = self._reply(room, given) | ({"reply_markup": markup} if markup else {})
        self._messenger.buckets.take(room["chat"]["id"])
        return self._messenger.post(room, self._messenger.bot.as_user(), {**content, **more})

    def _kept(self, kind: str, upload: Upload) -> Body:
        return contents.media(kind, self._messenger.files, upload)

    def _upload(self, given: Given, address: str, kind: str) -> Upload:
        """Find the file that an address means: one of this call, or one that was sent before."""
        found = given.attached(address) if address.startswith(ATTACHED) else None
        found = found or self._messenger.files.copied(address)
        if found:
            return found
        if "://" in address and not address.startswith(ATTACHED):
            raise bad_request("the stand-in fetches no files by their address")
        words = "wrong remote file identifier specified: Wrong string length"
        raise bad_request(words if address else f"there is no {kind} in the request")

    def _reply(self, room: Body, given: Given) -> Body:
        asked = given.parsed("reply_parameters", "reply parameters")
        if not asked:
            return {}
        if not isinstance(asked, dict) or type(cast(Body, asked).get("message_id")) is not int:
            raise bad_request("object expected as reply parameters")
        parameters = cast(Body, asked)
        found = self._messenger.message(room["chat"]["id"], parameters["message_id"])
        if found:
            return {"reply_to_message": without_reply(found)}
        if parameters.get("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")


def entities(given: Given, name: str) -> Any:
    """Return a text's formatting as a call gives it; refuse to read markup."""
    if given.text("parse_mode"):
        raise bad_request("the stand-in takes entities and parses no markup: leave out parse_mode")
    return given.parsed(name, "entities")


def _preview(given: Given) -> Body:
    asked = given.parsed("link_preview_options", "link preview options")
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        raise bad_request("object expected as link preview options")
    return {"link_preview_options": asked}


def _album(given: Given) -> list[Body]:
    raw = given.parsed("media", "media")
    if not isinstance(raw, list):
        raise bad_request("expected an Array of InputMedia")
    media = cast(list[Any], raw)
    if len(media) not in ALBUM_SIZES:
        raise bad_request("there must be 2-10 items in the album")
    if not all(map(_is_described, media)):
        raise bad_request("can't parse InputMedia: expected an Object")
    kinds = {str(one["type"]) for one in media}
    if not any(kinds <= together for together in TOGETHER):
        raise bad_request("can't use the media of the specified type in the album")
    return media


def _is_described(one: Any) -> bool:
    return isinstance(one, dict) and {"type", "media"} <= set(cast(Body, one))


def _caption_of(media: Body) -> Body:
    if media.get("parse_mode"):
        entities(Given(media, {}), "caption_entities")
    return contents.caption(str(media.get("caption") or ""), media.get("caption_entities"))
