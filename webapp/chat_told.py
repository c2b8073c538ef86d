"""What a job's stream says of its answer so far."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateways import values
from gateways.event_streams import Event

# Kinds that only add to what is shown; after any other the job is drawn anew.
ADDING = {"text", "block", "tool"}
# What people call the assistant's tools.
TOOLS = {
    "memory_search": "Looking into its notes",
    "memory_get": "Reading its notes",
    "read": "Reading a file",
    "ls": "Looking through its files",
    "write": "Writing it down",
    "edit": "Writing it down",
    "view_image": "Looking at a picture",
}


@dataclass
class Told:
    """An answer that is being written: safe HTML of its finished blocks, then plain text.

    It is whole when the stream still has the beginning of the attempt. If Redis has lost that, the
    answer is cut: nothing of it is shown before the end.
    """

    attempt: int = 0
    last_id: str = ""
    html: str = ""
    tail: str = ""
    tool: str = ""
    is_whole: bool = False
    is_cut: bool = False

    @property
    def has_text(self) -> bool:
        return bool(self.html or self.tail)


def fold(events: Iterable[Event]) -> Told:
    """Join a job's events to what they say together; a later attempt forgets the earlier."""
    told = Told()
    for event in events:
        if event.attempt > told.attempt or event.kind == "working":
            told = Told(attempt=event.attempt, is_whole=event.kind == "working")
        told.last_id = event.id
        if event.attempt == told.attempt and told.is_whole:
            _add(told, event)
        elif event.kind in ADDING:
            told.is_cut = True
    return told


def in_words(tool: str) -> str:
    """Say what the assistant does with a tool."""
    return TOOLS.get(tool.rpartition("__")[2], "Using a tool")


def is_later(one: str, other: str) -> bool:
    """Whether the stream id `one` comes after `other`; an empty one comes before all."""
    return _parts(one) > _parts(other)


def _parts(stream_id: str) -> tuple[int, int]:
    return values.stream_id(stream_id) if stream_id else (0, 0)


def _add(told: Told, event: Event) -> None:
    if event.kind == "text":
        told.tail += event.data["text"]
        told.tool = ""
    elif event.kind == "block":
        told.html += event.data["html"]
        told.tail = event.data["tail"]
        told.tool = ""
    elif event.kind == "tool":
        told.tool = event.data["name"]
