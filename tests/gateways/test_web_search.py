"""Every engine is asked as it wants to be, and what it answers is foreign."""

import json
from collections.abc import Callable, Generator
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from gateways import web_search
from gateways.web_search import EngineName, SearchFailed, engine, search
from settings import Settings
from tests.embedded.fake_web.served import served_app, served_web

KEY = SecretStr("a-key-of-tests")
Given = Callable[..., Settings]


class Engine:
    """Answers anything with `answer`, and notes what came."""

    def __init__(self) -> None:
        self.answer: Any = {}
        self.status = 200
        self.seen: list[tuple[str, dict[str, str]]] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.route("*", "/{path:.*}", self._reply)])
        return app

    async def _reply(self, request: web.Request) -> web.Response:
        self.seen.append((request.path_qs, dict(request.headers)))
        body = self.answer if isinstance(self.answer, str) else json.dumps(self.answer)
        return web.Response(text=body, status=self.status, content_type="application/json")


@pytest.fixture(scope="module")
def served() -> Generator[tuple[Engine, str]]:
    """An engine, and its address."""
    fake = Engine()
    with served_app(fake.app()) as port:
        yield fake, f"http://127.0.0.1:{port}"


def _at(settings: Settings, url: str, **given: Any) -> Settings:
    bases = ("brave_search_base_url", "exa_base_url", "searxng_base_url")
    return settings.model_copy(update=dict.fromkeys(bases, url) | given)


def test_the_first_that_is_set_up_searches(settings: Settings) -> None:
    assert engine(settings) is None
    some = settings.model_copy(update={"searxng_base_url": "http://x", "exa_api_key": KEY})
    found = engine(some)
    assert found
    assert (found.name, found.cost_micros) == ("exa", 7_000)
    brave = engine(some.model_copy(update={"brave_search_api_key": KEY}))
    assert brave
    assert (brave.name, brave.cost_micros) == ("brave", 5_000)


@pytest.mark.parametrize("name", ["brave", "exa", "searxng"])
def test_each_finds_the_timetable(settings: Settings, name: EngineName) -> None:
    with served_web() as made_up:
        url = f"http://127.0.0.1:{made_up.port}"
        first = search(_at(settings, url), name, "ferry timetable of Port Alder")[0]
    assert first.url == "http://ferries.example/timetable"
    assert first.title == "Ferry timetable of Port Alder"
    assert first.excerpt.startswith("The ferry from Port Alder")
    assert made_up.asked == ["search:ferry timetable of Port Alder"]


def test_keys_go_in_headers_alone(settings: Settings, served: tuple[Engine, str]) -> None:
    fake, url = served
    fake.answer, fake.status = {"results": [], "web": {"results": []}}, 200
    given = _at(settings, url, brave_search_api_key=KEY, exa_api_key=KEY)
    search(given, "brave", "a b&c")
    search(given, "exa", "a b&c")
    (brave, brave_headers), (exa, exa_headers) = fake.seen[-2:]
    assert brave == "/res/v1/web/search?q=a+b%26c&count=8&text_decorations=false"
    assert brave_headers["X-Subscription-Token"] == exa_headers["x-api-key"] == "a-key-of-tests"
    assert exa == "/search"


@pytest.mark.parametrize(
    ("answer", "status"),
    [("nonsense", 200), ([], 200), ({"results": {}}, 200), ({"results": 1}, 200), ({}, 500)],
)
def test_what_is_no_answer_is_none(
    settings: Settings, served: tuple[Engine, str], answer: Any, status: int
) -> None:
    fake, url = served
    fake.answer, fake.status = answer, status
    with pytest.raises(SearchFailed) as failed:
        search(_at(settings, url), "searxng", "a secret word")
    assert "secret" not in str(failed.value)


def test_results_are_looked_at_one_by_one(settings: Settings, served: tuple[Engine, str]) -> None:
    fake, url = served
    odd = [None, 5, {}, {"url": 5}, {"url": "http://127.0.0.1/"}, {"url": "javascript:1"}]
    good = {"url": "https://a.example", "title": "A\u200b\n\x1bb", "content": "x" * 9_000}
    fake.answer, fake.status = {"results": [*odd, good]}, 200
    (found,) = search(_at(settings, url), "searxng", "q")
    assert (found.url, found.title) == ("https://a.example/", "A b")
    assert len(found.excerpt) == web_search.EXCERPT_CHARS
