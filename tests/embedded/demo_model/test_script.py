"""Scripts make the demo model do what tests and drills need."""

import asyncio
from typing import Any

import httpx2
import pytest
from openai import APIError, AsyncStream
from openai.types.chat import ChatCompletionChunk

from embedded.demo_model.script import NoSuchDirective, Script, Stop, parse
from tests.embedded.demo_model.served import Served, served


async def _stream(demo: Served, text: str) -> AsyncStream[ChatCompletionChunk]:
    return await demo.openai().chat.completions.create(
        model="demo", messages=[{"role": "user", "content": text}], stream=True
    )


async def _words(stream: AsyncStream[ChatCompletionChunk], count: int) -> str:
    text = ""
    async for chunk in stream:
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        if len(text.split()) >= count:
            break
    return text


def test_a_script_is_read_whole() -> None:
    tools = '[[demo: tool read {"a": [[1]]} x2]]'
    script = parse(f"Please {tools}[[demo: slow 5ms]] now [[demo: cut after 3]]")
    assert script == Script(
        tools=(("read", {"a": [[1]]}), ("read", {"a": [[1]]})),
        pause_seconds=0.005,
        stop=Stop("cut", 3),
    )


@pytest.mark.parametrize(
    "wrong",
    [
        "[[demo: dance]]",
        "[[demo: words many]]",
        "[[demo: tool read]]",
        "[[demo: stall soon]]",
        "[[demo: say never closed",
        "[[demo: usage input]]",
    ],
)
def test_a_script_that_cannot_be_read_is_refused_loudly(wrong: str) -> None:
    with pytest.raises(NoSuchDirective):
        parse(wrong)


def test_people_cannot_script_the_model_unless_it_was_started_so() -> None:
    with served("--pause-ms", "0") as plain:
        answer = plain.chat("[[demo: status 500]]")
        assert "demo model" in answer["content"]
        assert httpx2.get(f"{plain.url}/_recorded").status_code == 404


def test_it_refuses_as_often_as_it_is_told(demo: Served) -> None:
    body = {"model": "demo", "messages": [{"role": "user", "content": "[[demo: status 500 x2]] a"}]}

    def status() -> int:
        return demo.post("/v1/chat/completions", body, authorization="Bearer k").status_code

    assert [status() for _ in range(4)] == [500, 500, 200, 500]


def test_it_drops_the_connection_where_it_is_told(demo: Served) -> None:
    async def scenario() -> None:
        stream = await _stream(demo, "[[demo: words 9]] [[demo: cut after 3]]")
        with pytest.raises((httpx2.HTTPError, APIError)):
            await _words(stream, 9)
        with pytest.raises(APIError):
            await _stream(demo, "[[demo: cut]]")
        assert [one["ended"] for one in demo.recorded()[-2:]] == ["cut", "cut"]

    asyncio.run(scenario())


def test_it_stalls_and_notes_that_the_client_hung_up(demo: Served) -> None:
    async def scenario() -> None:
        stream = await _stream(demo, "[[demo: words 9]] [[demo: stall after 3]]")
        assert (await _words(stream, 3)).split() == ["word1", "word2", "word3"]
        assert demo.recorded()[-1]["ended"] == "open"
        await stream.close()
        async with asyncio.timeout(10):
            while demo.recorded()[-1]["ended"] != "hung_up":  # noqa: ASYNC110  # another process
                await asyncio.sleep(0.01)

    asyncio.run(scenario())


def test_it_holds_until_it_is_let_go(demo: Served) -> None:
    async def scenario() -> None:
        stream = await _stream(demo, "[[demo: words 9]] [[demo: hold after 3]]")
        assert len((await _words(stream, 3)).split()) == 3
        assert httpx2.post(f"{demo.url}/_release").status_code == 204
        assert "word9" in await _words(stream, 6)

    asyncio.run(scenario())


def test_tools_are_called_one_after_the_other_and_then_it_speaks(demo: Served) -> None:
    text = '[[demo: tool ls {} x2]] [[demo: tool read {"path": "a"}]] [[demo: say end]]'
    said: list[dict[str, Any]] = [{"role": "user", "content": text}]
    used: list[str] = []
    while True:
        answer = demo.chat("", messages=said)
        if "tool_calls" not in answer:
            break
        [call] = answer["tool_calls"]
        used.append(call["function"]["name"])
        said += [answer, {"role": "tool", "tool_call_id": call["id"], "content": "ok"}]
    assert used == ["ls", "ls", "read"]
    assert answer["content"] == "end"


def test_after_its_tools_it_says_what_the_last_returned(demo: Served) -> None:
    asked = {"role": "user", "content": '[[demo: tool read {"path": "a"}]]'}
    call = {"id": "c", "function": {"name": "read", "arguments": "{}"}, "type": "function"}
    used = {"role": "assistant", "tool_calls": [call]}
    result = {"role": "tool", "tool_call_id": "c", "content": "Eggs\nFlour"}
    answer = demo.chat("", messages=[asked, used, result])
    assert answer["content"] == "I used `read`. It says:\n\n> Eggs Flour"


def test_it_records_requests_without_their_keys(demo: Served) -> None:
    httpx2.delete(f"{demo.url}/_recorded")
    body = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
    demo.post("/v1/chat/completions", body, authorization="Bearer very-secret", traceparent="t")
    [recorded] = demo.recorded()
    assert recorded["body"] == body
    assert recorded["path"] == "/v1/chat/completions"
    assert recorded["auth_header"] == "authorization"
    assert recorded["headers"]["traceparent"] == "t"
    assert (recorded["ended"], recorded["status"]) == ("finished", 200)
    assert recorded["bytes_sent"] > 0
    assert "very-secret" not in str(recorded)


def test_what_was_recorded_is_shown_as_it_is_forgotten(demo: Served) -> None:
    httpx2.delete(f"{demo.url}/_recorded")
    demo.chat("hi")
    seen = demo.recorded()
    assert len(seen) == 1
    assert httpx2.delete(f"{demo.url}/_recorded").json() == seen
    assert demo.recorded() == []
