"""Telegram's library, which is asynchronous, for threads that wait for its answers.

One event loop in a thread of its own serves all of a process: they share its connections. It begins
with the first call, so a process that calls nothing has none; and not under gevent, where a thread
is none.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from typing import Any, TypeVar

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from channels.base import ChannelFailed, Trouble
from telegram_bot.failures import failure_of
from telegram_bot.http import mute_loggers

Answer = TypeVar("Answer")

CONNECTIONS = 64
# To connect, to write, and to be answered, each of which has the timeout for itself.
STEPS = 3
# A file takes longer to write.
FILE_STEPS = 15
STOP_SECONDS = 5.0
# What the library raises when an answer is of another shape than it knows.
ODD = (AttributeError, LookupError, TypeError, ValueError)


class BotApi:
    """The Bot API at `api_base`, for the bot of this token."""

    def __init__(self, token: str, api_base: str, timeout_seconds: float) -> None:
        """Remember what to call; nothing connects yet."""
        self._token, self._base, self._timeout = token, api_base.rstrip("/"), timeout_seconds
        self._lock = threading.Lock()
        self._running: _Running | None = None
        mute_loggers()

    def url(self, method: str) -> str:
        """Return the address of a method; the token is in it."""
        return f"{self._base}/bot{self._token}/{method}"

    @property
    def file_base(self) -> str:
        """Where files are fetched from; the token is in it."""
        return f"{self._base}/file/bot{self._token}"

    @property
    def timeout_seconds(self) -> float:
        return self._timeout

    def call(
        self, begin: Callable[[Bot], Coroutine[Any, Any, Answer]], *, steps: int = STEPS
    ) -> Answer:
        """Call a method of the bot and wait for what it returns. Raises ChannelFailed."""
        running = self._run()
        future = running.submit(begin)
        try:
            return future.result(self._timeout * steps)
        except NotInTime:
            future.cancel()
            failure = ChannelFailed(Trouble.UNREACHABLE, "no answer", may_have_happened=True)
        except TelegramError as error:
            failure = failure_of(error, hidden=self._token)
        except ODD as error:
            name = type(error).__name__
            failure = ChannelFailed(Trouble.UNREACHABLE, name, may_have_happened=True)
        # Out here, so that no error of the library's is to be seen behind it.
        raise failure

    def close(self) -> None:
        """End the loop and its connections; the next call begins anew."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.stop()

    def _run(self) -> "_Running":
        with self._lock:
            # A fork takes no threads along.
            if self._running is None or self._running.pid != os.getpid():
                self._running = _Running(self._bot())
            return self._running

    def _bot(self) -> Bot:
        seconds = self._timeout
        request = HTTPXRequest(
            connection_pool_size=CONNECTIONS,
            connect_timeout=seconds,
            read_timeout=seconds,
            write_timeout=seconds,
            media_write_timeout=seconds,
            pool_timeout=seconds,
        )
        return Bot(
            self._token,
            base_url=f"{self._base}/bot",
            base_file_url=f"{self._base}/file/bot",
            request=request,
            get_updates_request=request,
        )


class _Running:
    """A bot on an event loop that runs in a thread."""

    def __init__(self, bot: Bot) -> None:
        self.pid = os.getpid()
        self._bot = bot
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, name="telegram", daemon=True)
        self._thread = thread
        thread.start()

    def submit(self, begin: Callable[[Bot], Coroutine[Any, Any, Answer]]) -> "Future[Answer]":
        return asyncio.run_coroutine_threadsafe(begin(self._bot), self._loop)

    def stop(self) -> None:
        closing = asyncio.run_coroutine_threadsafe(self._bot.request.shutdown(), self._loop)
        closing.result(STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        self._loop.close()
