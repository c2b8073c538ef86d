"""Tells the product what happened, by webhooks that are signed as Stripe's are.

What is not answered with 2xx is told again, later each time, also after a restart. Switches make it
as bad as a network can be.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass

import aiohttp

from embedded.fake_stripe.forms import Body
from embedded.fake_stripe.store import Store

API_VERSION = "2026-10-28.endive"
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 60.0
# Stripe gives up after three days.
MOST_TRIES = 100
ANSWER_SECONDS = 20.0
# With `reorder`, what comes within this time is told backwards.
REORDER_SECONDS = 0.5


@dataclass
class Switches:
    """What goes wrong with deliveries."""

    delay_seconds: float = 0
    # How often each event is told.
    copies: int = 1
    reorder: bool = False
    # Told to nobody; the list of events still has it.
    lose: bool = False


def signature(payload: bytes, secret: str, at: int) -> str:
    """Return the header that proves who sent a payload, and when."""
    signed = f"{at}.".encode() + payload
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Deliveries:
    """The events of the account, and their way to one address."""

    def __init__(self, store: Store, url: str | None, secret: str) -> None:
        self.url, self.switches = url, Switches()
        self._store, self._secret = store, secret
        self._fresh: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[str] = []

    def note(self, kind: str, about: Body) -> None:
        """Make an event of the change that is on; `send` tells it once that is certain."""
        event = self._store.put(
            {
                "id": f"evt_{secrets.token_hex(12)}",
                "object": "event",
                "api_version": API_VERSION,
                "created": int(time.time()),
                "data": {"object": about},
                "livemode": False,
                "pending_webhooks": 1,
                "request": {"id": None, "idempotency_key": None},
                "type": kind,
            }
        )
        if self.url and not self.switches.lose:
            self._store.owe(event["id"])
            self._fresh.append(event["id"])

    def send(self) -> None:
        """Tell what was noted since the last time."""
        fresh, self._fresh = self._fresh, []
        if self.switches.reorder and fresh:
            self._held += fresh
            self._run(self._send_backwards())
            return
        for event_id in fresh:
            for _ in range(self.switches.copies):
                self._run(self._deliver(event_id))

    def forget(self) -> None:
        """Drop what was noted in a change that was undone."""
        self._fresh = []

    def send_again(self, event_id: str) -> None:
        """Tell an event once more."""
        self._run(self._deliver(event_id))

    def resume(self) -> None:
        """Go on with what an earlier process still had to tell."""
        for event_id in self._store.owed():
            self._run(self._deliver(event_id))

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_backwards(self) -> None:
        await asyncio.sleep(REORDER_SECONDS)
        held, self._held = self._held, []
        for event_id in reversed(held):
            for _ in range(self.switches.copies):
                await self._deliver(event_id)

    async def _deliver(self, event_id: str) -> None:
        await asyncio.sleep(self.switches.delay_seconds)
        event, wait = self._store.find(event_id), FIRST_WAIT_SECONDS
        if event is None:
            # It was forgotten meanwhile.
            return
        payload = json.dumps(event, indent=2).encode()
        for _ in range(MOST_TRIES):
            if self.url is None or await self._is_heard(self.url, payload):
                break
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        self._store.settle(event_id)

    async def _is_heard(self, url: str, payload: bytes) -> bool:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(payload, self._secret, int(time.time())),
        }
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as client,
                client.post(url, data=payload, headers=headers) as answer,
            ):
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False
