"""What every format can do."""

import base64
import binascii
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from embedded.demo_model.cache import Block
from embedded.demo_model.conversation import Asked, Body, Picture
from embedded.demo_model.reply import Reply, Usage

FAILURE = 503


class Writer(ABC):
    """Writes one answer; streamed as begin, words, end, or whole at once."""

    # The header that names the request, when the provider sends one.
    request_id_header: ClassVar[str] = "x-request-id"
    # Whether what is written to the cache is counted (and costs more).
    pays_for_writing: ClassVar[bool] = False

    def __init__(self, body: Body, asked: Asked, answer_id: str, usage: Usage) -> None:
        self.body = body
        self.model = asked.model
        self.id = answer_id
        self.usage = usage

    @staticmethod
    @abstractmethod
    def read(body: Body) -> Asked:
        """Understand a request."""

    @staticmethod
    @abstractmethod
    def blocks(body: Body) -> Sequence[Block]:
        """List the parts of a request, in the order in which the provider's cache has them."""

    @abstractmethod
    def begin(self) -> bytes:
        """Write what comes before the first word."""

    @abstractmethod
    def think(self, thoughts: str) -> bytes:
        """Write what is told of the thoughts before the words."""

    def refuse(self, words: str) -> bytes:
        """Write a refusal, which is an answer as any other where formats have no field for it."""
        return self.word(words)

    @abstractmethod
    def word(self, delta: str) -> bytes:
        """Write the next piece of the text."""

    @abstractmethod
    def end(self, reply: Reply, *, tells_usage: bool) -> bytes:
        """Write the tool calls, why it ends, and the usage if it is told."""

    def failure(self, message: str) -> bytes:
        """Write that the provider gives up within a stream."""
        return data([self.error(FAILURE, message)])

    @abstractmethod
    def whole(self, reply: Reply) -> Body:
        """Write the answer as one document."""

    @staticmethod
    @abstractmethod
    def error(status: int, message: str) -> Body:
        """Write a refusal."""


def data(events: Iterable[Body]) -> bytes:
    """Write events of a stream that have no names."""
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)


def named(events: Iterable[Body]) -> bytes:
    """Write events of a stream, each named by its type."""
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


def picture(media_type: str, encoded: str) -> Picture:
    """Decode an image; one that is damaged has no bytes."""
    try:
        return Picture(media_type, base64.b64decode(encoded))
    except (binascii.Error, ValueError):
        return Picture(media_type, b"")


def picture_of_url(url: str) -> Picture:
    """Decode a data URL; another URL is not fetched and leads to an image without bytes."""
    head, _, encoded = url.partition(",")
    if not head.startswith("data:") or not head.endswith(";base64"):
        return Picture("image/unknown", b"")
    return picture(head.removeprefix("data:").removesuffix(";base64"), encoded)


def json_object(text: object) -> Body:
    """Read a tool call's arguments; an empty object when they are not one."""
    try:
        value: object = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return {}
    return dict(value) if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
