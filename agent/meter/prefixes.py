"""What providers are likely to have in their caches, as far as a cell's meter saw it put there."""

import hashlib
import time
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from agent.meter.call_ledger import Usage
from agent.meter.wires import Body
from agent.meter.wires.base import SUMMARIZING, likely_tokens, parts

# Providers keep a prompt for five minutes after it was last used, or for as long as it is said; a
# request is on its way a while.
KEPT_SECONDS = 270.0
KEPT_HOUR_SECONDS = 3_570.0
# Where the formats have what was said so far.
SAID = ("messages", "input", "contents")
# Moves from one message to the next as a conversation grows.
MOVING = "cache_control"


@dataclass(frozen=True)
class Likely:
    """The input of a call as it is likely to be counted: read from the cache, and not."""

    cached_tokens: int
    fresh_tokens: int


@dataclass(frozen=True)
class _Prefix:
    beginning: bytes
    likely_tokens: int
    # As the provider counted it.
    tokens: int
    ends: float


class Sent:
    """A request, as it is compared with the one before of its conversation."""

    def __init__(self, body: Body) -> None:
        self.likely_tokens = likely_tokens(body)
        self.is_summary = any(text.startswith(SUMMARIZING) for text in _instructions(body))
        self.beginning = _beginning(body)


class Prefixes:
    """The latest request of each conversation and model, in one cell."""

    def __init__(self) -> None:
        self._latest: dict[tuple[UUID, str], _Prefix] = {}

    def likely(self, conversation_id: UUID, model: str, sent: Sent) -> Likely:
        """Say how a request is likely to be counted; what nobody knows of is not cached."""
        known = self._latest.get((conversation_id, model))
        is_warm = known is not None and time.monotonic() < known.ends
        if known is None or not is_warm or known.beginning != sent.beginning:
            return Likely(0, sent.likely_tokens)
        return Likely(known.tokens, max(0, sent.likely_tokens - known.likely_tokens))

    def note(
        self,
        conversation_id: UUID,
        model: str,
        sent: Sent,
        usage: Usage,
        *,
        is_for_hour: bool = False,
    ) -> None:
        """Note that a provider has read all of a request. Summaries are no part of what follows."""
        if sent.is_summary:
            return
        ends = time.monotonic() + (KEPT_HOUR_SECONDS if is_for_hour else KEPT_SECONDS)
        tokens = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        self._latest[conversation_id, model] = _Prefix(
            sent.beginning, sent.likely_tokens, tokens, ends
        )


def _beginning(body: Body) -> bytes:
    """Hash the instructions, the tools and the first message: what a summary would change."""
    name = next((name for name in SAID if name in body), "")
    said = parts(body, name)
    first = next((at for at, one in enumerate(said) if one.get("role") == "user"), len(said))
    head = {**{key: body[key] for key in _fixed(body)}, name: said[: first + 1]}
    whole = hashlib.sha256()
    for text in _texts(head):
        whole.update(text.encode(errors="replace") + b"\0")
    return whole.digest()


def _fixed(body: Body) -> list[str]:
    return [key for key in ("system", "instructions", "systemInstruction", "tools") if key in body]


def _instructions(body: Body) -> list[str]:
    """List the texts of what the model is told to be."""
    name = next((name for name in SAID if name in body), "")
    told = [one for one in parts(body, name)[:1] if one.get("role") in {"system", "developer"}]
    return _texts([*(body[key] for key in _fixed(body) if key != "tools"), *told])


def _texts(value: object) -> list[str]:
    """List all strings in a part of a request, in order, but for where the cache is to end."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for one in cast(list[object], value) for text in _texts(one)]
    if isinstance(value, dict):
        fields = cast(Body, value).items()
        return [text for name, one in fields if name != MOVING for text in _texts(one)]
    return []
