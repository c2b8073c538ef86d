"""What the meter must ask and record, so that it needs no database of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from agent.turn import TurnFailure

Outcome = Literal["completed", "cut", "stopped", "failed"]


@dataclass(frozen=True)
class Bound:
    """One thing that ends spending: how much it still allows, and why a turn ends with it."""

    code: TurnFailure
    left_micros: int


class NoRoom(Exception):
    """A call costs more than is left of `bound`."""

    def __init__(self, bound: Bound) -> None:
        super().__init__(str(bound.code))
        self.bound = bound


class TurnLost(Exception):
    """The turn is not ours any more: another worker answers it, or it is over."""


class BooksUnavailable(Exception):
    """The books cannot be reached just now. Asking again may help."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call. `input_tokens` has neither those read from nor written to a cache.

    Of those written, `cache_write_hour_tokens` are kept for an hour, which costs more.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_hour_tokens: int = 0


# Says how many micros to hold for a call, given all that bounds it; raises NoRoom when these do not
# allow an answer that is of use.
SizeHold = Callable[[Sequence[Bound]], int]


@dataclass(frozen=True)
class OpenCall:
    """A call that is about to go out, and the most that it can cost the person."""

    call_id: UUID
    model: str
    held_micros: int


@dataclass(frozen=True)
class ClosedCall:
    """A call that is over, and what it really used."""

    call_id: UUID
    model: str
    usage: Usage
    is_estimated: bool
    provider_cost_micros: int
    charge_micros: int
    price_version: str
    outcome: Outcome
    provider_request_id: str | None
    detail: str | None


class CallLedger(Protocol):
    """The books of one turn. Blocking; the meter calls them from a thread."""

    def open(self, call_id: UUID, model: str, fit: SizeHold) -> OpenCall:
        """Hold what `fit` says, while nothing else can take it; told twice, it holds once.

        It is told the balance and whatever limits the person has set, less what is held by calls
        under way. There is at least one. Raises NoRoom if that is too much, TurnLost, and
        BooksUnavailable.
        """
        ...

    def close(self, call: ClosedCall) -> None:
        """Turn the hold into the real charge; told twice, it counts once."""
        ...
