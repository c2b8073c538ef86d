"""A request to the model, whatever format it came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

Body = dict[str, Any]

# How OpenClaw shows the picture that a tool returned, in formats whose tool results are words only.
SHOWN_BY_TOOL = "Attached image"


@dataclass(frozen=True)
class Picture:
    """An image that came with a message."""

    media_type: str
    data: bytes


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model uses."""

    id: str
    name: str
    arguments: Body


@dataclass(frozen=True)
class Said:
    """One message: of the person, of the model, or the result of a tool."""

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    pictures: tuple[Picture, ...] = ()
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What the model is to answer. `tools` has each tool's JSON schema by its name."""

    model: str
    system: str
    said: tuple[Said, ...]
    tools: Mapping[str, Body]
    max_output_tokens: int | None
    is_stream: bool

    @property
    def question(self) -> Said:
        """The person's last message."""
        return self.said[self._question_at] if self._question_at >= 0 else Said("user")

    @property
    def earlier(self) -> tuple[Said, ...]:
        """What was said before the question."""
        return self.said[: max(self._question_at, 0)]

    @property
    def done(self) -> tuple[tuple[ToolCall, str], ...]:
        """The tools used since the question, each with its result, in order."""
        since = self.said[self._question_at + 1 :]
        calls = [call for said in since for call in said.calls]
        results = [said.text for said in since if said.role == "tool"]
        return tuple(zip(calls, results, strict=False))

    @property
    def _question_at(self) -> int:
        for index in range(len(self.said) - 1, -1, -1):
            if self.said[index].role == "user" and not self._is_of_a_tool(index):
                return index
        return -1

    def _is_of_a_tool(self, index: int) -> bool:
        after_tool = index > 0 and self.said[index - 1].role == "tool"
        return after_tool and self.said[index].text.startswith(SHOWN_BY_TOOL)


def objects(value: object) -> list[Body]:
    """Return the objects in a list of a request; nothing when it is no list."""
    found = cast(list[object], value) if isinstance(value, list) else []
    return [cast(Body, one) for one in found if isinstance(one, dict)]


def part(body: Body, name: str) -> Body:
    """Return an object in a request, an empty one when it is missing."""
    value = body.get(name)
    return cast(Body, value) if isinstance(value, dict) else {}


def words(value: object) -> str:
    """Return the text of a content that is a string, or a list of parts with texts."""
    if isinstance(value, str):
        return value
    return "\n".join(str(one["text"]) for one in objects(value) if isinstance(one.get("text"), str))
