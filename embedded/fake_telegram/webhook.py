"""The webhook: updates are posted to one address, each chat's in order, until they are heard.

What is not answered with 2xx is told again, later each time, also after a restart; the rest of its
chat waits meanwhile. Updates that are to come out of order wait for nobody.
"""

import asyncio
import json
import time
from dataclasses import asdict, dataclass

import aiohttp

from embedded.fake_telegram.errors import Body
from embedded.fake_telegram.store import Store
from embedded.fake_telegram.updates import Delivery, Updates

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 60.0
ANSWER_SECONDS = 60.0
IDLE_SECONDS = 30.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # the header's name
SETTING = ("setting", "webhook")
# A chat, or a single delivery that waits for no other.
Lane = tuple[str, int]


@dataclass(frozen=True)
class Target:
    """Where updates go; without an address the bot asks for them."""

    url: str = ""
    secret: str = ""
    connections: int = 40


@dataclass
class _Trouble:
    at: int = 0
    words: str = ""


class Webhook:
    """Sends updates while there is an address."""

    def __init__(self, store: Store, updates: Updates) -> None:
        self._store, self._updates = store, updates
        self._trouble = _Trouble()
        self._sending: dict[Lane, asyncio.Task[None]] = {}
        self._loop: asyncio.Task[None] | None = None

    @property
    def target(self) -> Target:
        kept: Body = self._store.find(*SETTING) or {}
        return Target(**kept)

    def aim(self, target: Target) -> None:
        """Tell updates to this address from now on, or to none."""
        self._store.put(*SETTING, asdict(target))
        self._trouble = _Trouble()
        self._stop_sending()
        if target.url:
            self._updates.end_poll()
        self._updates.pulse.fire()

    def info(self) -> Body:
        """Return what the bot may know of its webhook."""
        target = self.target
        shown: Body = {
            "url": target.url,
            "has_custom_certificate": False,
            "pending_update_count": self._updates.count,
        }
        if target.url:
            shown |= {"max_connections": target.connections, "ip_address": "127.0.0.1"}
        if self._trouble.words:
            shown |= {"last_error_date": self._trouble.at}
            shown |= {"last_error_message": self._trouble.words}
        return shown | ({"allowed_updates": self._updates.allowed} if self._updates.allowed else {})

    def start(self) -> None:
        self._loop = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop; what is not heard yet is told by the next process."""
        tasks = [task for task in (self._loop, *self._sending.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as client:
            while True:
                if self.target.url:
                    self._begin(client, self.target)
                await self._updates.wait(IDLE_SECONDS)

    def _begin(self, client: aiohttp.ClientSession, target: Target) -> None:
        """Begin as many deliveries as may be under way at once, one a chat."""
        for delivery in self._updates.ready():
            if len(self._sending) >= target.connections:
                return
            is_alone = delivery.must_be_told
            lane = ("delivery", id(delivery)) if is_alone else ("chat", delivery.chat_id)
            if lane not in self._sending:
                task = asyncio.get_running_loop().create_task(self._deliver(client, delivery))
                self._sending[lane] = task
                task.add_done_callback(lambda done, lane=lane: self._ended(lane, done))

    def _ended(self, lane: Lane, task: asyncio.Task[None]) -> None:
        if self._sending.get(lane) is task:
            del self._sending[lane]
        self._updates.pulse.fire()

    def _stop_sending(self) -> None:
        for task in self._sending.values():
            task.cancel()
        self._sending.clear()

    async def _deliver(self, client: aiohttp.ClientSession, delivery: Delivery) -> None:
        wait = FIRST_WAIT_SECONDS
        while (body := self._updates.body(delivery)) is not None:
            status, asked_wait = await self._post(client, body)
            self._updates.told(delivery, "webhook", status)
            if 200 <= status < 300:
                break
            await asyncio.sleep(asked_wait or wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
        self._updates.settle(delivery)

    async def _post(self, client: aiohttp.ClientSession, body: Body) -> tuple[int, float]:
        """Post an update; return the answer's status, 0 for none, and the wait that it asks for."""
        target = self.target
        headers = {"Content-Type": "application/json"}
        if target.secret:
            headers[SECRET_HEADER] = target.secret
        try:
            async with client.post(
                target.url, data=json.dumps(body), headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                if answer.status >= 300:
                    told = f"{answer.status} {answer.reason}"
                    self._note_trouble(f"Wrong response from the webhook: {told}")
                return answer.status, _seconds(answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError) as trouble:
            self._note_trouble(_told(trouble))
            return 0, 0

    def _note_trouble(self, words: str) -> None:
        self._trouble = _Trouble(int(time.time()), words)


def _told(trouble: Exception) -> str:
    if isinstance(trouble, TimeoutError):
        return "Read timeout expired"
    is_refused = isinstance(trouble, aiohttp.ClientConnectorError)
    return "Connection refused" if is_refused else "Webhook connection closed"


def _seconds(header: str) -> float:
    return min(LONGEST_WAIT_SECONDS, float(header)) if header.isdecimal() else 0
