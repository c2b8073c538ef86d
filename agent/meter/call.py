"""One metered call: held before it goes out, forwarded as it streams, settled exactly once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

import structlog
from aiohttp import web
from uuid_utils.compat import uuid7

from agent.catalogue import Model
from agent.meter.books import ClosedCall, NoCredit, OpenCall, Outcome, Usage
from agent.meter.upstream import ProviderFailed, Providers, Upstream
from agent.meter.wires import FORMATS, Body
from agent.meter.wires.base import (
    HOLD_BYTES_PER_TOKEN,
    LIKELY_BYTES_PER_TOKEN,
    Counter,
    request_tokens,
)
from agent.prices import Prices, PriceUnknown
from agent.turn import AgentFailed
from settings import Settings

if TYPE_CHECKING:
    from agent.meter.server import RunningTurn

log = structlog.get_logger()

# An answer that could not even be this long is not begun.
SMALLEST_OUTPUT_TOKENS = 256
SETTLE_ATTEMPTS = 5
SETTLE_RETRY_SECONDS = 0.2

NO_CREDIT = "Your credits are used up. Top up to go on; everything you have stays here."
TOO_MANY_CALLS = "The assistant went round in circles, so it was stopped."
TOO_COSTLY = "This message reached the most that one message may cost, so it was stopped."
NO_PRICE = "This model has no price, so it cannot be used. Please choose another one."
PROVIDER_DOWN = "The model's provider did not answer. You were not charged."
PROVIDER_REFUSED = "The model's provider refused this message. You were not charged."
NOT_OURS = "This message is being answered elsewhere."
# The provider says that the request itself is wrong: sending it again would not help.
REQUEST_FAULTS = {400, 404, 413, 415, 422}


@dataclass(frozen=True)
class Tools:
    """What calls need and share."""

    settings: Settings
    prices: Prices
    providers: Providers


class Refused(Exception):
    """The call is not made, or has failed before its answer began."""


class MeteredCall:
    """One call of a running turn."""

    def __init__(self, tools: Tools, running: "RunningTurn", model: Model, body: Body) -> None:
        self._id: UUID = uuid7()
        self._tools = tools
        self._running = running
        self._model = model
        self._body = body
        self._wire = FORMATS[model.wire]
        self._input_tokens = request_tokens(body, HOLD_BYTES_PER_TOKEN)
        self._outcome: Outcome = "failed"
        self._detail: str | None = None
        self._request_id: str | None = None
        # From the moment the books are asked: a hang-up may come before their answer.
        self._may_be_open = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Make the call and stream its answer to the cell; 422 says that it was refused."""
        is_stream = self._wire.wants_stream(self._body) or "streamGenerateContent" in request.path
        counter = Counter(self._wire, is_stream=is_stream)
        try:
            await self._hold()
            path = "/" + request.match_info["path"]
            upstream = await self._tools.providers.send(
                self._model, path, self._body, request.headers, is_stream=is_stream
            )
            return await self._forward(request, upstream, counter)
        except Refused as refusal:
            return self._refuse(str(refusal))
        except ProviderFailed as failure:
            self._detail = str(failure)[:500]
            return self._refuse(self._blame(failure))
        except asyncio.CancelledError:
            # The cell hung up: the person pressed Stop, or the cell died.
            self._outcome = "stopped"
            raise
        finally:
            if self._may_be_open:
                await self._settle_surely(counter)

    async def _hold(self) -> None:
        """Hold the worst case, with the output cap lowered to what can be paid. Raises Refused."""
        self._check_limits()
        running, wire = self._running, self._wire
        most = self._model.max_output_tokens
        wanted = min(wire.output_cap(self._body) or most, most)
        try:
            available = await asyncio.to_thread(running.books.available_micros)
            cap, held = self._worst_case(wanted, available)
            self._may_be_open = True
            await asyncio.to_thread(running.books.open, OpenCall(self._id, self._model.id, held))
        except PriceUnknown:
            self._give_up("provider_refused", NO_PRICE)
        except NoCredit:
            self._give_up("no_credit", NO_CREDIT)
        except Exception as lost:  # noqa: BLE001  # whatever the books say, the call is not made
            log.warning("meter.not_opened", job_id=str(running.turn.job_id), error=repr(lost))
            self._give_up("stopped", NOT_OURS)
        wire.prepare(self._body, cap)

    def _check_limits(self) -> None:
        running, settings = self._running, self._tools.settings
        if running.trouble is not None and running.trouble.code != "provider_refused":
            # Once over, over: OpenClaw would try again for minutes.
            raise Refused(str(running.trouble))
        running.calls += 1
        if running.calls > settings.turn_max_calls:
            self._give_up("too_many_calls", TOO_MANY_CALLS)
        if running.spent_micros >= settings.turn_max_cost_micros:
            self._give_up("too_many_calls", TOO_COSTLY)

    def _worst_case(self, wanted: int, available: int) -> tuple[int, int]:
        """The output cap that can be paid for, and what to hold for it. Raises NoCredit."""
        most = min(available, self._tools.settings.turn_max_cost_micros)
        prices = self._tools.prices
        cap = prices.affordable_output(self._model, self._input_tokens, wanted, most)
        if cap < min(wanted, SMALLEST_OUTPUT_TOKENS):
            raise NoCredit
        return cap, prices.worst_case(self._model, self._input_tokens, cap)

    async def _forward(
        self, request: web.Request, upstream: Upstream, counter: Counter
    ) -> web.StreamResponse:
        self._request_id = upstream.request_id
        response = web.StreamResponse(headers={"Content-Type": upstream.media_type})
        response.enable_chunked_encoding()
        has_begun = False
        try:
            async for chunk in self._before_it_stalls(upstream.chunks):
                if not has_begun:
                    await response.prepare(request)
                    has_begun = True
                counter.feed(chunk)
                await response.write(chunk)
            counter.finish()
            self._outcome = "completed" if counter.tally.is_final or has_begun else "failed"
            await response.write_eof()
        except ConnectionError:
            self._outcome = "stopped"
        except ProviderFailed as failure:
            if not has_begun:
                raise
            self._outcome, self._detail = "cut", str(failure)[:500]
            self._blame(failure)
            # The cell must not take half an answer for a whole one.
            if request.transport is not None:
                request.transport.close()
        return response

    async def _before_it_stalls(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass the chunks on; a provider that is silent for too long has failed."""
        limit = self._tools.settings.provider_stall_seconds
        try:
            while True:
                async with asyncio.timeout(limit):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield chunk
        except TimeoutError as silence:
            raise ProviderFailed(0, f"nothing came for {limit:g} seconds") from silence
        finally:
            closing = getattr(chunks, "aclose", None)
            if closing is not None:
                await closing()

    async def _settle_surely(self, counter: Counter) -> None:
        """Close the books on this call, even while everything around it is being cancelled."""
        settling = asyncio.ensure_future(self._settle(counter))
        self._running.open_calls.add(settling)
        settling.add_done_callback(self._running.open_calls.discard)
        await asyncio.shield(settling)

    async def _settle(self, counter: Counter) -> None:
        tally = counter.tally
        usage = Usage()
        if self._outcome != "failed":
            likely = request_tokens(self._body, LIKELY_BYTES_PER_TOKEN)
            usage = tally.counted(likely)
        price = self._tools.prices.price(self._model, usage)
        self._running.spent_micros += price.charge_micros
        closed = ClosedCall(
            call_id=self._id,
            model=self._model.id,
            usage=usage,
            is_estimated=self._outcome != "failed" and not tally.is_final,
            provider_cost_micros=price.provider_cost_micros,
            charge_micros=price.charge_micros,
            price_version=price.version,
            outcome=self._outcome,
            provider_request_id=self._request_id,
            detail=self._detail,
        )
        for attempt in range(1, SETTLE_ATTEMPTS + 1):
            try:
                await asyncio.to_thread(self._running.books.close, closed)
                return
            except Exception as trouble:  # noqa: BLE001  # the sweep closes it if all tries fail
                log.warning("meter.not_settled", call_id=str(self._id), error=repr(trouble))
                await asyncio.sleep(SETTLE_RETRY_SECONDS * attempt)

    def _blame(self, failure: ProviderFailed) -> str:
        """Note whose fault it was; return what the cell is told."""
        log.warning(
            "provider.failed",
            job_id=str(self._running.turn.job_id),
            model=self._model.id,
            status=failure.status,
            error=str(failure)[:500],
        )
        refused = failure.status in REQUEST_FAULTS
        code = "provider_refused" if refused else "provider_down"
        sentence = PROVIDER_REFUSED if refused else PROVIDER_DOWN
        # Our own key or account being refused will not mend itself within seconds.
        permanent = refused or failure.status in {401, 402, 403}
        self._running.trouble = AgentFailed(code, sentence, permanent=permanent)
        # OpenClaw knows by the provider's words when to shorten a conversation that is too long.
        return str(failure) if refused else sentence

    def _give_up(self, code: str, sentence: str) -> NoReturn:
        self._may_be_open = False
        self._running.trouble = AgentFailed(code, sentence, permanent=code != "stopped")
        raise Refused(sentence)

    def _refuse(self, message: str) -> web.Response:
        # Never 402, 401 or 403: OpenClaw would not use the provider again for minutes.
        return web.json_response(self._wire.refusal(message), status=422)
