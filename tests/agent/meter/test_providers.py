"""Each provider's format goes through its real SDK, and its usage is counted to the token."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from agent import catalogue
from agent.meter.call_ledger import Usage
from agent.meter.marks import MARK, unmarked
from agent.meter.wires import FORMATS
from agent.prices import Prices
from tests.agent.meter.world import (
    KEY_HEADERS,
    MODELS,
    OUR_KEY,
    PROVIDER_PATHS,
    PROVIDERS,
    TOKEN,
    events,
    key_hash,
    run,
    world,
)

every_provider = pytest.mark.parametrize("name", PROVIDERS)
TOLD = {
    "gemini": "input=107 output=20 cache_read=30 thoughts=5 tool_prompt=7",
}
COUNTED = {"gemini": Usage(107, 20, 30, 0)}
USAGE = "input=100 output=20 cache_read=30 cache_write=40"


@every_provider
@pytest.mark.parametrize("is_stream", [True, False])
def test_what_the_provider_counts_is_what_is_charged(
    tmp_path: Path, name: str, is_stream: bool
) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            told = f"[[demo: usage {TOLD.get(name, USAGE)}]] Hello"
            status, _ = await w.ask(told, is_stream=is_stream)
            assert status == 200

            [closed] = await w.settled()
            assert closed.usage == COUNTED.get(name, Usage(100, 20, 30, 40))
            assert (closed.outcome, closed.is_estimated) == ("completed", False)
            assert closed.model == MODELS[name]
            assert closed.provider_request_id

            model = catalogue.find(w.settings, MODELS[name])
            assert model
            price = Prices(w.settings).price(model, closed.usage)
            assert closed.charge_micros == price.charge_micros > closed.provider_cost_micros > 0

    run(scenario())


@every_provider
def test_an_answer_passes_through_with_marks_in_its_words(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            _, raw = await w.ask("[[demo: say Grüße <a_b>:, 世界]]")
            marked = json.dumps(events(raw), ensure_ascii=False)
            said = "".join(_words(name, event) for event in events(raw))
            assert said == f"{MARK}Grüße <{MARK}a_{MARK}b>:{MARK}, 世界"
            assert unmarked(said) == "Grüße <a_b>:, 世界"
            # Where the whole text comes once more it is marked alike.
            assert "<a_b>" not in marked
            assert marked.count(f"{MARK}Gr") == marked.count("Gr")

    run(scenario())


@every_provider
def test_what_is_sent_to_a_provider_has_no_marks(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            await w.ask(f"[[demo: say ok]] {MARK}You said <{MARK}a_{MARK}b>.")
            [recorded] = await w.recorded()
            assert "You said <a_b>." in json.dumps(recorded["body"])
            assert "fdd0" not in json.dumps(recorded["body"])

    run(scenario())


def _words(name: str, event: dict[str, Any]) -> str:
    """What an event adds to the text."""
    places = FORMATS[catalogue.WIRES[name]].words(event)  # pyright: ignore[reportArgumentType]
    return "".join(place.holder[place.name] for place in places if not place.is_whole)


@every_provider
def test_a_request_reaches_the_provider_as_it_was_sent_with_our_key(
    tmp_path: Path, name: str
) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            sent = w.request("Hello")
            async with w.post(sent) as response:
                await response.read()
            [recorded] = await w.recorded()

            asked = recorded["body"]
            asked.pop("stream_options", None)
            if name == "gemini":
                assert asked.pop("model") == "gemini-3.8-flash"
                assert asked.pop("stream") is True
            assert _without_keeping(asked) == _without_keeping(sent)
            assert recorded["path"] == PROVIDER_PATHS[name]
            assert recorded["auth_header"] == KEY_HEADERS[name]
            if name != "demo":
                assert recorded["key_sha256"] == key_hash()
            # Nothing of the cell goes on: not its token, not its name, not its address.
            told = json.dumps(recorded)
            assert TOKEN not in told
            assert sha256(TOKEN.encode()).hexdigest() not in told
            assert "OpenClaw" not in told
            assert "traceparent" not in recorded["headers"]
            assert recorded["headers"]["host"].startswith("127.0.0.1")

    run(scenario())


def _without_keeping(body: dict[str, Any]) -> dict[str, Any]:
    """A request without what it says of the provider's cache: see test_keeping.py."""
    plain = {name: one for name, one in body.items() if name != "prompt_cache_key"}
    for message in (*plain.get("messages", ()), *plain.get("system", ())):
        message.pop("cache_control", None)
        if isinstance(message.get("content"), list):
            [message["content"]] = [one["text"] for one in message["content"]]
    return plain


@every_provider
def test_the_cell_never_sees_our_key(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            for text in ("Hello", "[[demo: status 401]]"):
                async with w.post(w.request(text)) as response:
                    seen = await response.read() + str(response.headers).encode()
                    assert OUR_KEY.encode() not in seen

    run(scenario())


@every_provider
def test_words_reach_the_cell_before_the_provider_has_finished(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            body = w.request("[[demo: say alpha beta gamma]] [[demo: hold after 1]]")
            async with w.post(body) as response:
                seen = b""
                while b"alpha" not in seen:
                    seen += await response.content.readany()
                assert b"gamma" not in seen
                assert w.books.closed == []
                await w.release()
                assert b"gamma" in seen + await response.read()

    run(scenario())


def test_anthropic_hears_the_version_and_the_betas_that_the_cell_speaks(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            headers = {
                "x-api-key": TOKEN,
                "anthropic-version": "2023-06-01",
                # Longer contexts have other prices, and files are remembered.
                "anthropic-beta": (
                    "context-1m-2025-08-07, interleaved-thinking-2025-05-14,files-api-2025-04-14"
                ),
                "openai-beta": "responses=v1",
            }
            url = f"http://cell{w.path()}"
            async with w.cell.post(url, json=w.request("Hello"), headers=headers) as response:
                assert response.status == 200
            [recorded] = await w.recorded()
            assert recorded["headers"]["anthropic-version"] == "2023-06-01"
            assert recorded["headers"]["anthropic-beta"] == "interleaved-thinking-2025-05-14"
            assert "openai-beta" not in recorded["headers"]

    run(scenario())


@every_provider
def test_what_would_cost_more_than_is_held_is_taken_out(tmp_path: Path, name: str) -> None:
    dearer = {"n": 4, "service_tier": "priority", "background": True, "speed": "fast"}

    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            body: dict[str, Any] = {**w.request("Hello"), **dearer}
            if name == "gemini":
                body["generationConfig"]["candidateCount"] = 4
            async with w.post(body) as response:
                assert response.status == 200
            [recorded] = await w.recorded()
            gone = {
                "anthropic": {"service_tier", "speed"},
                "openai": {"service_tier", "background"},
                "gemini": set[str](),
            }.get(name, {"service_tier", "n"})
            assert not gone & set(recorded["body"])
            assert "candidateCount" not in recorded["body"].get("generationConfig", {})

    run(scenario())
