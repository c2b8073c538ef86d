"""The turn that a cell's calls belong to: what they have used, and why one was refused."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from agent.meter.call_ledger import CallLedger
from agent.meter.prefixes import Prefixes
from agent.turn import AgentFailed, Turn, TurnFailure

# A last call may still be sending its usage when its words have all been read.
FINISH_SECONDS = 0.5
# After these OpenClaw may try again with another request.
OF_ONE_REQUEST = frozenset(
    {
        TurnFailure.PROVIDER_REFUSED,
        TurnFailure.MODEL_UNPRICED,
        TurnFailure.CONVERSATION_TOO_LARGE,
        TurnFailure.CONTENT_NOT_SENT,
    }
)


@dataclass
class RunningTurn:
    """One turn's calls."""

    turn: Turn
    books: CallLedger
    calls: int = 0
    # What its calls were charged, and what those under way may yet be.
    spent_micros: int = 0
    held_micros: int = 0
    # What summaries cost, which OpenClaw makes of a conversation that has become long.
    summaries_micros: int = 0
    # Is told in a line what the model thinks of, while it does.
    on_thought: Callable[[str], object] = len
    # What providers are likely to have in their caches of it.
    prefixes: Prefixes = field(default_factory=Prefixes)
    # How many requests were no calls: too large, of no known shape, for another model.
    turned_down: int = 0
    # Why a call was refused or failed: OpenClaw itself tells it in no useful way.
    trouble: AgentFailed | None = None
    # Set when an answer ended where its output cap had been lowered to: it is not a whole one.
    cut_short: AgentFailed | None = None
    # The turn is over when none of these is left. Requests may be cut, settling must end by itself.
    requests: set[asyncio.Task[Any]] = field(default_factory=set[asyncio.Task[Any]])
    settling: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])
    # How many providers have to say something before the turn can go on; and when one last did, or
    # a call was made.
    _awaited: int = 0
    _moved_at: float = field(default_factory=time.monotonic)

    @property
    def silent_seconds(self) -> float:
        """How long OpenClaw has done nothing: neither asked for anything nor taken an answer."""
        return 0.0 if self._awaited else time.monotonic() - self._moved_at

    @contextmanager
    def awaits_provider(self) -> Generator[None]:
        """Blame nobody but the provider for the time that this takes."""
        self._awaited += 1
        try:
            yield
        finally:
            self._awaited -= 1
            self._moved_at = time.monotonic()

    async def awaited(self, chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        """Yield a provider's chunks, while each of which is awaited the turn is not silent."""
        while True:
            with self.awaits_provider():
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk

    @property
    def is_hopeless(self) -> bool:
        """Whether a further call would fail too. OpenClaw would try again for minutes.

        After a refusal of the request itself it may try with a shorter one.
        """
        return self.trouble is not None and self.trouble.code not in OF_ONE_REQUEST

    def track_request(self, task: asyncio.Task[Any] | None) -> None:
        """Count a request's task as under way until it is done."""
        if task is not None:
            self.requests.add(task)
            task.add_done_callback(self.requests.discard)

    def track_settling(self, task: asyncio.Task[None]) -> None:
        """Count the settling of a call as under way until it is done."""
        self.settling.add(task)
        task.add_done_callback(self.settling.discard)

    async def end(self) -> None:
        """Return when every call is settled; those that do not end by themselves are cut."""
        if self.requests:
            await asyncio.wait(set(self.requests), timeout=FINISH_SECONDS)
        for task in set(self.requests):
            task.cancel()
        while left := self.requests | self.settling:
            await asyncio.wait(left)
