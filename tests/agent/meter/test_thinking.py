"""Models think before they answer: it is paid for, told in a line, and is no answer by itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.meter import thoughts
from agent.meter.call_ledger import ClosedCall
from agent.meter.sizing import LONGER_OUTPUT_TOKENS
from agent.meter.thought_summaries import REMEMBERED_SECONDS, ThoughtSummaries
from agent.meter.thoughts import LONGEST_CHARS, Thoughts, summary
from agent.meter.upstream import ProviderFailed
from tests.agent.meter.world import MODELS, PROVIDERS, World, run, turn, world

every_provider = pytest.mark.parametrize("name", PROVIDERS)
# As OpenClaw asks for little of it, in each format; and where more of it stands then.
ASKED: dict[str, dict[str, Any]] = {
    "anthropic": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
    "openai": {"reasoning": {"effort": "low", "summary": "auto"}},
    "gemini": {"thinkingConfig": {"thinkingLevel": "LOW", "includeThoughts": True}},
    "compatible": {"reasoning_effort": "low"},
    "demo": {"reasoning_effort": "low"},
}
THOUGHT = "[[demo: think I weigh it up. ]]"
SUMMARIES_REFUSED = "Your organization must be verified to generate reasoning summaries."


def request(w: World, words: str) -> dict[str, Any]:
    body = w.request(words, cap=8_192)
    holder = body["generationConfig"] if w.name == "gemini" else body
    holder.update(json.loads(json.dumps(ASKED[w.name])))
    return body


async def closed(w: World, words: str) -> tuple[ClosedCall, dict[str, Any]]:
    async with w.post(request(w, words)) as response:
        await response.read()
    [call] = (await w.settled(len(w.books.opened)))[-1:]
    return call, (await w.recorded())[-1]["body"]


@every_provider
def test_thoughts_are_booked_and_told_in_a_line(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            told: list[str] = []
            w.port.begin(turn(MODELS[name]), w.books, told.append)
            call, _ = await closed(w, f"{THOUGHT}[[demo: say ok]]")
            assert told == ["I weigh it up."]
            assert call.outcome == "completed"
            assert call.usage.output_tokens >= 4
            assert w.port.trouble is None

    run(scenario())


@every_provider
def test_thoughts_alone_are_no_answer(tmp_path: Path, name: str) -> None:
    """OpenClaw would ask once more, at the person's expense; the message is tried anew instead."""

    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            await closed(w, f"{THOUGHT}[[demo: say  ]]")
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == ("no_answer", False)
            assert (await w.ask("And now?"))[0] == 422

    run(scenario())


@every_provider
def test_tools_and_refusals_are_answers(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            await closed(w, f'{THOUGHT}[[demo: tool ls {{"path": "."}}]] [[demo: say ok]]')
            assert w.port.trouble is None
            await closed(w, "[[demo: refuse I will not do that.]]")
            assert w.port.trouble is None

    run(scenario())


@every_provider
def test_more_of_it_has_more_room_which_is_held_for(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            _, usual = await closed(w, "[[demo: say ok]]")
            longer = turn(MODELS[name], thinks_longer=True)
            w.port.begin(longer, w.books)
            _, more = await closed(w, "[[demo: say ok]]")
            assert "low" in json.dumps(usual).lower()
            assert "high" in json.dumps(more).lower()
            assert "low" not in json.dumps(more).lower()
            assert str(LONGER_OUTPUT_TOKENS) in json.dumps(more)
            first, second = (one.held_micros for one in w.books.opened)
            assert second > 1.5 * first

    run(scenario())


def test_a_refusal_of_summaries_is_got_around_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with world(tmp_path, "openai") as w:
            tools = w.port._tools  # pyright: ignore[reportPrivateUsage]
            send, refused = tools.providers.send, 0

            async def unverified(*given: Any, **more: Any) -> Any:
                nonlocal refused
                if "summary" in given[1]["reasoning"]:
                    refused += 1
                    raise ProviderFailed(400, SUMMARIES_REFUSED)
                return await send(*given, **more)

            monkeypatch.setattr(tools.providers, "send", unverified)
            for _ in range(3):
                call, body = await closed(w, "[[demo: say ok]]")
                assert call.outcome == "completed"
                assert body["reasoning"] == {"effort": "low"}
            assert refused == 1

    run(scenario())


def test_after_a_while_summaries_are_asked_for_again() -> None:
    now = 0.0
    known = ThoughtSummaries(lambda: now)
    body = {"reasoning": {"effort": "low", "summary": "auto"}}
    other = ProviderFailed(400, "Unknown parameter: reasoning.")
    assert not known.is_refused(body, other)
    assert known.is_refused(body, ProviderFailed(400, SUMMARIES_REFUSED))
    # It cannot be refused for what it does not ask.
    assert not known.is_refused(body, ProviderFailed(400, SUMMARIES_REFUSED))
    again = {"reasoning": {"summary": "auto"}}
    now = REMEMBERED_SECONDS + 1
    known.prepare(again)
    assert again == {"reasoning": {"summary": "auto"}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("**Planning the trip**\n\nThey want to go", "Planning the trip"),
        ("**One**\n\nSo. \n\n**Two**\n\nAnd", "Two"),
        ("First this. Then that. And", "Then that."),
        ("half of a", ""),
        ("`code` and\x00 *marks* in it.\n", "code and marks in it."),
    ],
)
def test_a_line_says_what_thoughts_are_about(text: str, line: str) -> None:
    assert summary(text) == line


def test_a_line_is_short_and_comes_no_faster_than_it_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    now = 0.0
    monkeypatch.setattr(thoughts.time, "monotonic", lambda: now)
    mind = Thoughts(told.append)
    mind.add("One. ")
    mind.add("Two. ")
    now = thoughts.REST_SECONDS
    mind.add("and on " * 100 + ". ")
    assert told[0] == "One."
    assert len(told) == 2
    assert len(told[1]) <= LONGEST_CHARS
