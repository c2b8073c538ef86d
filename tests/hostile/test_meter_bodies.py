"""What a cell with somebody's code in it could send to the meter, and what becomes of it.

All of it ends soon and within bounded memory. None of it makes a provider fetch, run, remember or
multiply anything, and another cell's call is answered meanwhile as on a quiet day.
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Any, cast

import pytest

from agent.meter.intake import MOST_BYTES
from agent.meter.server import MOST_TURNED_DOWN, SHORTEN
from tests.agent.meter.world import MODELS, TOKEN, MemoryBooks, World, eventually, run, turn, world
from tests.hostile.meter_bodies import FLOODS, LEFT_OUT, MEGABYTE, REFUSED, head, over, said

# Several times what is usual on a quiet machine; a loop that is held takes seconds.
SLACK_SECONDS = 0.7
SLOWEST_SECONDS = 10
MOST_GROWTH_BYTES = 400 * MEGABYTE

# Beyond what is kept for an hour.
LONG = f"[[demo: say ok]]{' word' * 30_000}"
# Names that may come to those of an ordinary request, by what the meter and an SDK put into it.
ADDED = {"stream", "stream_options", "include_usage", "model"}
OURS = {"tools", "functionDeclarations", "name"}
# Where and for how long what is ours is kept, which the hold counts on.
KEPT = {"ttl", "prompt_cache_key"}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_a_provider_would_do_beside_answering_is_left_out(tmp_path: Path, name: str) -> None:
    provider, extra = LEFT_OUT[name]

    async def scenario() -> None:
        async with world(tmp_path, provider) as w:
            status, _ = await sent(w, json.dumps({**w.request("Hello"), **extra}).encode())
            assert status == 200
            [recorded] = await w.recorded()
            more = names(recorded["body"]) - names(w.request("Hello")) - ADDED - KEPT
            assert more in (set(), OURS)
            # Of two caps a server might go by the one that is not ours.
            caps = {"max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"}
            assert len(caps & names(recorded["body"])) == 1

    run(scenario())


def test_only_one_cap_goes_out(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, "compatible") as w:
            body = {**w.request("Hello", cap=50), "max_tokens": 10**6}
            assert (await sent(w, json.dumps(body).encode()))[0] == 200
            [recorded] = await w.recorded()
            assert recorded["body"]["max_completion_tokens"] == 50
            assert "max_tokens" not in recorded["body"]

    run(scenario())


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_provider_would_fetch_run_or_remember_is_refused(tmp_path: Path, name: str) -> None:
    provider, extra = REFUSED[name]

    async def scenario() -> None:
        async with world(tmp_path, provider) as w:
            status, raw = await sent(w, json.dumps({**w.request("Hello"), **extra}).encode())
            assert status == 422
            assert b"content_not_sent" in raw
            assert await w.recorded() == []
            assert w.books.told == []
            assert w.port.trouble
            assert w.port.trouble.permanent

    run(scenario())


def test_a_cell_does_not_say_how_long_a_cache_is_kept(tmp_path: Path) -> None:
    """An hour is twice as dear as what is held for with a request of this size."""

    async def scenario() -> None:
        async with world(tmp_path) as w:
            hour = {"type": "ephemeral", "ttl": "1h"}
            words = {"type": "text", "text": LONG, "cache_control": hour}
            body = json.dumps({**w.request("Hello"), **said(words)}).encode()
            assert (await sent(w, body))[0] == 200
            [recorded] = await w.recorded()
            assert recorded["body"]["messages"][0]["content"] == [
                {**words, "cache_control": {"type": "ephemeral"}}
            ]

    run(scenario())


def test_openai_is_told_to_keep_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, "openai") as w:
            body = w.request("Hello")
            del body["store"]
            assert (await sent(w, json.dumps(body).encode()))[0] == 200
            assert (await w.recorded())[0]["body"]["store"] is False

    run(scenario())


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_refused_and_holds_nobody_up(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            other = await beside(w)
            quiet = max([await seconds_of(other) for _ in range(5)])
            before, began = new_peak_bytes(), time.monotonic()
            flooding = asyncio.create_task(sent(w, FLOODS[name]()))
            waits = [await seconds_of(other)]
            while not flooding.done():
                waits.append(await seconds_of(other))
            assert (await flooding)[0] == 422
            assert time.monotonic() - began < SLOWEST_SECONDS
            assert max(waits) < 1.5 * quiet + SLACK_SECONDS
            assert peak_bytes() - before < MOST_GROWTH_BYTES
            assert w.books.told == []

    run(scenario())


def test_nothing_is_read_without_a_turn(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            await w.port.end()
            began = time.monotonic()
            status, _ = await sent(w, over(head(b'"'), b"a", 2000 * MEGABYTE)())
            assert status in (0, 422)
            assert time.monotonic() - began < SLOWEST_SECONDS

    run(scenario())


def test_a_spare_is_warmed_by_small_requests_only(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            spare = await w.another()
            assert (await sent(spare, over(head(b'"'), b"a", 3 * MEGABYTE)()))[0] == 422
            assert (await sent(spare, over(head(b""), b"[", MEGABYTE // 2)()))[0] == 422
            assert (await spare.ask("Hello"))[0] == 200

    run(scenario())


def test_fourteen_megabytes_of_pictures_pass(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            other = await beside(w)
            quiet = max([await seconds_of(other) for _ in range(5)])
            source = {"type": "base64", "media_type": "image/png", "data": "A" * 19_500_000}
            words = {"type": "text", "text": "[[demo: say ok]]"}
            body = {**w.request("Hello"), **said(words, {"type": "image", "source": source})}
            asking = asyncio.create_task(sent(w, json.dumps(body).encode()))
            waits = [await seconds_of(other)]
            while not asking.done():
                waits.append(await seconds_of(other))
            assert (await asking)[0] == 200
            assert max(waits) < 1.5 * quiet + SLACK_SECONDS

    run(scenario())


def test_a_cell_makes_only_so_many_calls_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.books.balance = 10**9
            calls = [asyncio.create_task(w.ask("[[demo: hold]] [[demo: say a]]")) for _ in range(9)]
            await w.reached(count=4)
            await eventually(lambda: sum(call.done() for call in calls) == 5)
            await w.release()
            assert sorted([(await call)[0] for call in calls]) == [200] * 4 + [422] * 5

    run(scenario())


def test_what_a_cell_sends_together_is_bounded(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            half = over(head(b'"'), b"a", MOST_BYTES * 2 // 3)
            statuses = await asyncio.gather(sent(w, half()), sent(w, half()))
            assert [status for status, _ in statuses] == [422, 422]
            # One of them had no room beside the other; of neither all was JSON.
            assert any(SHORTEN.encode() in said for _, said in statuses)
            # What was counted is given back.
            assert (await w.ask("[[demo: say ok]]"))[0] == 200

    run(scenario())


def test_a_cell_that_sends_nothing_of_use_is_soon_not_read_any_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            for _ in range(MOST_TURNED_DOWN):
                assert (await sent(w, b"no"))[0] == 422
            status, raw = await sent(w, json.dumps(w.request("[[demo: say ok]]")).encode())
            assert status == 422
            assert b"too_many_calls" in raw
            assert await w.recorded() == []

    run(scenario())


def test_a_cell_opens_only_so_many_connections(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            path = str(w.port.socket_path)
            opened = [await asyncio.open_unix_connection(path) for _ in range(200)]
            for reader, _ in opened[100:]:
                assert await asyncio.wait_for(reader.read(1), 5) == b""
            other = await beside(w)
            assert await seconds_of(other) < SLOWEST_SECONDS
            for _, writer in opened:
                writer.close()

    run(scenario())


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_what_is_compressed_is_not_unpacked(tmp_path: Path, coding: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            headers = {"x-api-key": TOKEN, "Content-Encoding": coding}
            url = f"http://cell{w.path()}"
            async with w.cell.post(url, data=b"\x1f\x8b\x08" + bytes(99), headers=headers) as it:
                assert it.status == 422

    run(scenario())


async def sent(w: World, document: Any) -> tuple[int, bytes]:
    """Send something as a cell; the status is 0 when the meter hangs up."""
    headers = {"x-api-key": TOKEN, "Content-Type": "application/json"}
    try:
        async with w.cell.post(f"http://cell{w.path()}", data=document, headers=headers) as it:
            return it.status, await it.read()
    except OSError:
        return 0, b""


async def beside(w: World) -> World:
    """Another cell of the worker, whose turn has begun."""
    other = await w.another()
    other.port.begin(turn(MODELS[w.name]), MemoryBooks(balance=10**9))
    return other


async def seconds_of(w: World) -> float:
    """How long an ordinary call takes now; each is one of a turn of its own."""
    w.port.begin(turn(MODELS[w.name]), MemoryBooks(balance=10**9))
    began = time.monotonic()
    assert (await w.ask("[[demo: say ok]]"))[0] == 200
    return time.monotonic() - began


def new_peak_bytes() -> int:
    """The memory that this process has now: what it once had would hide what it comes to."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def peak_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def names(value: object) -> set[str]:
    """All names of fields in a document."""
    if isinstance(value, dict):
        holder = cast(dict[str, object], value)
        return set(holder) | {name for inner in holder.values() for name in names(inner)}
    if isinstance(value, list):
        return {name for inner in cast(list[object], value) for name in names(inner)}
    return set()


MALFORMED = {
    "no chunk": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk below nothing": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a chunk without end": b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 9\r\n\r\nhello",
    "a length without end": b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{",
    "a length below nothing": b"Content-Length: -1\r\n\r\n{",
    "a half request": b"Content-Length: 50\r\n\r\n{",
    "headers without end": b"x: y\r\n" * 5000 + b"\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_no_fault_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            reader, writer = await asyncio.open_unix_connection(str(w.port.socket_path))
            first = f"POST {w.path()} HTTP/1.1\r\nHost: cell\r\nx-api-key: {TOKEN}\r\n".encode()
            writer.write(first + MALFORMED[name])
            writer.write_eof()
            said = await asyncio.wait_for(reader.read(), SLOWEST_SECONDS)
            assert b"500" not in said.split(b"\r\n")[0]
            writer.close()
            assert (await w.ask("[[demo: say ok]]"))[0] == 200

    run(scenario())
    assert caplog.text == ""
