"""The Telegram stand-in, and a bot that speaks to it by Telegram's library for Python."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

import pytest
from telegram import Bot
from telegram.request import HTTPXRequest

from tests.embedded.fake_telegram.served import TOKEN, Person, ServedTelegram, served_telegram

Result = TypeVar("Result")
Do = Callable[[Coroutine[Any, Any, Result]], Result]


@pytest.fixture(scope="module")
def telegram_server() -> Generator[ServedTelegram]:
    """A stand-in in which nothing goes wrong unless a test wants that."""
    with served_telegram() as running:
        yield running


@pytest.fixture
def telegram(telegram_server: ServedTelegram) -> Generator[ServedTelegram]:
    """The same; what a test said and switched is gone after it."""
    yield telegram_server
    telegram_server.reset()


@pytest.fixture
def ada(telegram: ServedTelegram) -> Person:
    """Has opened the chat with the bot."""
    ada = telegram.ada()
    ada.start()
    return ada


@pytest.fixture
def do() -> Generator[Do[Any]]:
    """Waits for what the library does."""
    loop = asyncio.new_event_loop()
    yield loop.run_until_complete
    loop.close()


@pytest.fixture
def bot(telegram: ServedTelegram, do: Do[Any]) -> Generator[Bot]:
    """Telegram's library, led to the stand-in."""
    bot = made_bot(telegram)
    do(bot.initialize())
    yield bot
    do(bot.shutdown())


def made_bot(telegram: ServedTelegram, token: str = TOKEN) -> Bot:
    """Telegram's library with a token, not initialized yet."""
    return Bot(
        token,
        base_url=f"{telegram.url}/bot",
        base_file_url=f"{telegram.url}/file/bot",
        request=HTTPXRequest(read_timeout=30, connect_timeout=30),
    )
