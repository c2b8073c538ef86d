"""The official clients of all providers understand the demo model: words, tools, usage, errors."""

import asyncio
import json
from typing import Any

import anthropic
import openai
import pytest
from google.genai import errors, types

from tests.embedded.demo_model.served import Served

USAGE = "[[demo: usage input=100 output=20 cache_read=30 cache_write=40]]"
SAY = f"[[demo: say Well met, friend]] {USAGE}"
TOOL = '[[demo: tool read {"path": "MEMORY.md"}]] [[demo: say Done]]'
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"path": {"type": "string"}}}


def test_anthropic_streams(demo: Served) -> None:
    async def scenario() -> None:
        asked: Any = {"role": "user", "content": SAY}
        async with demo.anthropic().messages.stream(
            model="demo", max_tokens=100, messages=[asked]
        ) as stream:
            assert [text async for text in stream.text_stream] == ["Well ", "met, ", "friend"]
            message = await stream.get_final_message()
        assert (message.stop_reason, message.model) == ("end_turn", "demo")
        usage = message.usage
        assert (usage.input_tokens, usage.output_tokens) == (100, 20)
        assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (30, 40)

    asyncio.run(scenario())


def test_anthropic_answers_whole_and_counts_tokens(demo: Served) -> None:
    async def scenario() -> None:
        client = demo.anthropic()
        asked: Any = [{"role": "user", "content": SAY}]
        message = await client.messages.create(model="demo", max_tokens=100, messages=asked)
        assert message.content[0].to_dict()["text"] == "Well met, friend"
        assert message.usage.cache_read_input_tokens == 30
        assert message._request_id  # pyright: ignore[reportPrivateUsage]
        counted = await client.messages.count_tokens(model="demo", messages=asked)
        assert counted.input_tokens > 10

    asyncio.run(scenario())


def test_anthropic_calls_tools(demo: Served) -> None:
    async def scenario() -> None:
        client = demo.anthropic()
        tools: Any = [{"name": "read", "input_schema": SCHEMA}]
        said: Any = [{"role": "user", "content": TOOL}]
        async with client.messages.stream(
            model="demo", max_tokens=100, messages=said, tools=tools
        ) as stream:
            message = await stream.get_final_message()
        [call] = message.content
        assert isinstance(call, anthropic.types.ToolUseBlock)
        assert (message.stop_reason, call.name, call.input) == (
            "tool_use",
            "read",
            {"path": "MEMORY.md"},
        )
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "text"}
        said += [
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [result]},
        ]
        last = await client.messages.create(
            model="demo", max_tokens=100, messages=said, tools=tools
        )
        assert last.content[0].to_dict()["text"] == "Done"

    asyncio.run(scenario())


@pytest.mark.parametrize("header", [{"x-api-key": "k"}, {"authorization": "Bearer k"}])
def test_anthropic_takes_a_key_in_either_header(demo: Served, header: dict[str, str]) -> None:
    body = {"model": "demo", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    assert demo.post("/v1/messages", body, **header).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1/models/m:generateContent"],
)
def test_without_a_key_nothing_is_answered(demo: Served, path: str) -> None:
    assert demo.post(path, {"model": "demo"}).status_code == 401


