"""A bot in front of a server that does as it is told."""

from collections.abc import Generator

import pytest
from pydantic import SecretStr

from settings import Settings
from telegram_bot.bot import TelegramChannel
from tests.telegram_bot.scripted import TOKEN, Scripted, scripted

SECRET = "a-secret_of-tests"
TIMEOUT_SECONDS = 2.0


@pytest.fixture
def server() -> Generator[Scripted]:
    with scripted() as running:
        yield running


@pytest.fixture
def bot_settings(settings: Settings, server: Scripted) -> Settings:
    """Settings that lead to the server."""
    return settings.model_copy(
        update={
            "telegram_bot_token": SecretStr(TOKEN),
            "telegram_webhook_secret": SecretStr(SECRET),
            "telegram_api_base": server.url,
            "telegram_timeout_seconds": TIMEOUT_SECONDS,
        }
    )


@pytest.fixture
def channel(bot_settings: Settings) -> Generator[TelegramChannel]:
    made = TelegramChannel(bot_settings)
    yield made
    made.close()
