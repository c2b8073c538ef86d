"""The updates that the bot has not confirmed yet, and when each is delivered.

Usually an update is delivered at once, in order, until it is confirmed. Switches let it come late,
several times and out of order; then each is delivered as often as it was meant to be, even when
a later one was confirmed before: a bot that asks by offset loses none.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from embedded.fake_telegram.errors import Body, conflict
from embedded.fake_telegram.faults import Faults
from embedded.fake_telegram.pulse import Pulse
from embedded.fake_telegram.store import Store

KIND = "update"
FIRST_ID = 880_000_001
# Telegram keeps an update for a day.
KEPT_SECONDS = 86_400
# Before all that waits for its time; then the order is that of the ids.
AT_ONCE = 0.0
# Updates of these kinds only come to a bot that names them.
ONLY_IF_NAMED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
OTHER_POLL = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)


@dataclass
class Delivery:
    """One time that an update is told."""

    update_id: int
    chat_id: int
    ready_at: float
    # Its place among those that are ready at the same time.
    place: float
    # Told once more than it has to be.
    is_copy: bool = False
    # Told before it may be confirmed by a later one.
    must_be_told: bool = False
    times_told: int = 0

    @property
    def order(self) -> tuple[float, float]:
        return self.ready_at, self.place


class Updates:
    """What the bot is still to be told; `pulse` is fired whenever there may be something new."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self.pulse = Pulse()
        self._store, self._faults = store, faults
        self._waiting: list[Delivery] = []
        self._poll = 0
        self._load()

    @property
    def count(self) -> int:
        return len({one.update_id for one in self._waiting})

    @property
    def allowed(self) -> list[str]:
        """The kinds of updates that the bot wants; empty means all but a few."""
        return cast(list[str], self._store.find("setting", "allowed_updates") or [])

    def allow(self, kinds: list[str] | None) -> None:
        """Take note of which kinds the bot wants from now on; None leaves that as it is."""
        if kinds is not None:
            self._store.put("setting", "allowed_updates", kinds)

    def add(self, chat_id: int, kind: str, body: Body) -> int | None:
        """Make an update that waits for its delivery; return its id, None if none is wanted."""
        if kind in ONLY_IF_NAMED - {*self.allowed} or (self.allowed and kind not in self.allowed):
            return None
        update_id = self._store.next_number("update", FIRST_ID)
        kept = {"update": {"update_id": update_id, kind: body}, "chat_id": chat_id}
        self._store.put(KIND, update_id, {**kept, "at": time.time()})
        self._store.note(chat_id, {"kind": "update", "update_id": update_id, "of": kind})
        self._waiting += self._planned(update_id, chat_id)
        self.pulse.fire()
        return update_id

    def ready(self) -> list[Delivery]:
        """List the deliveries whose time has come, in their order."""
        now = time.time()
        return sorted((one for one in self._waiting if one.ready_at <= now), key=lambda d: d.order)

    def body(self, delivery: Delivery) -> Body | None:
        """Return what is told; None once it is confirmed or forgotten."""
        kept = self._store.find(KIND, delivery.update_id)
        return kept["update"] if kept else None

    def seconds_to_next(self) -> float | None:
        """Return how long it is until another delivery is ready; None when none waits."""
        now = time.time()
        waits = (one.ready_at - now for one in self._waiting if one.ready_at > now)
        return min(waits, default=None)

    def told(self, delivery: Delivery, via: str, status: int) -> None:
        """Take note that an update was told, and how that was answered."""
        delivery.times_told += 1
        noted = {"kind": "delivery", "update_id": delivery.update_id, "via": via, "status": status}
        self._store.note(delivery.chat_id, noted)

    def settle(self, delivery: Delivery) -> None:
        """End one delivery: it was heard."""
        self._end([delivery])

    def repeat(self, update_id: int) -> bool:
        """Deliver an update once more than planned; False if it is not kept any more."""
        kept = self._store.find(KIND, update_id) or self._store.find("old_update", update_id)
        if kept is None:
            return False
        self._store.put(KIND, update_id, kept)
        chat_id = kept["chat_id"]
        self._waiting.append(Delivery(update_id, chat_id, AT_ONCE, update_id, is_copy=True))
        self.pulse.fire()
        return True

    def clear(self) -> None:
        """Forget all that waits."""
        self._end(list(self._waiting))

    async def poll(self, offset: int, limit: int, seconds: float) -> list[Body]:
        """Confirm what is before `offset` and return what is ready, waiting for it if need be.

        A later poll ends this one: it is then refused.
        """
        self._poll += 1
        mine, ends = self._poll, time.monotonic() + seconds
        self.pulse.fire()
        self._confirm(offset)
        while True:
            found = [one for one in self.ready() if one.is_copy or self._is_due(one, offset)]
            if found or time.monotonic() >= ends:
                return [body for one in found[:limit] if (body := self._hand_over(one))]
            await self.wait(ends - time.monotonic())
            if self._poll != mine:
                raise conflict(OTHER_POLL)

    def end_poll(self) -> None:
        """End a poll that waits, as a webhook does that is set."""
        self._poll += 1
        self.pulse.fire()

    async def wait(self, seconds: float) -> None:
        """Wait until something may be ready, so long at most."""
        until_next = self.seconds_to_next()
        await self.pulse.wait(seconds if until_next is None else min(seconds, until_next))

    def _planned(self, update_id: int, chat_id: int) -> Iterable[Delivery]:
        switches, chance = self._faults.switches, self._faults.chance
        if not switches.spoils_updates:
            return [Delivery(update_id, chat_id, AT_ONCE, update_id)]
        window, delay = switches.shuffle_seconds, switches.update_delay_seconds
        now = time.time() + delay if window or delay else AT_ONCE
        planned: list[Delivery] = []
        for copy in range(chance.randint(1, max(1, switches.copies))):
            ready_at = ((now + copy * window) // window + 1) * window if window else now
            place = chance.random() if window else float(update_id)
            one = Delivery(update_id, chat_id, ready_at, place, copy > 0, must_be_told=True)
            planned.append(one)
        return planned

    def _is_due(self, delivery: Delivery, offset: int) -> bool:
        is_confirmed = delivery.update_id < offset
        return not is_confirmed or (delivery.must_be_told and not delivery.times_told)

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            ids = sorted({one.update_id for one in self._waiting})
            self._end([one for one in self._waiting if one.update_id not in ids[offset:]])
            return
        over = [one for one in self._waiting if not one.is_copy and not self._is_due(one, offset)]
        self._end(over)

    def _hand_over(self, delivery: Delivery) -> Body | None:
        body = self.body(delivery)
        self.told(delivery, "poll", 200)
        if delivery.is_copy:
            self._end([delivery])
        return body

    def _end(self, deliveries: list[Delivery]) -> None:
        ended = {id(one) for one in deliveries}
        self._waiting = [one for one in self._waiting if id(one) not in ended]
        left = {one.update_id for one in self._waiting}
        for update_id in {one.update_id for one in deliveries} - left:
            kept = self._store.find(KIND, update_id)
            self._store.remove(KIND, update_id)
            if kept:
                # So that it can be told again, long after it was heard.
                self._store.put("old_update", update_id, kept)

    def _load(self) -> None:
        """Go on with what an earlier process still had to tell."""
        for kept in self._store.listed(KIND):
            update_id = kept["update"]["update_id"]
            if kept["at"] + KEPT_SECONDS < time.time():
                self._store.remove(KIND, update_id)
                continue
            self._waiting.append(Delivery(update_id, kept["chat_id"], AT_ONCE, update_id))