def test_openai_chat_streams(demo: Served) -> None:
    async def scenario() -> None:
        stream = await demo.openai().chat.completions.create(
            model="demo",
            messages=[{"role": "user", "content": SAY}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        words = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
        assert "".join(word or "" for word in words) == "Well met, friend"
        usage = chunks[-1].usage
        assert usage
        assert usage.prompt_tokens_details
        assert (usage.prompt_tokens, usage.completion_tokens) == (170, 20)
        assert usage.prompt_tokens_details.cached_tokens == 30
        assert usage.prompt_tokens_details.cache_write_tokens == 40

    asyncio.run(scenario())


def test_openai_chat_tells_its_usage_only_when_asked(demo: Served) -> None:
    async def scenario() -> None:
        stream = await demo.openai().chat.completions.create(
            model="demo", messages=[{"role": "user", "content": SAY}], stream=True
        )
        assert [chunk.usage async for chunk in stream if chunk.usage] == []

    asyncio.run(scenario())


def test_openai_chat_calls_tools(demo: Served) -> None:
    async def scenario() -> None:
        client = demo.openai()
        tools: Any = [{"type": "function", "function": {"name": "read", "parameters": SCHEMA}}]
        said: Any = [{"role": "user", "content": TOOL}]
        first = await client.chat.completions.create(model="demo", messages=said, tools=tools)
        [call] = first.choices[0].message.tool_calls or []
        assert first.choices[0].finish_reason == "tool_calls"
        function: Any = call.to_dict()["function"]
        assert json.loads(function["arguments"]) == {"path": "MEMORY.md"}
        said += [
            first.choices[0].message.to_dict(),
            {"role": "tool", "tool_call_id": call.id, "content": "text"},
        ]
        last = await client.chat.completions.create(model="demo", messages=said, tools=tools)
        assert last.choices[0].message.content == "Done"

    asyncio.run(scenario())


def test_openai_responses_stream(demo: Served) -> None:
    async def scenario() -> None:
        async with demo.openai().responses.stream(model="demo", input=SAY) as stream:
            deltas = [
                event.delta async for event in stream if event.type == "response.output_text.delta"
            ]
            response = await stream.get_final_response()
        assert "".join(deltas) == response.output_text == "Well met, friend"
        assert (response.status, response.model) == ("completed", "demo")
        usage = response.usage
        assert usage
        assert (usage.input_tokens, usage.output_tokens) == (170, 20)
        assert usage.input_tokens_details.cached_tokens == 30

    asyncio.run(scenario())


def test_openai_responses_call_tools(demo: Served) -> None:
    async def scenario() -> None:
        client = demo.openai()
        tools: Any = [{"type": "function", "name": "read", "parameters": SCHEMA, "strict": False}]
        async with client.responses.stream(model="demo", input=TOOL, tools=tools) as stream:
            first = await stream.get_final_response()
        [call] = first.output
        assert call.type == "function_call"
        assert json.loads(call.arguments) == {"path": "MEMORY.md"}
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "text"}
        said: Any = [{"role": "user", "content": TOOL}, call.to_dict(), result]
        last = await client.responses.create(model="demo", input=said, tools=tools)
        assert last.output_text == "Done"

    asyncio.run(scenario())


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_gemini_streams(demo: Served, version: str) -> None:
    async def scenario() -> None:
        usage = "[[demo: usage input=107 output=20 cache_read=30 thoughts=5 tool_prompt=7]]"
        stream = await demo.gemini(version).aio.models.generate_content_stream(
            model="demo", contents=f"[[demo: say Well met, friend]] {usage}"
        )
        chunks = [chunk async for chunk in stream]
        assert "".join(chunk.text or "" for chunk in chunks) == "Well met, friend"
        told = chunks[-1].usage_metadata
        assert told
        assert (told.prompt_token_count, told.cached_content_token_count) == (130, 30)
        assert (told.candidates_token_count, told.thoughts_token_count) == (15, 5)
        assert told.tool_use_prompt_token_count == 7

    asyncio.run(scenario())


def test_gemini_calls_tools(demo: Served) -> None:
    async def scenario() -> None:
        client = demo.gemini()
        declared = types.FunctionDeclaration(name="read", parameters_json_schema=SCHEMA)
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[declared])],
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        )
        said: list[Any] = [types.Content(role="user", parts=[types.Part(text=TOOL)])]
        first = await client.aio.models.generate_content(model="demo", contents=said, config=config)
        [call] = first.function_calls
        assert (call.name, call.args) == ("read", {"path": "MEMORY.md"})
        result = types.Part.from_function_response(name="read", response={"output": "text"})
        assert first.candidates
        said += [first.candidates[0].content, types.Content(role="user", parts=[result])]
        last = await client.aio.models.generate_content(model="demo", contents=said, config=config)
        assert last.text == "Done"

    asyncio.run(scenario())


def test_errors_are_told_as_each_provider_tells_them(demo: Served) -> None:
    async def scenario() -> None:
        refused = "[[demo: status 429]]"
        asked: Any = [{"role": "user", "content": refused}]
        with pytest.raises(anthropic.RateLimitError, match="script says 429"):
            await demo.anthropic().messages.create(model="demo", max_tokens=9, messages=asked)
        with pytest.raises(openai.RateLimitError, match="script says 429"):
            await demo.openai().responses.create(model="demo", input=refused)
        with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
            await demo.gemini().aio.models.generate_content(model="demo", contents=refused)

    asyncio.run(scenario())


def test_an_answer_is_no_longer_than_the_output_cap(demo: Served) -> None:
    async def scenario() -> None:
        asked: Any = [{"role": "user", "content": "[[demo: words 100]]"}]
        message = await demo.anthropic().messages.create(
            model="demo", max_tokens=10, messages=asked
        )
        assert message.stop_reason == "max_tokens"
        assert message.usage.output_tokens <= 10
        response = await demo.openai().responses.create(
            model="demo", input="[[demo: words 100]]", max_output_tokens=16
        )
        assert response.status == "incomplete"

    asyncio.run(scenario())


def test_what_was_sent_before_is_read_from_the_cache(demo: Served) -> None:
    async def scenario() -> None:
        client = demo.anthropic()
        instructions = "All work and no play. " * 400
        said: Any = [{"role": "user", "content": "[[demo: say one]] cache test"}]

        async def usage(**kept: str) -> anthropic.types.Usage:
            told: Any = {"type": "text", "text": instructions}
            if kept:
                told["cache_control"] = kept
            message = await client.messages.create(
                model="demo", max_tokens=99, system=[told], messages=said
            )
            return message.usage

        # Where nothing says where a beginning ends, none is kept.
        assert (await usage()).cache_creation_input_tokens == 0
        hour = {"type": "ephemeral", "ttl": "1h"}
        first = await usage(**hour)
        assert first.cache_read_input_tokens == 0
        assert (first.cache_creation_input_tokens or 0) > 2_000
        assert first.cache_creation
        kept = first.cache_creation.ephemeral_1h_input_tokens
        assert kept == first.cache_creation_input_tokens
        said += [
            {"role": "assistant", "content": "one"},
            {"role": "user", "content": "[[demo: say two]]"},
        ]
        second = await usage(**hour)
        assert second.cache_read_input_tokens == first.cache_creation_input_tokens

    asyncio.run(scenario())
