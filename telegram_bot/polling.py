"""Asks Telegram for updates and hands each to the web's webhook, as Telegram itself would.

For a machine that nobody reaches from outside. Telegram keeps an update until it is asked for later
ones, which happens only after the web has written this one down: so none is lost, whoever is away.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import structlog

from telegram_bot import http
from telegram_bot.bot import HEADER
from telegram_bot.parsing import KINDS

log = structlog.get_logger()

# Telegram answers as soon as there is something, and otherwise after so long.
POLL_SECONDS = 25
MOST_UPDATES = 50
MOST_BYTES = 32 * 1024 * 1024
WEB_BYTES = 64 * 1024
PAUSE_SECONDS = (1.0, 30.0)
# The web will never take these: it cannot be read, or is too large.
HOPELESS = {400, 413}
FINISH_SECONDS = 10.0
GOODBYE_SECONDS = 2.0


class TelegramAway(Exception):
    """Telegram does not answer as it should; try again after `wait_seconds`, if it says so."""

    def __init__(self, words: str, wait_seconds: float = 0) -> None:
        super().__init__(words)
        self.wait_seconds = wait_seconds


class WebAway(Exception):
    """The web has not taken an update."""


@dataclass(frozen=True)
class Route:
    """Where updates come from, with the token in it, and where they go to, with which secret."""

    updates_url: str
    web_url: str
    secret: str
    timeout_seconds: float


class Poller:
    """Moves updates along a route, one by one.

    `prepare` is called before the first one, and again whenever Telegram did not answer as it
    should: somebody may have told it to send updates elsewhere. It may raise TelegramAway.
    """

    def __init__(
        self,
        route: Route,
        prepare: Callable[[], None],
        *,
        pause_seconds: tuple[float, float] = PAUSE_SECONDS,
    ) -> None:
        """Remember the route; nothing connects yet. Pauses grow from the first to the second."""
        self._route, self._prepare, self._pauses = route, prepare, pause_seconds
        self._is_prepared = False
        self._over = threading.Event()
        self._delivering = threading.Lock()
        # The number of the first update that Telegram is asked for.
        self._offset = 0
        # What it has told, and the web has not taken yet. It comes before all that is later.
        self._left: deque[dict[str, Any]] = deque()
        # The offset once all of that is taken.
        self._next_offset = 0

    def run(self) -> None:
        """Move updates until `finish` is called; what is away is tried again."""
        pause = self._pauses[0]
        while not self._over.is_set():
            try:
                self._move_some()
                pause = self._pauses[0]
                continue
            except TelegramAway as away:
                log.warning("telegram.away", error=str(away))
                self._is_prepared, wait = False, max(pause, away.wait_seconds)
            except WebAway as away:
                log.warning("telegram.web_away", error=str(away))
                wait = pause
            except Exception:
                log.exception("telegram.polling_failed")
                wait = self._pauses[1]
            self._over.wait(wait)
            pause = min(pause * 2, self._pauses[1])

    def finish(self) -> None:
        """Let the update that is under way arrive, and tell Telegram what has; take no others."""
        self._over.set()
        if self._delivering.acquire(timeout=FINISH_SECONDS):
            self._delivering.release()
        if self._offset:
            # Telegram would hand them in again, to whoever asks next.
            try:
                self._ask(timeout=0, limit=1, patience_seconds=GOODBYE_SECONDS)
            except TelegramAway as away:
                log.info("telegram.away", error=str(away))

    def _move_some(self) -> None:
        if not self._is_prepared:
            self._prepare()
            self._is_prepared = True
        if not self._left:
            self._left.extend(self._ask(timeout=POLL_SECONDS, limit=MOST_UPDATES))
            self._next_offset = max(map(_number, self._left), default=self._offset - 1) + 1
        while self._left:
            number = _number(self._left[0])
            with self._delivering:
                if self._over.is_set():
                    return
                self._deliver(number, json.dumps(self._left[0]).encode())
                self._left.popleft()
                self._offset = min(map(_number, self._left), default=self._next_offset)

    def _deliver(self, number: int, body: bytes) -> None:
        route = self._route
        headers = {HEADER: route.secret, "Content-Type": "application/json"}
        try:
            answer = http.request(
                "POST",
                route.web_url,
                most_bytes=WEB_BYTES,
                timeout_seconds=route.timeout_seconds,
                total_seconds=route.timeout_seconds,
                data=body,
                headers=headers,
            )
        except http.RequestFailed as failed:
            raise WebAway(str(failed)) from None
        if answer.status in HOPELESS:
            log.error("telegram.update_refused", update_id=number, status=answer.status)
        elif not 200 <= answer.status < 300:
            raise WebAway(f"answered {answer.status}")

    def _ask(
        self, *, timeout: int, limit: int, patience_seconds: float | None = None
    ) -> list[dict[str, Any]]:
        """Ask for updates from the offset on; those before it are done with."""
        asked = {"offset": self._offset, "timeout": timeout, "limit": limit}
        patience = self._route.timeout_seconds if patience_seconds is None else patience_seconds
        try:
            answer = http.request(
                "POST",
                self._route.updates_url,
                most_bytes=MOST_BYTES,
                timeout_seconds=timeout + patience,
                total_seconds=timeout + patience,
                json={**asked, "allowed_updates": KINDS},
            )
            said = json.loads(answer.content)
        except http.RequestFailed as failed:
            raise TelegramAway(str(failed)) from None
        except (ValueError, RecursionError):
            raise TelegramAway("no JSON") from None
        found = _updates(answer.status, said)
        if not all(isinstance(one.get("update_id"), int) for one in found):
            raise TelegramAway("an update without a number")
        return found


def _number(update: Mapping[str, Any]) -> int:
    return update["update_id"]


def _updates(status: int, said: Any) -> list[dict[str, Any]]:
    if not isinstance(said, dict):
        raise TelegramAway("no object")
    read = cast(Mapping[str, Any], said)
    found = read.get("result")
    if status == 200 and isinstance(found, list):
        return [one for one in cast(list[Any], found) if isinstance(one, dict)]
    raise TelegramAway(f"answered {status}", _wait_seconds(read.get("parameters")))


def _wait_seconds(parameters: Any) -> float:
    if not isinstance(parameters, dict):
        return 0
    asked = cast(Mapping[str, Any], parameters).get("retry_after")
    return float(asked) if isinstance(asked, int) else 0
