"""What happens in the life of a job, as it is published while it happens.

One type for each kind of event. An answer's text is Markdown, as the model wrote it: whoever shows
it, a web page or a messenger, renders it for themselves. Nothing here is the truth; see
gateways/event_streams.py.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, get_args


@dataclass(frozen=True)
class JobQueued:
    """Somebody asked, or asked again; no worker has the job yet."""

    kind: ClassVar[str] = "asked"


@dataclass(frozen=True)
class AttemptBegan:
    """A worker has begun to answer."""

    kind: ClassVar[str] = "working"


@dataclass(frozen=True)
class TextAdded:
    """More Markdown at the end of the answer, of which `start` characters were there before.

    So a reader sees when some of it was lost on the way.
    """

    kind: ClassVar[str] = "text"
    start: int
    text: str


@dataclass(frozen=True)
class ToolUsed:
    """The assistant uses a tool."""

    kind: ClassVar[str] = "tool"
    name: str


@dataclass(frozen=True)
class ThoughtShown:
    """What the model thinks of by now, in a line; it is no part of the answer."""

    kind: ClassVar[str] = "thought"
    words: str


@dataclass(frozen=True)
class StopRequested:
    """The user wants the answer stopped; its worker has yet to do so."""

    kind: ClassVar[str] = "stopping"


@dataclass(frozen=True)
class RetryScheduled:
    """The attempt failed on our side, and another one will be made."""

    kind: ClassVar[str] = "waiting"


@dataclass(frozen=True)
class JobPaused:
    """The job waits for credits."""

    kind: ClassVar[str] = "paused"


@dataclass(frozen=True)
class JobResumed:
    """There are credits again, and the job waits for a worker."""

    kind: ClassVar[str] = "resumed"


@dataclass(frozen=True)
class JobEnded:
    """The job is over: completed, failed or cancelled."""

    kind: ClassVar[str] = "over"
    status: str


@dataclass(frozen=True)
class ConversationDeleted:
    """The conversation is gone, with all its jobs."""

    kind: ClassVar[str] = "deleted"


@dataclass(frozen=True)
class MessageAdded:
    """The product said something that nobody asked; it is named by its own id, not by a job's."""

    kind: ClassVar[str] = "said"


@dataclass(frozen=True)
class MessageDeleted:
    """A message is gone, with its answer; it is named by its own id."""

    kind: ClassVar[str] = "message_deleted"


LiveEvent = (
    JobQueued
    | AttemptBegan
    | TextAdded
    | ToolUsed
    | ThoughtShown
    | StopRequested
    | RetryScheduled
    | JobPaused
    | JobResumed
    | JobEnded
    | ConversationDeleted
    | MessageAdded
    | MessageDeleted
)
KINDS: dict[str, type[LiveEvent]] = {one.kind: one for one in get_args(LiveEvent)}


def encode(event: LiveEvent) -> tuple[str, dict[str, Any]]:
    """Return an event's kind and data, as JSON can carry them."""
    return event.kind, asdict(event)


def decode(kind: str, data: dict[str, Any]) -> LiveEvent | None:
    """Read an event back; None for one that another version of the product wrote otherwise.

    During a deploy both are at work; what a reader does not understand is shown at the job's end.
    """
    made = KINDS.get(kind)
    if made is None:
        return None
    known: dict[str, Any] = {field.name: data.get(field.name) for field in fields(made)}
    types: dict[str, Any] = {field.name: field.type for field in fields(made)}
    is_sound = all(isinstance(value, types[name]) for name, value in known.items())
    return made(**known) if is_sound else None
