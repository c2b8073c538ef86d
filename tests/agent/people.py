"""People who talk to a runtime in tests, and what they hear."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from agent.meter.call_ledger import Bound, ClosedCall, OpenCall, SizeHold
from agent.runtime import Runtime
from agent.turn import Answer, Attachment, Exchange, Note, Profile, SavedState, Turn, TurnFailure

MODEL = "compatible/scripted"


@dataclass
class Purse:
    """Books that are kept in memory, and can run dry."""

    micros: int = 100_000_000
    opened: list[OpenCall] = field(default_factory=list[OpenCall])
    closed: list[ClosedCall] = field(default_factory=list[ClosedCall])

    def open(self, call_id: UUID, model: str, fit: SizeHold) -> OpenCall:
        held = fit([Bound(TurnFailure.NO_CREDIT, self.micros)])
        self.opened.append(OpenCall(call_id, model, held))
        return self.opened[-1]

    def close(self, call: ClosedCall) -> None:
        self.closed.append(call)


@dataclass
class TurnListener:
    """Hears how a turn goes on, and lets a test react at once."""

    heard: list[str] = field(default_factory=list[str])
    tools: list[str] = field(default_factory=list[str])
    thoughts: list[str] = field(default_factory=list[str])
    on_text: Callable[[str], object] = lambda _: None

    def tool(self, name: str) -> None:
        self.tools.append(name)

    def thought(self, words: str) -> None:
        self.thoughts.append(words)

    def text(self, delta: str) -> None:
        self.heard.append(delta)
        self.on_text(delta)

    @property
    def said(self) -> str:
        return "".join(self.heard)


@dataclass
class Person:
    """Somebody with an assistant. `say` has one message answered, and saves unless told not to."""

    runtime: Runtime
    profile: Profile
    id: UUID = field(default_factory=uuid7)
    conversation: UUID = field(default_factory=uuid7)
    purse: Purse = field(default_factory=Purse)
    states: tuple[SavedState, ...] = ()
    recent: tuple[Exchange, ...] = ()
    notes: tuple[Note, ...] = ()
    stop: threading.Event = field(default_factory=threading.Event)

    def turn(self, text: str, **changes: Any) -> Turn:
        turn = Turn(
            job_id=uuid7(),
            attempt=1,
            user_id=self.id,
            conversation_id=self.conversation,
            text=text,
            attachments=(),
            model=MODEL,
            profile=self.profile,
            recent=self.recent,
            states=self.states,
            notes=self.notes,
        )
        return replace(turn, **changes)

    def say(
        self,
        text: str,
        *attachments: Attachment,
        listener: TurnListener | None = None,
        saved: bool = True,
        model: str = MODEL,
    ) -> Answer:
        turn = self.turn(text, attachments=attachments, model=model)
        answer = self.runtime.run(turn, listener or TurnListener(), self.purse, self.stop)
        if saved:
            self.save()
        return answer

    def save(self) -> None:
        self.states = (self.runtime.save(self.id), *self.states)

    def begin_conversation(self) -> None:
        self.conversation = uuid7()
