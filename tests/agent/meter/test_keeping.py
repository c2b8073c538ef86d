"""How providers' caches are told to keep requests, and that what it costs is held and booked."""

import json
from pathlib import Path
from typing import Any

from agent.meter.wires import FORMATS, Tally
from agent.meter.wires.base import SUMMARIZING, Keeping
from tests.agent.meter.world import run, world

HOUR = {"type": "ephemeral", "ttl": "1h"}
MARKED = {"mode": "explicit"}
WRITTEN = (
    "[[demo: say ok]] [[demo: usage input=10 cache_write=1000 cache_write_hour=1000 output=5]]"
)


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def test_what_is_kept_for_an_hour_is_booked_at_its_price(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            await w.ask(WRITTEN)
            [closed] = await w.settled()
            assert closed.usage.cache_write_hour_tokens == 1_000
            # 2, 10 and, for an hour, 4 dollars per million.
            assert closed.provider_cost_micros == 20 + 50 + 4_000

    run(scenario())


def test_it_ends_behind_everybodys_part_ones_own_and_the_last_message(tmp_path: Path) -> None:
    """Wherever the cell would have it end, and for however long."""

    async def scenario() -> None:
        async with world(tmp_path) as w:
            body = w.request("")
            mine = {"cache_control": {"type": "ephemeral"}}
            body["tools"] = [{"name": "ls", "input_schema": {}, **mine}]
            body["system"] = [text("Everybody's.", **mine), text("Hers."), text("More.", **mine)]
            result = {"type": "tool_result", "tool_use_id": "1", "content": [text("So.", **mine)]}
            body["messages"] = [
                {"role": "user", "content": [text("One.", **mine)]},
                {"role": "assistant", "content": "Two."},
                {"role": "user", "content": [result, text("[[demo: say ok]]")]},
            ]
            async with w.post(body) as response:
                assert response.status == 200
            sent = (await w.recorded())[0]["body"]
            kept = [block.get("cache_control") for block in sent["system"]]
            assert kept == [HOUR, HOUR, None]
            assert sent["messages"][2]["content"][1]["cache_control"] == HOUR
            assert json.dumps(sent).count("cache_control") == 3

    run(scenario())


def test_long_requests_and_summaries_are_not_kept_for_an_hour(tmp_path: Path) -> None:
    """The one would be dear to write anew, the other is never sent again."""

    async def scenario() -> None:
        async with world(tmp_path) as w:
            await w.ask("and so on " * 5_000)
            summary = w.request("Go on.")
            summary["system"][0]["text"] = SUMMARIZING
            async with w.post(summary) as response:
                await response.read()
            long, short = await w.recorded()
            [end] = long["body"]["messages"][0]["content"]
            assert end["cache_control"] == {"type": "ephemeral"}
            assert "ttl" not in json.dumps(short["body"])

    run(scenario())


def test_openai_gets_one_key_for_all_and_ends_where_it_can_tell_them() -> None:
    for model, marked in (("gpt-6.1-terra", True), ("gpt-5.6", True), ("gpt-5.5-mini", False)):
        told = [{"type": "input_text", "text": words} for words in ("Everybody's.", "Hers.")]
        said: dict[str, Any] = {"role": "user", "content": "Hi"}
        body: dict[str, Any] = {"input": [{"role": "developer", "content": told}, said]}
        FORMATS["openai-responses"].keep(body, Keeping(model, "product:model", is_for_hour=False))
        assert body["prompt_cache_key"] == "product:model"
        ends = [piece.get("prompt_cache_breakpoint") for piece in told]
        assert ends == ([MARKED, MARKED] if marked else [None, None])


def test_the_key_is_the_products_and_the_models(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, "openai") as w:
            await w.ask("Hello")
            [recorded] = await w.recorded()
            assert recorded["body"]["prompt_cache_key"] == "Shellmate:gpt-6.1-terra"

    run(scenario())


def test_without_a_split_all_that_is_written_counts_as_kept_for_an_hour() -> None:
    """That it was asked for is known; a provider that does not tell is not paid too little."""
    wire = FORMATS["anthropic-messages"]
    tally = Tally()
    tally.is_for_hour = True
    start = {"input_tokens": 1, "cache_creation_input_tokens": 100}
    wire.read({"type": "message_start", "message": {"usage": start}}, tally)
    wire.read({"type": "message_delta", "usage": {"output_tokens": 5}}, tally)
    assert tally.usage.cache_write_hour_tokens == 100
