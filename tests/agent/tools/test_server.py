"""The tools' server: no turn, no tool; what comes in is bounded, and what goes out too."""

import asyncio
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from agent.tools import server
from agent.tools.registry import TOOLS, Handler, ToolRefused, offered
from agent.tools.server import ToolPort
from agent.turn import Profile, Turn
from models.base import new_id

TOKEN = "the-token-of-this-cell"


def turn() -> Turn:
    return Turn(
        job_id=new_id(),
        attempt=1,
        user_id=new_id(),
        conversation_id=new_id(),
        text="Hello",
        attachments=(),
        model="demo/demo",
        profile=Profile("Ada", "UTC", ""),
        recent=(),
        states=(),
    )


def call(name: str = "reminders", **arguments: Any) -> dict[str, Any]:
    params = {"name": name, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}


def ask(
    folder: Path,
    handler: Handler,
    *requests: Mapping[str, Any] | bytes,
    running: Turn | None = None,
    token: str = TOKEN,
) -> list[tuple[int, Any]]:
    """Put requests to a port, one after the other, while a turn runs or none does."""

    async def _ask() -> list[tuple[int, Any]]:
        port = ToolPort(folder / "tools", TOKEN, offered({"reminders": handler}))
        await port.listen()
        if running:
            port.begin(running)
        connector = aiohttp.UnixConnector(str(folder / "tools"))
        heard: list[tuple[int, Any]] = []
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as client:
            for request in requests:
                body = request if isinstance(request, bytes) else json.dumps(request).encode()
                async with client.post("http://cell/mcp", data=body) as answer:
                    read = await answer.read()
                    heard.append((answer.status, json.loads(read) if _is_json(answer) else read))
        await port.close()
        return heard

    return asyncio.run(_ask())


def _saying(words: str) -> Handler:
    def handler(_turn: Turn, _arguments: object) -> str:
        return words

    return handler


def _is_json(answer: aiohttp.ClientResponse) -> bool:
    return answer.content_type == "application/json"


def said(heard: tuple[int, Any]) -> tuple[str, bool]:
    result = heard[1]["result"]
    return result["content"][0]["text"], result["isError"]


def test_a_tool_answers_for_the_turn_that_runs(tmp_path: Path) -> None:
    seen: list[tuple[Turn, Any]] = []

    def handler(now: Turn, arguments: Mapping[str, Any]) -> str:
        seen.append((now, dict(arguments)))
        return "There are none."

    running = turn()
    (heard,) = ask(tmp_path, handler, call(a=1), running=running)
    assert said(heard) == ("There are none.", False)
    assert seen == [(running, {"a": 1})]


def test_without_a_turn_nothing_is_done(tmp_path: Path) -> None:
    done: list[Turn] = []

    def noting(now: Turn, _: object) -> str:
        done.append(now)
        return ""

    heard = ask(tmp_path, noting, call())
    assert said(heard[0]) == (server.NO_TURN, True)
    assert done == []


def test_after_its_turn_nothing_is_done(tmp_path: Path) -> None:
    port = ToolPort(tmp_path / "tools", TOKEN, offered({"reminders": _saying("Done.")}))
    port.begin(turn())
    port.end()
    answer = asyncio.run(port.call({"name": "reminders"}))
    assert answer["isError"]


def test_only_what_is_offered_is_listed_and_done(tmp_path: Path) -> None:
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    heard = ask(tmp_path, _saying(""), listing, call("remind"), running=turn())
    assert [one["name"] for one in heard[0][1]["result"]["tools"]] == ["reminders"]
    assert said(heard[1]) == (server.UNKNOWN, True)


def test_it_introduces_itself_and_takes_notifications(tmp_path: Path) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18"},
    }
    told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    heard = ask(tmp_path, _saying(""), hello, told)
    assert heard[0][1]["result"]["protocolVersion"] == "2025-06-18"
    assert heard[1][0] == 202


def test_a_wrong_token_is_turned_away(tmp_path: Path) -> None:
    heard = ask(tmp_path, _saying(""), call(), running=turn(), token="another")
    assert heard[0][0] == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"[" * 60_000, b'"x"'])
def test_what_is_no_request_is_refused(tmp_path: Path, body: bytes) -> None:
    heard = ask(tmp_path, _saying(""), body, running=turn())
    assert heard[0][1]["error"]["code"] == server.NOT_READABLE


def test_a_request_without_end_is_cut(tmp_path: Path) -> None:
    heard = ask(tmp_path, _saying(""), b" " * (server.MOST_REQUEST_BYTES + 1), running=turn())
    assert heard[0][0] == 413


@pytest.mark.parametrize(
    "odd", [{"params": None}, {"params": []}, {"params": {"name": {}, "arguments": []}}]
)
def test_odd_parameters_are_no_tool(tmp_path: Path, odd: dict[str, Any]) -> None:
    heard = ask(tmp_path, _saying(""), {**call(), **odd}, running=turn())
    assert said(heard[0]) == (server.UNKNOWN, True)


def test_an_answer_is_cut_where_it_would_cost_too_much(tmp_path: Path) -> None:
    heard = ask(tmp_path, _saying("x" * 10**6), call(), running=turn())
    assert len(said(heard[0])[0]) == 8_000


def test_refusals_and_faults_are_told_in_words(tmp_path: Path) -> None:
    def refusing(*_: object) -> str:
        raise ToolRefused("That time is over.")

    def broken(*_: object) -> str:
        raise ZeroDivisionError("a secret")

    assert said(ask(tmp_path, refusing, call(), running=turn())[0]) == ("That time is over.", True)
    assert said(ask(tmp_path, broken, call(), running=turn())[0]) == (server.BROKEN, True)


def test_a_slow_tool_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CALL_SECONDS", 0.05)
    over = threading.Event()

    def slow(*_: object) -> str:
        over.wait(0.5)
        return ""

    assert said(ask(tmp_path, slow, call(), running=turn())[0]) == (server.TOO_SLOW, True)


def test_a_turn_may_call_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CALLS_A_TURN", 2)
    heard = ask(tmp_path, _saying("Yes."), call(), call(), call(), running=turn())
    assert [said(one)[1] for one in heard] == [False, False, True]


def test_every_tool_has_its_words() -> None:
    for tool in TOOLS:
        assert tool.label
        assert "{name}" in tool.prompt
        assert tool.schema["additionalProperties"] is False
