"""Who may come in, and with what."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.meter.warmup_responses import TOOL, TOOL_MARK
from tests.agent.meter.world import MODELS, PROVIDERS, TOKEN, events, run, turn, world

every_provider = pytest.mark.parametrize("name", PROVIDERS)


def test_a_stranger_on_the_socket_is_turned_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            for token in ("", "wrong", f"{TOKEN}x", "tökèn"):
                async with w.post(w.request("Hello"), token=token.encode().decode("latin-1")) as it:
                    assert it.status == 401
            assert w.books.told == []
            assert await w.recorded() == []

    run(scenario())


@pytest.mark.parametrize(
    "header",
    [
        {"x-api-key": TOKEN},
        {"x-goog-api-key": TOKEN},
        {"Authorization": f"Bearer {TOKEN}"},
    ],
)
def test_the_token_may_come_in_any_formats_header(tmp_path: Path, header: dict[str, str]) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            url = f"http://cell{w.path()}"
            async with w.cell.post(url, json=w.request("Hello"), headers=header) as response:
                assert response.status == 200

    run(scenario())


@pytest.mark.parametrize(
    "path",
    [
        "/anthropic/v1/messages/batches",
        "/anthropic/v1/messages/../files",
        "/openai/v1/files",
        "/openai/v1/audio/speech",
        "/openai/v1/chat/completions",
        "/google/v1beta/models/gemini-3.8-flash:batchGenerateContent",
        "/google/v1beta/files",
        "/demo/_recorded",
    ],
)
def test_our_keys_are_used_for_answers_only(tmp_path: Path, path: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            headers = {"x-api-key": TOKEN}
            body = {"model": "claude-sonnet-5-5"}
            async with w.cell.post(f"http://cell{path}", json=body, headers=headers) as response:
                assert response.status in (404, 422)
            assert await w.recorded() == []

    run(scenario())


@every_provider
def test_a_turn_uses_the_model_that_was_chosen_for_it(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            other = next(model for model in MODELS.values() if model != MODELS[name])
            w.port.begin(turn(other), w.books)
            assert (await w.ask("Hello"))[0] == 422
            assert await w.recorded() == []

    run(scenario())


@pytest.mark.parametrize("document", [b"", b"not json", b"[]", b"7"])
def test_what_is_no_request_is_refused(tmp_path: Path, document: bytes) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            url, headers = f"http://cell{w.path()}", {"x-api-key": TOKEN}
            async with w.cell.post(url, data=document, headers=headers) as response:
                assert response.status == 422

    run(scenario())


@every_provider
def test_outside_a_turn_nothing_is_answered(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            await w.port.end()
            assert (await w.ask("Hello"))[0] == 422
            # A cell that was somebody's gets no warm-up answers either.
            assert (await w.ask(TOOL_MARK))[0] == 422
            assert await w.recorded() == []
            assert w.books.told == []

    run(scenario())


@every_provider
def test_a_blank_spare_is_warmed_up_for_nothing(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path / "", name) as w:
            spare = await w.meter.listen(tmp_path / "spare", TOKEN)
            w.port.socket_path.unlink()
            (tmp_path / "spare").rename(w.port.socket_path)
            body: dict[str, Any] = w.request("Hello")
            async with w.post(body) as response:
                assert response.status == 200
                assert "Ready." in (await response.read()).decode()
            async with w.post(w.request(TOOL_MARK)) as response:
                told = json.dumps(events(await response.read()))
                assert TOOL in told
                assert "Ready." not in told
            assert await w.recorded() == []
            await spare.close()

    run(scenario())
