"""Files on their way to Telegram, and from it."""

import mimetypes
from pathlib import PurePosixPath

from telegram import Bot, InputFile, Message
from telegram.constants import FileSizeLimit, MessageLimit

from channels.base import ChannelFailed, Trouble
from channels.outbound import FetchedFile, OutgoingFile
from gateways import values
from telegram_bot import http
from telegram_bot.api import FILE_STEPS, BotApi
from telegram_bot.contents import ANY_MEDIA_TYPE
from telegram_bot.splitting import VISIBLE, units

FETCH_LIMIT_BYTES = FileSizeLimit.FILESIZE_DOWNLOAD.value
SEND_LIMIT_BYTES = FileSizeLimit.FILESIZE_UPLOAD.value
PHOTO_LIMIT_BYTES = FileSizeLimit.PHOTOSIZE_UPLOAD.value
CAPTION_LIMIT = MessageLimit.CAPTION_LENGTH.value
# What Telegram shows as a picture; of a GIF only one frame would be left.
PHOTOS = {"image/jpeg", "image/png", "image/webp"}


def send(api: BotApi, chat_id: int, file: OutgoingFile, caption: str) -> str:
    """Send a picture as one, and as a document if Telegram finds it too wide or too long for one.

    Anything else is a document. Returns the id of the message. Raises ChannelFailed.
    """
    if len(file.content) > SEND_LIMIT_BYTES:
        raise ChannelFailed(Trouble.FILE_TOO_LARGE)
    words = _caption(caption)
    if file.media_type in PHOTOS and len(file.content) <= PHOTO_LIMIT_BYTES:
        try:
            return _send_photo(api, chat_id, file, words)
        except ChannelFailed as failed:
            if failed.trouble is not Trouble.REFUSED:
                raise
    return _send_document(api, chat_id, file, words)


def fetch(api: BotApi, file_id: str) -> FetchedFile:
    """Fetch what a user sent, 20 MB at most. Raises ChannelFailed."""
    file = api.call(lambda bot: bot.get_file(file_id))
    if (file.file_size or 0) > FETCH_LIMIT_BYTES:
        raise ChannelFailed(Trouble.FILE_TOO_LARGE)
    # The library takes the path of a file that is here for itself, and leaves it as it is.
    if not file.file_path or not file.file_path.startswith(f"{api.file_base}/"):
        raise ChannelFailed(Trouble.REFUSED, "there is no such file")
    answer = _download(api, file.file_path)
    name = PurePosixPath(file.file_path).name
    return FetchedFile(answer.content, _media_type(answer.media_type, name))


def _send_photo(api: BotApi, chat_id: int, file: OutgoingFile, caption: str | None) -> str:
    async def send_photo(bot: Bot) -> Message:
        return await bot.send_photo(chat_id, _input(file), caption=caption)

    return str(api.call(send_photo, steps=FILE_STEPS).message_id)


def _send_document(api: BotApi, chat_id: int, file: OutgoingFile, caption: str | None) -> str:
    async def send_document(bot: Bot) -> Message:
        return await bot.send_document(chat_id, _input(file), caption=caption)

    return str(api.call(send_document, steps=FILE_STEPS).message_id)


def _input(file: OutgoingFile) -> InputFile:
    return InputFile(file.content, filename=values.file_name(file.name, fallback="file"))


def _caption(words: str) -> str | None:
    """Cut a caption to what Telegram takes; None where there is nothing to be read."""
    if units(words) > CAPTION_LIMIT:
        room = words.encode("utf-16-le")[: 2 * (CAPTION_LIMIT - 1)]
        words = room.decode("utf-16-le", "ignore").rstrip() + "…"
    return words if VISIBLE.search(words) else None


def _download(api: BotApi, url: str) -> http.Answer:
    try:
        answer = http.request(
            "GET",
            url,
            most_bytes=FETCH_LIMIT_BYTES,
            timeout_seconds=api.timeout_seconds,
            total_seconds=api.timeout_seconds * FILE_STEPS,
            headers={"Accept-Encoding": "identity"},
        )
    except http.TooLong:
        raise ChannelFailed(Trouble.FILE_TOO_LARGE) from None
    except http.RequestFailed as failed:
        raise ChannelFailed(Trouble.UNREACHABLE, str(failed)) from None
    if answer.status != 200:
        # What was named a moment ago may be gone for a moment, not for ever.
        raise ChannelFailed(Trouble.UNREACHABLE, f"answered {answer.status}")
    return answer


def _media_type(said: str, name: str) -> str:
    """Say what a file is; Telegram says of most that they are bytes."""
    if said and said != ANY_MEDIA_TYPE:
        return said
    return mimetypes.guess_type(name)[0] or ANY_MEDIA_TYPE
