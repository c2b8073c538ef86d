"""Directives in a person's message by which tests and drills say what the model shall do.

[[demo: say TEXT]]            answer with this text, to the letter
[[demo: words N]]             answer with N words
[[demo: think TEXT]]          think this first, and tell it
[[demo: refuse TEXT]]         refuse in words, in the field that a provider has for that
[[demo: slow 200ms]]          let this much time pass before each word
[[demo: tool NAME {...}]]     call this tool before answering; several in turn; x3 repeats it
[[demo: stall after N]]       send nothing more after N words; without "after", not even a header
[[demo: cut after N]]         drop the connection after N words; without "after", at once
[[demo: fail after N]]        give up within the stream after N words, in the provider's own way
[[demo: hold after N]]        wait after N words until POST /_release
[[demo: linger]]              say everything, and leave the connection open
[[demo: status 429 x2]]       refuse with this status, here twice, otherwise always
[[demo: usage input=1 output=2 cache_read=3 cache_write=4 thoughts=1 tool_prompt=1]]
                              and cache_write_hour=4, which is among what is written
[[demo: no usage]]            end a stream without telling the usage
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Literal

from embedded.demo_model.conversation import Body
from embedded.demo_model.reply import Usage

OPENING = "[[demo:"
REPEATED = re.compile(r"\s*(?:x(\d+))?\s*\]\]")
STOPS = re.compile(r"(stall|cut|fail|hold)(?: after (\d+))?|(linger)")


class NoSuchDirective(Exception):
    """The script cannot be read."""


@dataclass(frozen=True)
class Stop:
    """Where an answer does not go on. `after` is in words; -1 is before anything at all.

    One that lingers is whole, only the connection does not end.
    """

    kind: Literal["stall", "cut", "fail", "hold", "linger"]
    after: int


@dataclass(frozen=True)
class Script:
    """What a message tells the model to do."""

    text: str | None = None
    thoughts: str = ""
    refusal: str = ""
    pause_seconds: float | None = None
    tools: tuple[tuple[str, Body], ...] = ()
    stop: Stop | None = None
    status: int | None = None
    # How often to refuse; None is always.
    refusals: int | None = None
    usage: Usage | None = None
    tells_usage: bool = True


def parse(text: str) -> Script:
    """Read every directive in a message. Raises NoSuchDirective."""
    script = Script()
    rest = text
    while OPENING in rest:
        rest = rest.partition(OPENING)[2].lstrip()
        if rest.startswith("tool "):
            script, rest = _tool(script, rest)
            continue
        directive, closing, rest = rest.partition("]]")
        if not closing:
            raise NoSuchDirective(f"{directive!r} is not closed")
        script = _apply(script, directive.strip())
    return script


def _tool(script: Script, rest: str) -> tuple[Script, str]:
    name, _, after = rest.removeprefix("tool ").partition(" ")
    try:
        arguments, end = json.JSONDecoder().raw_decode(after)
    except ValueError as error:
        raise NoSuchDirective(f"tool {name} needs its arguments as JSON") from error
    closing = REPEATED.match(after[end:])
    if not closing:
        raise NoSuchDirective(f"tool {name} is not closed")
    calls = ((name, arguments),) * int(closing[1] or 1)
    return replace(script, tools=script.tools + calls), after[end + closing.end() :]


def _apply(script: Script, directive: str) -> Script:
    name, _, value = directive.partition(" ")
    if name == "say":
        return replace(script, text=value)
    if name == "think":
        return replace(script, thoughts=value)
    if name == "refuse":
        return replace(script, text="", refusal=value)
    if directive == "no usage":
        return replace(script, tells_usage=False)
    if stop := STOPS.fullmatch(directive):
        return replace(script, stop=_stop(stop[1] or stop[3], stop[2]))
    try:
        return _with_number(script, name, value)
    except ValueError as error:
        raise NoSuchDirective(f"unknown: {directive!r}") from error


def _stop(kind: str, after: str | None) -> Stop:
    if kind not in ("stall", "cut", "fail", "hold", "linger"):
        raise NoSuchDirective(kind)
    return Stop(kind, -1 if after is None else int(after))


def _with_number(script: Script, name: str, value: str) -> Script:
    if name == "words":
        return replace(script, text=" ".join(f"word{at}" for at in range(1, int(value) + 1)))
    if name == "slow":
        return replace(script, pause_seconds=float(value.removesuffix("ms")) / 1000)
    if name == "status":
        status, _, times = value.partition(" x")
        return replace(script, status=int(status), refusals=int(times) if times else None)
    if name == "usage":
        counts = dict(one.split("=", 1) for one in value.split())
        return replace(script, usage=Usage(**{key: int(count) for key, count in counts.items()}))
    raise ValueError(name)
