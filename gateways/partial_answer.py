"""What a job's stream says of its answer so far."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateways import values
from gateways.event_streams import Event
from gateways.live_events import AttemptBegan, LiveEvent, TextAdded, ThoughtShown, ToolUsed

# Kinds that only add to what is shown; after any other the job is drawn anew.
ADDING = (TextAdded, ToolUsed, ThoughtShown)


@dataclass
class PartialAnswer:
    """An answer that is being written, as Markdown.

    It is whole when the stream still has all of the attempt. If Redis has lost some of it, the
    answer is cut: nothing of it is shown before the end.
    """

    attempt: int = 0
    last_id: str = ""
    text: str = ""
    tool: str = ""
    thought: str = ""
    is_whole: bool = False
    is_cut: bool = False

    @property
    def has_text(self) -> bool:
        return bool(self.text)


def replay(events: Iterable[Event]) -> PartialAnswer:
    """Join a job's events to what they say together; a later attempt forgets the earlier."""
    told, text = PartialAnswer(), _Text()
    for event in events:
        began = isinstance(event.payload, AttemptBegan)
        if event.attempt > told.attempt or began:
            told, text = PartialAnswer(attempt=event.attempt, is_whole=began), _Text()
        told.last_id = event.id
        if event.attempt == told.attempt and told.is_whole:
            _add(told, text, event.payload)
        elif isinstance(event.payload, ADDING):
            told.is_cut = True
    told.text = "".join(text.parts)
    return told


class _Text:
    """The text of an attempt, in the pieces in which it came."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0


def is_later(one: str, other: str) -> bool:
    """Whether the stream id `one` comes after `other`; an empty one comes before all."""
    return _parts(one) > _parts(other)


def _parts(stream_id: str) -> tuple[int, int]:
    return values.stream_id(stream_id) if stream_id else (0, 0)


def _add(told: PartialAnswer, text: _Text, payload: LiveEvent) -> None:
    if isinstance(payload, TextAdded):
        if payload.start != text.length:
            told.is_whole, told.is_cut = False, True
            text.parts.clear()
            return
        text.parts.append(payload.text)
        text.length += len(payload.text)
        told.tool = told.thought = ""
    elif isinstance(payload, ToolUsed):
        told.tool, told.thought = payload.name, ""
    elif isinstance(payload, ThoughtShown):
        told.tool, told.thought = "", payload.words
