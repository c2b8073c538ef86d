"""Searching the web: an engine is asked, and what it found comes back as titles and addresses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import httpx2
from pydantic import AliasChoices, BaseModel, Field, ValidationError

from gateways import bounded_http, web_addresses
from gateways.values import CONTROLS, UNKEEPABLE
from gateways.web_addresses import BadAddress
from settings import Settings

EngineName = Literal["brave", "exa", "searxng"]
ANSWER_BYTES = 2 * 1024 * 1024
MOST_FOUND = 8
TITLE_CHARS = 200
EXCERPT_CHARS = 500
DAY_CHARS = 10


class SearchFailed(Exception):
    """An engine gave no answer; `str()` says why for a log, and has no word of the query."""


@dataclass(frozen=True)
class Engine:
    """Whom a search is put to, and what one costs us, in micro-dollars."""

    name: EngineName
    cost_micros: int


@dataclass(frozen=True)
class Found:
    """One thing that an engine found; all of it foreign. `url` is canonical."""

    url: str
    title: str
    excerpt: str
    day: str


class _Result(BaseModel):
    """A result of any of them, by the names that they have for its parts."""

    url: str
    title: str | None = None
    excerpt: str | None = Field(
        default=None, validation_alias=AliasChoices("description", "text", "content")
    )
    day: str | None = Field(
        default=None, validation_alias=AliasChoices("page_age", "publishedDate")
    )


def engine(settings: Settings) -> Engine | None:
    """Return who searches: the first that is set up; None if nobody is."""
    if settings.brave_search_api_key:
        return Engine("brave", settings.brave_search_micros)
    if settings.exa_api_key:
        return Engine("exa", settings.exa_search_micros)
    if settings.searxng_base_url:
        return Engine("searxng", settings.searxng_search_micros)
    return None


def search(settings: Settings, name: EngineName, query: str) -> tuple[Found, ...]:
    """Ask an engine once. Blocking, up to `web_search_timeout_seconds`. Raises SearchFailed."""
    seconds = settings.web_search_timeout_seconds
    with bounded_http.client(seconds=seconds, most_bytes=ANSWER_BYTES) as http:
        try:
            answer = http.send(_REQUESTS[name](settings, http, query))
            answer.raise_for_status()
            raw = answer.json()
        except httpx2.HTTPStatusError as refused:
            raise SearchFailed(f"status {refused.response.status_code}") from None
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            raise SearchFailed(type(error).__name__) from None
    return tuple(_results(name, raw)[:MOST_FOUND])


def _ask_brave(settings: Settings, http: httpx2.Client, query: str) -> httpx2.Request:
    key = settings.brave_search_api_key
    return http.build_request(
        "GET",
        f"{settings.brave_search_base_url.rstrip('/')}/res/v1/web/search",
        params={"q": query, "count": MOST_FOUND, "text_decorations": "false"},
        headers={
            "Accept": "application/json",
            "X-Subscription-Token": key.get_secret_value() if key else "",
        },
    )


def _ask_exa(settings: Settings, http: httpx2.Client, query: str) -> httpx2.Request:
    key = settings.exa_api_key
    return http.build_request(
        "POST",
        f"{settings.exa_base_url.rstrip('/')}/search",
        json={
            "query": query,
            "numResults": MOST_FOUND,
            "contents": {"text": {"maxCharacters": EXCERPT_CHARS}},
        },
        headers={"x-api-key": key.get_secret_value() if key else ""},
    )


def _ask_searxng(settings: Settings, http: httpx2.Client, query: str) -> httpx2.Request:
    base = (settings.searxng_base_url or "").rstrip("/")
    return http.build_request("GET", f"{base}/search", params={"q": query, "format": "json"})


def _results(name: EngineName, raw: Any) -> list[Found]:
    whole = cast(dict[str, Any], raw) if isinstance(raw, dict) else {}
    # Brave leaves this part out when nothing was found.
    part = whole.get("web", {"results": []}) if name == "brave" else whole
    found = cast(dict[str, Any], part).get("results") if isinstance(part, dict) else None
    if not whole or not isinstance(found, list):
        raise SearchFailed("what came back is no list of results")
    return [one for given in cast(list[object], found) if (one := _read(given))]


def _read(given: object) -> Found | None:
    """Return a result; None for one that is none, or leads where nobody may go."""
    try:
        result = _Result.model_validate(given)
        address = web_addresses.canonical(result.url)
    except (ValidationError, BadAddress):
        return None
    title = one_line(result.title, TITLE_CHARS) or address
    return Found(
        address, title, one_line(result.excerpt, EXCERPT_CHARS), one_line(result.day, DAY_CHARS)
    )


def one_line(given: str | None, most: int) -> str:
    """Return foreign words in one line, of letters that can be seen."""
    words = CONTROLS.sub(" ", UNKEEPABLE.sub("", given or ""))
    return " ".join("".join(one for one in words if one.isprintable()).split())[:most]


_Request = Callable[[Settings, httpx2.Client, str], httpx2.Request]
_REQUESTS: Mapping[EngineName, _Request] = {
    "brave": _ask_brave,
    "exa": _ask_exa,
    "searxng": _ask_searxng,
}
