"""Answers that do not end well: stopped, cut, stalled, refused."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from agent.turn import TurnFailure
from tests.agent.meter.world import PROVIDERS, eventually, run, world

every_provider = pytest.mark.parametrize("name", PROVIDERS)
LONG = "[[demo: words 50]] [[demo: hold after 10]]"


async def _until_words(response: aiohttp.ClientResponse, word: bytes) -> None:
    seen = b""
    while word not in seen:
        seen += await response.content.readany()


@every_provider
def test_a_cell_that_hangs_up_closes_the_providers_answer(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            async with w.post(w.request(LONG)) as response:
                await _until_words(response, b"word10")
                response.close()
            await w.reached("hung_up")

            [closed] = await w.settled()
            assert closed.outcome == "stopped"
            assert closed.is_estimated
            # Ten words of five letters and a blank or two, and a short question.
            assert 10 <= closed.usage.output_tokens <= 25
            assert 5 <= closed.usage.input_tokens <= 60
            assert closed.charge_micros > 0
            assert w.books.held == {}

    run(scenario())


@every_provider
def test_the_end_of_a_turn_cuts_what_is_still_under_way(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w, w.post(w.request(LONG)) as response:
            await _until_words(response, b"word10")
            await w.port.end()
            # When `end` returns, everything is settled.
            [closed] = w.books.closed
            assert closed.outcome == "stopped"
            await w.reached("hung_up")

    run(scenario())


def test_only_the_cells_own_silence_counts(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w, w.post(w.request(LONG)) as response:
            await _until_words(response, b"word10")
            await eventually(lambda: w.port.silent_seconds == 0)
            await w.release()
            await response.read()
            await w.settled()

            before = w.port.silent_seconds
            await eventually(lambda: w.port.silent_seconds > before > 0)

    run(scenario())


@pytest.mark.parametrize(("is_stream", "output_tokens"), [(True, 0), (False, 500)])
def test_a_stop_before_the_provider_answers_costs_what_it_was_sent(
    tmp_path: Path, is_stream: bool, output_tokens: int
) -> None:
    """Or whoever hangs up in time would ask for nothing, and without end."""

    async def scenario() -> None:
        async with world(tmp_path) as w:
            asking = asyncio.create_task(w.ask("[[demo: stall]]", is_stream=is_stream))
            await w.reached()
            asking.cancel()
            [closed] = await w.settled()
            assert (closed.outcome, closed.is_estimated) == ("stopped", True)
            assert 5 <= closed.usage.input_tokens <= 60
            assert closed.usage.output_tokens == output_tokens
            assert closed.charge_micros > 0
            await w.reached("hung_up")

    run(scenario())


def test_a_stop_while_the_hold_is_being_made_leaves_no_hold_behind(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.books.may_open.clear()
            asking = asyncio.create_task(w.ask("Hello"))
            await eventually(w.books.opening.is_set)
            running = w.port._running  # pyright: ignore[reportPrivateUsage]
            assert running
            asking.cancel()
            # The call is being settled while a thread still makes the hold.
            await eventually(lambda: bool(running.settling))
            w.books.may_open.set()
            await w.port.end()
            assert len(w.books.closed) == len(w.books.opened) == 1
            assert w.books.closed[0].charge_micros == 0
            assert w.books.held == {}
            assert await w.recorded() == []

    run(scenario())


def test_a_port_that_is_closed_settles_what_it_had(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w, w.post(w.request(LONG)) as response:
            await _until_words(response, b"word10")
            await w.port.close()
            assert [one.outcome for one in w.books.closed] == ["stopped"]

    run(scenario())


@every_provider
def test_an_answer_that_breaks_off_is_estimated_and_not_taken_for_whole(
    tmp_path: Path, name: str
) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            with pytest.raises(aiohttp.ClientError):
                await w.ask("[[demo: words 50]] [[demo: cut after 10]]")
            [closed] = await w.settled()
            assert (closed.outcome, closed.is_estimated) == ("cut", True)
            assert 10 <= closed.usage.output_tokens <= 25
            assert closed.charge_micros > 0
            assert closed.detail
            assert w.port.trouble
            assert w.port.trouble.code == "provider_down"
            # OpenClaw would try again for more than a minute; the next try is the last.
            assert (await w.ask("Hello"))[0] == 422
            assert len(await w.recorded()) == 1

    run(scenario())


@every_provider
def test_a_provider_that_gives_up_within_its_answer_has_cut_it(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            with pytest.raises(aiohttp.ClientError):
                await w.ask("[[demo: words 50]] [[demo: fail after 10]]")
            [closed] = await w.settled()
            assert (closed.outcome, closed.is_estimated) == ("cut", True)
            assert 10 <= closed.usage.output_tokens <= 25
            assert closed.detail == "The script says that this fails."
            assert w.port.trouble
            assert w.port.trouble.code == "provider_down"

    run(scenario())


def test_a_provider_that_gives_up_before_a_word_is_not_paid(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            with pytest.raises(aiohttp.ClientError):
                await w.ask("[[demo: words 50]] [[demo: fail after 0]]")
            [closed] = await w.settled()
            assert (closed.outcome, closed.charge_micros) == ("failed", 0)

    run(scenario())


def test_what_anthropic_told_of_the_input_stays_exact_when_the_rest_is_cut(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            usage = "[[demo: usage input=11 output=50 cache_read=22 cache_write=33]]"
            with pytest.raises(aiohttp.ClientError):
                await w.ask(f"[[demo: words 50]] [[demo: cut after 10]] {usage}")
            [closed] = await w.settled()
            told = closed.usage
            assert (told.input_tokens, told.cache_read_tokens, told.cache_write_tokens) == (
                11,
                22,
                33,
            )

    run(scenario())


@every_provider
def test_a_provider_that_falls_silent_is_cut(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name, provider_stall_seconds=0.5) as w:
            with pytest.raises(aiohttp.ClientError):
                await w.ask("[[demo: words 50]] [[demo: stall after 10]]")
            [closed] = await w.settled()
            assert closed.outcome == "cut"
            await w.reached("hung_up")

    run(scenario())


@every_provider
def test_a_provider_that_never_answers_is_given_up(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name, provider_stall_seconds=0.5) as w:
            status, raw = await w.ask("[[demo: stall]]")
            assert status == 422
            assert TurnFailure.PROVIDER_DOWN in raw.decode()
            # The limit is for all tries together.
            assert len(await w.recorded()) == 1
            [closed] = await w.settled()
            assert (closed.outcome, closed.charge_micros) == ("failed", 0)
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == ("provider_down", False)

    run(scenario())


@every_provider
@pytest.mark.parametrize("status", [429, 503])
def test_a_provider_in_trouble_is_asked_again_until_it_answers(
    tmp_path: Path, name: str, status: int
) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            given, raw = await w.ask(f"[[demo: status {status} x2]] [[demo: say well]]")
            assert given == 200
            assert b"well" in raw
            assert [one["status"] for one in await w.recorded()] == [status, status, 200]
            [closed] = await w.settled()
            assert closed.outcome == "completed"
            assert w.port.trouble is None

    run(scenario())


@every_provider
def test_a_provider_that_stays_in_trouble_ends_the_turn_at_no_cost(
    tmp_path: Path, name: str
) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name, provider_max_retries=1) as w:
            status, raw = await w.ask("[[demo: status 503]]")
            assert status == 422
            assert TurnFailure.PROVIDER_DOWN in raw.decode()
            assert len(await w.recorded()) == 2
            [closed] = await w.settled()
            assert (closed.outcome, closed.charge_micros) == ("failed", 0)
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == ("provider_down", False)

    run(scenario())


@every_provider
def test_a_request_that_is_refused_may_be_mended_and_sent_again(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            status, raw = await w.ask("[[demo: status 400]]")
            assert status == 422
            assert b"The script says 400." in raw
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == ("provider_refused", True)
            assert (await w.ask("[[demo: say ok]]"))[0] == 200

    run(scenario())


@every_provider
@pytest.mark.parametrize("status", [401, 402, 403])
def test_trouble_with_our_own_account_is_not_shown_as_the_cells(
    tmp_path: Path, name: str, status: int
) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            given, raw = await w.ask(f"[[demo: status {status}]]")
            assert given == 422
            assert b"The script" not in raw
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == ("provider_down", True)

    run(scenario())


def test_a_provider_that_is_not_there_is_told_as_down(tmp_path: Path) -> None:
    async def scenario() -> None:
        nowhere = "http://127.0.0.1:9"
        async with world(tmp_path, anthropic_base_url=nowhere, provider_max_retries=0) as w:
            assert (await w.ask("Hello"))[0] == 422
            assert w.port.trouble
            assert w.port.trouble.code == "provider_down"

    run(scenario())


@every_provider
def test_an_answer_without_usage_is_estimated(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            assert (await w.ask("[[demo: words 40]] [[demo: no usage]]"))[0] == 200
            [closed] = await w.settled()
            assert (closed.outcome, closed.is_estimated) == ("completed", True)
            assert 40 <= closed.usage.output_tokens <= 100
            assert closed.charge_micros > 0

    run(scenario())
