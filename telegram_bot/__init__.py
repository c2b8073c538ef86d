"""Telegram as a channel: the only place that knows its library, its updates and its looks."""

from channels.base import Channel
from settings import Settings
from telegram_bot.bot import TelegramChannel


def channels_of(settings: Settings) -> list[Channel]:
    """Return Telegram, if these settings have a bot; nothing connects yet."""
    return [TelegramChannel(settings)] if settings.telegram_bot_token else []
