"""The money of one call: held before it goes out, and the hold closed exactly once."""

import asyncio
import time
from dataclasses import replace
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from agent.catalogue import Model
from agent.meter.call_ledger import (
    BooksUnavailable,
    ClosedCall,
    NoRoom,
    OpenCall,
    Outcome,
    SizeHold,
    TurnLost,
    Usage,
)
from agent.meter.running import RunningTurn
from agent.meter.wires import Body, Tally
from agent.meter.wires.base import likely_tokens
from agent.prices import Prices
from agent.turn import AgentFailed, TurnFailure

log = structlog.get_logger()

# A database that restarts is waited for: what is not told in this time is never charged. Beyond a
# lease (two of the default ones) the job is begun again, and this attempt is at our expense anyway.
SETTLE_SECONDS = 60.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.05, 0.5
# Nobody has seen anything of a call yet, so somebody waits all that time.
HOLD_SECONDS = 10.0


class Hold:
    """The most that one call can cost, set aside in the books."""

    def __init__(self, model: Model, body: Body, *, is_summary: bool = False) -> None:
        self.call_id: UUID = uuid7()
        self.is_summary = is_summary
        self.model = model
        self.body = body
        self.micros = 0
        self._opening: asyncio.Task[None] | None = None
        self._is_wanted = True

    async def open(self, running: RunningTurn, fit: SizeHold) -> None:
        """Hold the money that `fit` says. Raises NoRoom, TurnLost or BooksUnavailable.

        A database that restarts is waited for.
        """
        self._opening = asyncio.create_task(self._open(running, fit))
        # A thread goes on when its waiter is cancelled, so the hold may come into being yet.
        try:
            await asyncio.shield(self._opening)
        except asyncio.CancelledError:
            self._is_wanted = False
            raise

    async def _open(self, running: RunningTurn, fit: SizeHold) -> None:
        call = await self._opened(running, fit)
        self.micros = call.held_micros
        running.held_micros += self.micros

    async def _opened(self, running: RunningTurn, fit: SizeHold) -> OpenCall:
        ends, rest = time.monotonic() + HOLD_SECONDS, FIRST_RETRY_SECONDS
        while True:
            try:
                return await asyncio.to_thread(running.books.open, self.call_id, self.model.id, fit)
            except BooksUnavailable as trouble:
                if time.monotonic() > ends or not self._is_wanted:
                    raise
                if rest == FIRST_RETRY_SECONDS:
                    log.warning("meter.waiting", call_id=str(self.call_id), error=repr(trouble))
            await asyncio.sleep(rest)
            rest = min(2 * rest, LONGEST_RETRY_SECONDS)

    def release(self, running: RunningTurn) -> None:
        """Count the money no more as held by the turn."""
        running.held_micros -= self.micros

    async def is_open(self) -> bool:
        """Tell whether the books hold the money, when that is known."""
        if self._opening is None:
            return False
        try:
            await self._opening
        except Exception as error:  # noqa: BLE001  # it was raised by `open` to whom it concerns
            if not isinstance(error, NoRoom | TurnLost):
                log.warning("meter.not_held", call_id=str(self.call_id), error=repr(error))
            return False
        return True


class Settlement:
    """What became of a call, and its charge."""

    def __init__(self, running: RunningTurn, prices: Prices, hold: Hold, tally: Tally) -> None:
        self._running = running
        self._prices = prices
        self._hold = hold
        self._tally = tally
        self._outcome: Outcome = "failed"
        self._detail: str | None = None
        self._request_id: str | None = None
        self._is_sent = False
        self._unseen_tokens = 0

    def mark_sent(self) -> None:
        """Note that the request goes out: from here on it costs, unless the provider fails."""
        self._is_sent = True

    def mark_begun(self, request_id: str | None) -> None:
        """Note that the provider answers, and by what it knows the request."""
        self._request_id = request_id

    def mark_complete(self) -> None:
        """Note that the provider sent all there is."""
        self._outcome = "completed"

    def mark_cut(self, detail: str) -> None:
        """Note that the answer broke off; if no word of it came, it failed and costs nothing."""
        self._outcome = "cut" if self._tally.words_bytes or self._tally.is_final else "failed"
        self._detail = detail

    def mark_stopped(self, unseen_tokens: int) -> None:
        """Note that the cell hung up, which may be after the end of the answer.

        The provider may have written so much of it that did not come over the wire yet.
        """
        self._outcome = "completed" if self._tally.is_final else "stopped"
        self._unseen_tokens = unseen_tokens

    def mark_failed(self, detail: str) -> None:
        """Note that no answer came."""
        self._outcome = "failed"
        self._detail = detail

    async def settle(self) -> None:
        """Close the books on the call, even while everything around it is being cancelled."""
        settling = asyncio.create_task(self._settle())
        self._running.track_settling(settling)
        await asyncio.shield(settling)

    async def _settle(self) -> None:
        was_open = await self._hold.is_open()
        # Counting a long request takes a while.
        closed = await asyncio.to_thread(self._closed)
        self._hold.release(self._running)
        if not was_open:
            return
        payable = self._payable(closed)
        self._running.spent_micros += payable
        self._running.summaries_micros += payable if self._hold.is_summary else 0
        ends, rest = time.monotonic() + SETTLE_SECONDS, FIRST_RETRY_SECONDS
        while True:
            try:
                await asyncio.to_thread(self._running.books.close, closed)
                return
            except Exception as trouble:  # noqa: BLE001  # the sweep closes it if all tries fail
                if time.monotonic() > ends:
                    log.error("meter.left_open", call_id=str(closed.call_id), error=repr(trouble))
                    return
                if rest == FIRST_RETRY_SECONDS:
                    log.warning("meter.waiting", call_id=str(closed.call_id), error=repr(trouble))
            await asyncio.sleep(rest)
            rest = min(2 * rest, LONGEST_RETRY_SECONDS)

    def _payable(self, closed: ClosedCall) -> int:
        """What the books will charge: never more than the hold, whatever the provider counts.

        What is beyond is ours, so it must not go on: no further call of the turn is made.
        """
        if closed.charge_micros > self._hold.micros:
            log.warning(
                "meter.beyond_hold",
                call_id=str(closed.call_id),
                model=closed.model,
                held_micros=self._hold.micros,
                charge_micros=closed.charge_micros,
            )
            # An answer that ended where the money for it did has its reason already.
            if not self._running.is_hopeless:
                self._running.trouble = AgentFailed(TurnFailure.BEYOND_HOLD, permanent=True)
        return min(closed.charge_micros, self._hold.micros)

    def _closed(self) -> ClosedCall:
        costs = self._is_sent and self._outcome != "failed"
        usage = self._counted() if costs else Usage()
        price = self._prices.price(self._hold.model, usage)
        return ClosedCall(
            call_id=self._hold.call_id,
            model=self._hold.model.id,
            usage=usage,
            is_estimated=costs and not self._tally.is_final,
            provider_cost_micros=price.provider_cost_micros,
            charge_micros=price.charge_micros,
            price_version=price.version,
            outcome=self._outcome,
            provider_request_id=self._request_id,
            detail=self._detail,
        )

    def _counted(self) -> Usage:
        if self._tally.is_final:
            return self._tally.usage
        usage = self._tally.counted(likely_tokens(self._hold.body))
        return replace(usage, output_tokens=max(usage.output_tokens, self._unseen_tokens))
