"""What the meter must ask and record, so that it needs no database of its own."""

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

Outcome = Literal["completed", "cut", "stopped", "failed"]


class NoCredit(Exception):
    """The person cannot pay for this call."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call. `input_tokens` has neither those read from nor written to a cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


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


class Books(Protocol):
    """The books of one turn. Blocking; the meter calls them from a thread."""

    def available_micros(self) -> int:
        """What the person can still spend: the balance less what is held."""
        ...

    def open(self, call: OpenCall) -> None:
        """Hold the most that a call can cost; raises NoCredit when it is not there."""
        ...

    def close(self, call: ClosedCall) -> None:
        """Turn the hold into the real charge; told twice, it counts once."""
        ...
