"""What is found out about a recording."""

from dataclasses import dataclass
from typing import Literal

# No codec for speech takes more: what has more bytes is longer than its tables say.
MOST_BITS_PER_SECOND = 520_000

Fault = Literal["not_audio", "broken"]


class BadRecording(Exception):
    """Something that is no recording, or of which nothing can be played; `fault` says which."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True)
class Measured:
    """A recording's media type by what is in it, and how long it plays."""

    media_type: str
    seconds: float


def not_shorter(seconds: float, size_bytes: int) -> float:
    """Return how long something of this size plays, for a length that was only told."""
    return max(seconds, size_bytes * 8 / MOST_BITS_PER_SECOND)
