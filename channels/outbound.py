"""What goes out to a messenger: parts of a message, ready to be sent, with their buttons."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Button:
    """A button under a message: it opens `url`, or hands `data` back when it is pressed."""

    label: str
    # At most 64 bytes of ASCII.
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Part:
    """What fits into one message of the messenger.

    `text` is what a reader sees; `formatting` is how the messenger is told of its looks, in its own
    words, and may be left out when it refuses them.
    """

    text: str
    formatting: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class OutgoingFile:
    """A file or a picture that the assistant hands over."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class FetchedFile:
    """A file that a user sent, fetched from the messenger."""

    content: bytes
    media_type: str
