"""A hold is the most that honest usage can be, in each format; nothing dearer goes out."""

from pathlib import Path
from typing import Any, cast

import pytest

from agent.catalogue import WIRES, Provider
from agent.meter.shapes import SHAPES, Cut
from agent.meter.shapes.base import as_object
from agent.meter.wires.base import MOST_IMAGE_TOKENS, MOST_TOOLS_TOKENS, likely_tokens, most_tokens
from tests.agent.meter.world import PROVIDERS, World, run, world

CAP = 900
# The most tokens that tokenizers make of each: a digit or sign is one, and a character of Chinese
# may be two.
TEXTS = {
    "prose": ("The quick brown fox jumps over the lazy dog. " * 40, 40 * 10),
    "digits": ("31415926535897932384 " * 40, 40 * 20),
    "signs": ("{}[]();:!?=+-*/%&|<> " * 40, 40 * 20),
    "Chinese": ("\u6211\u7684\u82b1\u56ed\u91cc\u6709\u73ab\u7470 " * 40, 40 * 16),
    # As if it were a picture, and as if it were one's own words.
    "encoded bytes": ("Qk0eXZlcnlsb25nd29yZHdpdGhvdXRhbnlzcGFjZQ" * 110, 42 * 110),
    "noise": ("qzjxkvwpbfmghyuolcidtnrsaeqzjxkvwpbfmghyuolcidtnrsae" * 40 + " ", 52 * 40),
    "pictograms": ("\U0001f33b\U0001f41d " * 40, 40 * 5),
}


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("text", TEXTS)
def test_the_most_that_a_call_can_honestly_use_is_held(
    tmp_path: Path, name: str, text: str
) -> None:
    words, tokens = TEXTS[text]
    # All of it written to the cache, which is dearer, most of all for an hour; and thoughts up to
    # the cap.
    hour = f"cache_write_hour={tokens} " if name == "anthropic" else ""
    how = "input" if name == "gemini" else f"input=0 {hour}cache_write"
    thoughts = f" thoughts={CAP - 10}" if name == "gemini" else ""
    told = f"[[demo: say ok]] [[demo: usage {how}={tokens} output={CAP}{thoughts}]] {words}"

    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            assert (await w.ask(told, cap=CAP))[0] == 200
            [closed] = await w.settled()
            assert closed.usage.output_tokens == CAP
            assert closed.usage.input_tokens + closed.usage.cache_write_tokens == tokens
            assert 0 < closed.charge_micros <= w.books.opened[0].held_micros

    run(scenario())


DATA = "A" * 9_000
ADDRESS = f"data:image/png;base64,{DATA}"
SOURCE = {"type": "base64", "media_type": "image/png", "data": DATA}


def _said(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


PICTURES: dict[str, dict[str, Any]] = {
    "anthropic": {"messages": _said({"type": "image", "source": SOURCE})},
    "openai": {"input": _said({"type": "input_image", "image_url": ADDRESS})},
    "compatible": {"messages": _said({"type": "image_url", "image_url": {"url": ADDRESS}})},
    "gemini": {
        "contents": [
            {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": DATA}}]}
        ]
    },
}
# As long, where only a tool sees it.
INPUT = {"type": "tool_use", "id": "a", "name": "look", "input": {**SOURCE, "url": ADDRESS}}
ARGUMENTS = {"name": "look", "args": {"mimeType": "image/png", "data": DATA}}
LOOKALIKES: dict[str, dict[str, Any]] = {
    "anthropic": {"messages": _said(INPUT)},
    "openai": {"input": _said({"type": "input_text", "text": ADDRESS})},
    "compatible": {"messages": _said({"type": "text", "text": ADDRESS})},
    "gemini": {"contents": [{"role": "model", "parts": [{"functionCall": ARGUMENTS}]}]},
}


def _taken(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """What the wire of a provider makes of a request."""
    shapes = {provider: SHAPES[wire] for provider, wire in WIRES.items()}
    return as_object(shapes[cast(Provider, name)](body, Cut()))


def test_half_a_character_is_counted_like_a_whole_one() -> None:
    """OpenClaw cuts long texts wherever they are long enough."""
    for count in (most_tokens, likely_tokens):
        assert count({"messages": ["Cut \ud83d"]}) >= count({"messages": ["Cut "]})


def test_what_a_provider_adds_for_tools_is_held() -> None:
    words = {"messages": ["Hello"]}
    assert most_tokens({**words, "tools": [{"name": "a"}]}) > MOST_TOOLS_TOKENS + most_tokens(words)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_held_for_by_what_a_provider_sees_in_it(name: str) -> None:
    picture = _taken(name, PICTURES[name])
    assert MOST_IMAGE_TOKENS < most_tokens(picture) < MOST_IMAGE_TOKENS + 50
    assert likely_tokens(picture) < most_tokens(picture)


@pytest.mark.parametrize("name", LOOKALIKES)
def test_words_that_look_like_a_picture_are_held_for_as_words(name: str) -> None:
    assert most_tokens(_taken(name, LOOKALIKES[name])) > len(DATA)


def test_a_long_text_is_held_for_like_its_parts() -> None:
    noise = "qzjxkvwpbfmghyuolcidtnrsae" * 10_000
    assert most_tokens({"messages": [noise]}) >= len(noise)


def test_ordinary_words_are_not_held_for_like_signs() -> None:
    prose = {"messages": ["all the words of a long letter to a friend " * 100]}
    assert most_tokens(prose) < 1.4 * likely_tokens(prose)


FUNCTIONS: dict[str, dict[str, Any]] = {
    "anthropic": {"name": "look", "input_schema": {"type": "object"}},
    "openai": {"type": "function", "name": "look", "parameters": {"type": "object"}},
    "gemini": {"functionDeclarations": [{"name": "look"}]},
    "compatible": {"type": "function", "function": {"name": "look"}},
    "demo": {"type": "function", "function": {"name": "look"}},
}
OF_PROVIDERS: dict[str, dict[str, Any]] = {
    "anthropic": {"type": "web_search_20250305", "name": "web_search"},
    "openai": {"type": "web_search"},
    "gemini": {"googleSearch": {}},
    "compatible": {"type": "web_search"},
    "demo": {"type": "web_search"},
}


async def sent_with(w: World, tools: list[dict[str, Any]]) -> dict[str, Any]:
    """What reaches the provider of a request with these tools."""
    body = {**w.request("[[demo: say ok]]"), "tools": tools}
    async with w.post(body) as answer:
        await answer.read()
    return (await w.recorded())[-1]["body"]


@pytest.mark.parametrize("name", PROVIDERS)
def test_tools_that_a_provider_runs_and_charges_for_are_left_out(tmp_path: Path, name: str) -> None:
    ours, theirs = FUNCTIONS[name], OF_PROVIDERS[name]

    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            assert (await sent_with(w, [ours, theirs]))["tools"] == [ours]
            assert "tools" not in await sent_with(w, [theirs])

    run(scenario())
