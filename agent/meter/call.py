"""One metered call: held before it goes out, forwarded as it streams, settled exactly once."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn

import structlog
from aiohttp import web

from agent.catalogue import Model
from agent.meter.call_ledger import BooksUnavailable, Bound, NoRoom, TurnLost
from agent.meter.counter import Counter
from agent.meter.intake import Asked
from agent.meter.marks import Marking
from agent.meter.pictures import without_earlier
from agent.meter.running import RunningTurn
from agent.meter.settlement import Hold, Settlement
from agent.meter.sizing import Sizing
from agent.meter.thought_summaries import ThoughtSummaries
from agent.meter.thoughts import Thoughts
from agent.meter.upstream import ProviderFailed, Providers, Upstream
from agent.meter.wires import FORMATS
from agent.meter.wires.base import Keeping
from agent.prices import Prices, PriceUnknown
from agent.turn import AgentFailed, TurnFailure
from settings import Settings

log = structlog.get_logger()

DETAIL_CHARS = 500
LONGEST_KEY = 64

# What another try may mend.
PASSING = {TurnFailure.LEASE_LOST, TurnFailure.BOOKS_UNAVAILABLE}
# The provider says that the request itself is wrong: sending it again would not help.
REQUEST_FAULTS = {400, 404, 413, 415, 422}
# Our own key or account is refused; that does not mend itself within seconds.
ACCOUNT_FAULTS = {401, 402, 403}
# How Anthropic says, by a 400, that our account is empty.
ACCOUNT_EMPTY = "credit balance"


@dataclass(frozen=True)
class Tools:
    """What calls need and share."""

    settings: Settings
    prices: Prices
    providers: Providers
    summaries: ThoughtSummaries = field(default_factory=ThoughtSummaries)


class Refused(Exception):
    """The call is not made."""


class MeteredCall:
    """One call of a running turn."""

    def __init__(self, tools: Tools, running: RunningTurn, model: Model, asked: Asked) -> None:
        self._tools = tools
        self._running = running
        self._model = model
        self._body = asked.body
        self._wire = FORMATS[model.wire]
        self._sent = asked.sent
        self._sizing = Sizing(tools.prices, running, model, asked)
        self._thoughts = Thoughts(running.on_thought)

    async def answer(self, request: web.Request, *, is_stream: bool) -> web.StreamResponse:
        """Make the call and stream its answer to the cell; 422 says that it was refused.

        The provider's answer is closed as soon as the cell hangs up.
        """
        counter = Counter(self._wire, is_stream=is_stream, on_thought=self._think)
        counter.tally.is_for_hour = self._sizing.is_for_hour
        try:
            wanted = self._wanted()
        except Refused as refusal:
            return self._refuse(str(refusal))
        hold = Hold(self._model, self._body, is_summary=self._sent.is_summary)
        settlement = Settlement(self._running, self._tools.prices, hold, counter.tally)
        try:
            await self._open(hold, wanted)
            settlement.mark_sent()
            with self._running.awaits_provider():
                upstream = await self._send(request.headers, is_stream=is_stream)
            settlement.mark_begun(upstream.request_id)
            marking = Marking(self._wire) if is_stream and not self._sent.is_summary else None
            return await self._forward(request, upstream, counter, settlement, marking)
        except Refused as refusal:
            return self._refuse(str(refusal))
        except ProviderFailed as failure:
            settlement.mark_failed(str(failure)[:DETAIL_CHARS])
            return self._refuse(self._blame(failure))
        except (asyncio.CancelledError, ConnectionError):
            # The cell hung up: the person pressed Stop, or the cell died.
            # Providers write an answer that is not streamed to its end all the same.
            settlement.mark_stopped(unseen_tokens=0 if is_stream else self._sizing.cap)
            raise
        except Exception:
            # A fault of our own: the turn ends by it, however often OpenClaw asks again.
            self._running.trouble = AgentFailed(TurnFailure.UNEXPECTED, permanent=False)
            raise
        finally:
            self._note_end(counter)
            await settlement.settle()

    async def _send(self, headers: Mapping[str, str], *, is_stream: bool) -> Upstream:
        """Send the request; again without what it may have been refused for, if anything."""
        send, summaries = self._tools.providers.send, self._tools.summaries
        summaries.prepare(self._body)
        try:
            return await send(self._model, self._body, headers, is_stream=is_stream)
        except ProviderFailed as failure:
            if summaries.is_refused(self._body, failure):
                log.info("provider.summaries_refused", model=self._model.id)
                return await self._send(headers, is_stream=is_stream)
            if not _is_refusal(failure) or not without_earlier(self._body):
                raise
            log.warning("provider.pictures_refused", job_id=str(self._running.turn.job_id))
        return await send(self._model, self._body, headers, is_stream=is_stream)

    def _wanted(self) -> int:
        """Return the most output tokens that the answer may have. Raises Refused."""
        running, settings = self._running, self._tools.settings
        if running.is_hopeless:
            raise Refused(str(running.trouble))
        running.calls += 1
        if running.calls > settings.turn_max_calls:
            self._give_up(TurnFailure.TOO_MANY_CALLS)
        try:
            return self._sizing.wanted(self._wire.output_cap(self._body))
        except PriceUnknown:
            self._give_up(TurnFailure.MODEL_UNPRICED)

    async def _open(self, hold: Hold, wanted: int) -> None:
        """Hold the money, and lower the request's output cap to what is held. Raises Refused."""
        running, most = self._running, self._tools.settings.turn_max_cost_micros
        left = most - running.spent_micros - running.held_micros
        own = Bound(TurnFailure.TOO_COSTLY, left)
        try:
            # Of equals the person's own come first: those they can do something about.
            await hold.open(running, lambda bounds: self._sizing.fit(wanted, (*bounds, own)))
        except NoRoom as missing:
            self._give_up(missing.bound.code)
        except TurnLost:
            log.warning("meter.turn_lost", job_id=str(running.turn.job_id))
            self._give_up(TurnFailure.LEASE_LOST)
        except BooksUnavailable as trouble:
            log.error("meter.not_opened", job_id=str(running.turn.job_id), error=str(trouble))
            self._give_up(TurnFailure.BOOKS_UNAVAILABLE)
        self._wire.prepare(self._body, self._sizing.cap)
        if not self._sent.is_summary:
            self._wire.keep(self._body, self._keeping())
            self._wire.think(self._body, is_longer=running.turn.thinks_longer)

    def _keeping(self) -> Keeping:
        """Say how the provider is to keep the request: alike for all who use a model here."""
        name, product = self._model.name, self._tools.settings.product_name
        key = f"{product}:{name}"[:LONGEST_KEY]
        return Keeping(name, key, self._sizing.is_for_hour)

    def _think(self, text: str) -> None:
        if not self._sent.is_summary:
            self._thoughts.add(text)

    async def _forward(
        self,
        request: web.Request,
        upstream: Upstream,
        counter: Counter,
        settlement: Settlement,
        marking: Marking | None,
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": upstream.media_type})
        try:
            async with aclosing(upstream.chunks) as chunks:
                async for chunk in self._running.awaited(chunks):
                    counter.feed(chunk)
                    if not response.prepared:
                        await response.prepare(request)
                    await response.write(marking.feed(chunk) if marking else chunk)
            _finish(counter)
            if marking and (rest := marking.finish()):
                await response.write(rest)
        except ProviderFailed as failure:
            if not response.prepared:
                raise
            settlement.mark_cut(str(failure)[:DETAIL_CHARS])
            self._blame(failure)
            # The cell must not take half an answer for a whole one.
            if request.transport is not None:
                request.transport.abort()
            return response
        settlement.mark_complete()
        if not response.prepared:
            await response.prepare(request)
        await response.write_eof()
        return response

    def _note_end(self, counter: Counter) -> None:
        """Note when the answer is as long as it could be paid for: it would have gone on.

        The cell may have hung up by then: it has heard the end, and the provider has yet to close.
        """
        tally, turn = counter.tally, self._running.turn
        if tally.is_final:
            self._running.prefixes.note(
                turn.conversation_id,
                self._model.id,
                self._sent,
                tally.usage,
                is_for_hour=self._sizing.is_for_hour,
            )
        if tally.is_final and not tally.has_said and not self._sent.is_summary:
            log.warning("provider.said_nothing", job_id=str(turn.job_id), model=self._model.id)
            # OpenClaw would ask again, and at last say something of its own.
            self._running.trouble = AgentFailed(TurnFailure.NO_ANSWER, permanent=False)
        bound = self._sizing.bound
        if bound and tally.is_final and tally.usage.output_tokens >= self._sizing.cap:
            failure = AgentFailed(bound.code, permanent=True)
            self._running.cut_short = self._running.trouble = failure

    def _blame(self, failure: ProviderFailed) -> str:
        """Note whose fault it was; return what the cell is told."""
        log.warning(
            "provider.failed",
            job_id=str(self._running.turn.job_id),
            model=self._model.id,
            status=failure.status,
            error=str(failure)[:DETAIL_CHARS],
        )
        is_account, refused = _is_of_account(failure), _is_refusal(failure)
        code = TurnFailure.PROVIDER_REFUSED if refused else TurnFailure.PROVIDER_DOWN
        self._running.trouble = AgentFailed(code, permanent=refused or is_account)
        # OpenClaw knows by the provider's words when to shorten a conversation that is too long.
        return str(failure) if refused else str(code)

    def _give_up(self, code: TurnFailure) -> NoReturn:
        self._running.trouble = AgentFailed(code, permanent=code not in PASSING)
        raise Refused(str(code))

    def _refuse(self, message: str) -> web.Response:
        # Never 402, 401 or 403: OpenClaw would not use the provider again for minutes.
        return web.json_response(self._wire.refusal(message), status=422)


def _is_of_account(failure: ProviderFailed) -> bool:
    return failure.status in ACCOUNT_FAULTS or ACCOUNT_EMPTY in str(failure).lower()


def _is_refusal(failure: ProviderFailed) -> bool:
    """Whether the provider says that the request itself is wrong."""
    return failure.status in REQUEST_FAULTS and not _is_of_account(failure)


def _finish(counter: Counter) -> None:
    """Count the rest. Raises ProviderFailed when the provider gave up within its answer."""
    counter.finish()
    if counter.tally.error is not None:
        raise ProviderFailed(0, counter.tally.error)
