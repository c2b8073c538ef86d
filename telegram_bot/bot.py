"""Telegram as a channel: one bot, which all users share."""

import hmac
import json
import re
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from telegram import Bot, LinkPreviewOptions, Message, MessageEntity
from telegram.constants import CallbackQueryLimit, ChatAction

from channels.base import Capabilities, ChannelFailed, Trouble
from channels.inbound import Update
from channels.outbound import FetchedFile, OutgoingFile, Part
from settings import Settings
from telegram_bot import commands, files, formatting, http
from telegram_bot.api import BotApi
from telegram_bot.buttons import Rows, with_buttons
from telegram_bot.commands import Command
from telegram_bot.failures import says
from telegram_bot.parsing import parse
from telegram_bot.splitting import TEXT_LIMIT

HEADER = "X-Telegram-Bot-Api-Secret-Token"
CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
USERNAME = re.compile(r"[A-Za-z0-9_]{1,64}")
# A link's preview would be of a page that the model chose.
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
ME_BYTES = 64 * 1024


class TelegramChannel:
    """The bot of `telegram_bot_token`. Nothing connects before the first call.

    A web process only reads updates and makes links, which need no event loop: so they work under
    gevent. All that sends is for processes with real threads.
    """

    name = "telegram"
    label = "Telegram"
    capabilities = Capabilities(
        text_limit=TEXT_LIMIT,
        can_edit=True,
        edit_interval_seconds=1.0,
        has_buttons=True,
        has_typing=True,
        inbound_file_limit_bytes=files.FETCH_LIMIT_BYTES,
        outbound_file_limit_bytes=files.SEND_LIMIT_BYTES,
        numbers_updates=True,
    )

    def __init__(self, settings: Settings) -> None:
        """Remember what the bot is called by. Raises ValueError if there is no token."""
        if settings.telegram_bot_token is None:
            raise ValueError("TELEGRAM_BOT_TOKEN is not set")
        secret = settings.telegram_webhook_secret
        self._secret = secret.get_secret_value() if secret else ""
        self._link_base = settings.telegram_link_base.rstrip("/")
        page = urlsplit(self._link_base)
        self.link_origin = f"{page.scheme}://{page.netloc}"
        self._lock = threading.Lock()
        self._username: str | None = None
        self.api = BotApi(
            settings.telegram_bot_token.get_secret_value(),
            settings.telegram_api_base,
            settings.telegram_timeout_seconds,
        )

    # What a web process needs.

    def is_authentic(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a call carries the secret; without one set none does."""
        named = (one for name, one in headers.items() if name.lower() == HEADER.lower())
        given = next(named, "").encode(errors="replace")
        return bool(self._secret) and hmac.compare_digest(given, self._secret.encode())

    def parse(self, body: bytes) -> list[Update]:
        """Read an update of Telegram's; an empty list for what is of no concern.

        Raises Malformed.
        """
        return parse(body, self._username)

    def link_url(self, code: str) -> str:
        """Return the address that opens the chat with the bot and sends it `/start` with a code.

        The first call asks Telegram what the bot is called. Raises ChannelFailed, and ValueError
        for a code that Telegram does not hand over.
        """
        if not CODE.fullmatch(code):
            raise ValueError("not a code for a link")
        return f"{self._link_base}/{self.username()}?start={code}"

    def username(self) -> str:
        """Return what the bot is called, without the @. Raises ChannelFailed."""
        with self._lock:
            if self._username is None:
                self._username = self._ask_username()
            return self._username

    # What goes out.

    def render(self, markdown: str) -> list[Part]:
        """Turn an answer into messages, in order; each fits the limit. Never empty."""
        return formatting.render(markdown)

    def preview(self, markdown: str) -> Part:
        """Turn the end of an unfinished answer into one message."""
        return formatting.preview(markdown)

    def send(self, address: str, part: Part, *, rows: Rows = ()) -> str:
        """Send a message, with rows of buttons; return its id within the chat."""
        text, markup = with_buttons(part, rows)

        async def send_it(bot: Bot) -> Message:
            return await bot.send_message(
                int(address),
                text,
                entities=_entities(part),
                link_preview_options=NO_PREVIEW,
                reply_markup=markup,
            )

        return str(self.api.call(send_it).message_id)

    def edit(self, address: str, message_id: str, part: Part, *, rows: Rows = ()) -> None:
        """Change a message and its buttons; one that says so already is left as it is."""
        text, markup = with_buttons(part, rows)

        async def edit_it(bot: Bot) -> Message | bool:
            return await bot.edit_message_text(
                text,
                int(address),
                int(message_id),
                entities=_entities(part),
                link_preview_options=NO_PREVIEW,
                reply_markup=markup,
            )

        with _unless("message is not modified"):
            self.api.call(edit_it)

    def delete(self, address: str, message_id: str) -> None:
        """Take a message back; one that has gone already is no failure."""
        with _unless("message to delete not found", "message_id_invalid"):
            self.api.call(lambda bot: bot.delete_message(int(address), int(message_id)))

    def send_file(self, address: str, file: OutgoingFile, caption: str = "") -> str:
        """Send a picture as such, anything else as a document; return the message's id."""
        return files.send(self.api, int(address), file, caption)

    def typing(self, address: str) -> None:
        """Show for some five seconds, or until the next message, that somebody writes."""
        self.api.call(lambda bot: bot.send_chat_action(int(address), ChatAction.TYPING))

    def acknowledge(self, press_id: str, words: str = "") -> None:
        """End the waiting sign of a button, and show words for a moment, 200 letters at most."""
        shown = words[: CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH.value] or None
        with _unless("query is too old"):
            self.api.call(lambda bot: bot.answer_callback_query(press_id, shown))

    def leave(self, address: str) -> None:
        """Leave a group; one that the bot is in no more is no failure."""
        with _unless("not a member", "was kicked", "chat not found"):
            self.api.call(lambda bot: bot.leave_chat(int(address)))

    def fetch(self, file_id: str) -> FetchedFile:
        """Fetch what a user sent, 20 MB at most."""
        return files.fetch(self.api, file_id)

    # What is set up once, and is of this channel alone.

    def set_menu(self, menu: Sequence[Command] = commands.MENU) -> None:
        """Show these commands in the menu of every chat. Raises ChannelFailed."""
        commands.set_menu(self.api, menu)

    def set_webhook(self, url: str) -> None:
        """Have updates sent to an address. Raises ChannelFailed, ValueError without a secret."""
        if not self._secret:
            raise ValueError("TELEGRAM_WEBHOOK_SECRET is not set")
        commands.set_webhook(self.api, url, self._secret)

    def delete_webhook(self) -> None:
        """Have updates kept until they are asked for. Raises ChannelFailed."""
        commands.delete_webhook(self.api)

    def close(self) -> None:
        """End the connections; the next call makes new ones."""
        self.api.close()

    def _ask_username(self) -> str:
        try:
            answer = http.request(
                "GET",
                self.api.url("getMe"),
                most_bytes=ME_BYTES,
                timeout_seconds=self.api.timeout_seconds,
                total_seconds=self.api.timeout_seconds,
            )
            username = str(json.loads(answer.content)["result"]["username"])
        except http.RequestFailed as failed:
            raise ChannelFailed(Trouble.UNREACHABLE, str(failed)) from None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise ChannelFailed(Trouble.UNREACHABLE, "it does not say who the bot is") from None
        if not USERNAME.fullmatch(username):
            raise ChannelFailed(Trouble.UNREACHABLE, "an odd name for a bot")
        return username


def _entities(part: Part) -> list[MessageEntity]:
    return [MessageEntity(**one) for one in part.formatting]


@contextmanager
def _unless(*words: str) -> Generator[None]:
    """Take it for done when Telegram refuses it with such words."""
    try:
        yield
    except ChannelFailed as failed:
        if not any(says(failed, one) for one in words):
            raise
