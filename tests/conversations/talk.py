"""One long conversation, and what it showed."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2

from agent.meter.call_ledger import Bound, ClosedCall, OpenCall, SizeHold
from agent.turn import AgentFailed, TurnFailure
from embedded.demo_model.replies.summaries import SUMMARIZING
from tests.agent.people import Person

FACT = "My walnut tree is called Methuselah"
# Where the formats have the output cap.
CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")


@dataclass
class LimitedPurse:
    """Books of one message at a time, with the limit that a message has and credits without end."""

    limit_micros: int
    spent_micros: int = 0
    opened: list[OpenCall] = field(default_factory=list[OpenCall])
    closed: list[ClosedCall] = field(default_factory=list[ClosedCall])
    held: dict[UUID, int] = field(default_factory=dict[UUID, int])

    def open(self, call_id: UUID, model: str, fit: SizeHold) -> OpenCall:
        left = self.limit_micros - self.spent_micros - sum(self.held.values())
        bounds = [Bound(TurnFailure.NO_CREDIT, 10**12), Bound(TurnFailure.MESSAGE_LIMIT, left)]
        self.held[call_id] = fit(bounds)
        self.opened.append(OpenCall(call_id, model, self.held[call_id]))
        return self.opened[-1]

    def close(self, call: ClosedCall) -> None:
        self.spent_micros += min(call.charge_micros, self.held.pop(call.call_id))
        self.closed.append(call)


@dataclass
class Shown:
    """What a conversation showed. Caps are in output tokens, money in micro-dollars."""

    model: str
    answered: int = 0
    refused: list[str] = field(default_factory=list[str])
    # The numbers of the messages before whose answers the conversation was summarized.
    summarized_at: list[int] = field(default_factory=list[int])
    summary_calls: int = 0
    least_cap: int = 10**9
    longest_tokens: int = 0
    knows_fact: bool = False
    dearest_micros: int = 0
    spent_micros: int = 0


def talk(
    person: Person,
    model: str,
    messages: int,
    *,
    provider: str,
    limit_micros: int,
    words: int = 150,
    tell: Callable[[str], None] = lambda _: None,
) -> Shown:
    """Say a fact, then much else; `provider` is the address of a recording demo model."""
    shown = Shown(model)
    filler = "and then we talked about the garden for quite a while " * (words // 8)
    _taken(provider)
    for number in range(1, messages + 1):
        person.purse = purse = LimitedPurse(limit_micros)  # pyright: ignore[reportAttributeAccessIssue]
        said = FACT if number == 1 else f"Message {number}: {filler}"
        try:
            person.say(f"{said}. [[demo: words {words}]]", saved=False, model=model)
            shown.answered += 1
        except AgentFailed as failure:
            shown.refused.append(f"{number}: {failure.code}")
        asked = _taken(provider)
        _note(shown, number, asked, purse)
        if number % 20 == 0:
            tell(f"{model} {number}: {shown}")
    return shown


def _note(shown: Shown, number: int, asked: list[dict[str, Any]], purse: LimitedPurse) -> None:
    summaries = [body for body in asked if SUMMARIZING in json.dumps(body)]
    answers = [body for body in asked if SUMMARIZING not in json.dumps(body)]
    shown.summary_calls += len(summaries)
    if summaries:
        shown.summarized_at.append(number)
    for body in answers:
        shown.least_cap = min(shown.least_cap, _cap(body))
        shown.knows_fact = FACT in json.dumps(body)
    used = [call.usage for call in purse.closed]
    for usage in used:
        whole = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        shown.longest_tokens = max(shown.longest_tokens, whole)
    shown.dearest_micros = max(shown.dearest_micros, purse.spent_micros)
    shown.spent_micros += purse.spent_micros


def _cap(body: dict[str, Any]) -> int:
    fields = {**body, **body.get("generationConfig", {})}
    return next(fields[name] for name in CAPS if name in fields)


def _taken(provider: str) -> list[dict[str, Any]]:
    recorded = httpx2.delete(f"{provider}/_recorded", timeout=30).json()
    return [one["body"] for one in recorded]
