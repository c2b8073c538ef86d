"""Pictures of earlier messages, left out when a provider refuses a conversation.

It may have taken them before, or another provider has; with one that it refuses in what was said
before, no message would ever be answered there again.
"""

from collections.abc import Callable
from typing import cast

from agent.meter.prefixes import SAID
from agent.meter.wires import Body
from agent.meter.wires.base import parts

NOTE = "(There was a picture here, which cannot be shown any more.)"
# What stands in the place of a picture, by the type of its part.
TEXT_TYPES = {"image": "text", "image_url": "text", "input_image": "input_text"}
TOOL_PARTS = {"tool_result"}


def without_earlier(body: Body) -> bool:
    """Leave the pictures out that came before the latest message; tell whether there were any."""
    said = parts(body, next((name for name in SAID if name in body), ""))
    asked = [at for at, one in enumerate(said) if _is_persons(one)]
    count = 0

    def note(part: Body) -> Body:
        nonlocal count
        count += 1
        kind = part.get("type")
        return {"type": TEXT_TYPES[str(kind)], "text": NOTE} if kind else {"text": NOTE}

    for message in said[: asked[-1] if asked else 0]:
        _replace(message, note)
    return count > 0


def _is_persons(message: Body) -> bool:
    """Whether a person wrote a message; some formats give the results of tools their role too."""
    inner = [*parts(message, "content"), *parts(message, "parts")]
    is_of_a_tool = any(one.get("type") in TOOL_PARTS or "functionResponse" in one for one in inner)
    return message.get("role") == "user" and not is_of_a_tool


def _replace(holder: object, note: Callable[[Body], Body]) -> None:
    """Put a note in the place of every picture in a message, however deep it stands."""
    if isinstance(holder, dict):
        for value in cast(Body, holder).values():
            _replace(value, note)
    elif isinstance(holder, list):
        found = cast(list[object], holder)
        for at, one in enumerate(found):
            part = cast(Body, one) if isinstance(one, dict) else None
            if part is not None and _is_picture(part):
                found[at] = note(part)
            else:
                _replace(cast(object, one), note)


def _is_picture(part: Body) -> bool:
    return part.get("type") in TEXT_TYPES or "inlineData" in part
