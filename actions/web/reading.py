"""Reads a page of the web: asks for it as its site allows, and has a helper read what came."""

import time
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import structlog

from gateways import values, web_pages
from gateways.page_cache import PageCache
from gateways.web_addresses import BadAddress
from gateways.web_pages import AGENT, WebAnswer, WebFailed
from models.errors import Refused
from settings import get_settings
from untrusted import reading
from untrusted import web_pages as page_helpers
from untrusted.helper import Failed, Patience
from untrusted.reading import PDF, Unreadable
from untrusted.web_pages import UnreadablePage

log = structlog.get_logger()

SECONDS = 15.0
MOST_REDIRECTS = 5
ROBOTS_BYTES = 500_000
# So much of a page is kept in all.
MOST_CHARS = 400_000
HTML = {"text/html", "application/xhtml+xml"}
READING_SECONDS = 8.0


class PageNotRead(Refused):
    """A page cannot be read; `why` is a code that has a sentence."""

    code = "page_not_read"


class PageNotPublic(PageNotRead):
    """An address leads to nothing that is public."""

    code = "page_not_public"


class PageUnreachable(PageNotRead):
    """Nothing came back from an address, or an error did."""

    code = "page_unreachable"


class PageForbidden(PageNotRead):
    """The robots.txt of a site lets no assistant read this page."""

    code = "page_forbidden"


class PageUnreadable(PageNotRead):
    """What came back has no text that can be read."""

    code = "page_unreadable"


@dataclass(frozen=True)
class ReadPage:
    """What a page says. `url` is where it was in the end; all else is foreign."""

    url: str
    title: str
    day: str
    text: str


def read(url: str, *, owner: Hashable) -> ReadPage:
    """Read a page by its canonical address, from what others were shown if that is recent.

    Blocking, for a quarter of a minute. Raises PageNotRead.
    """
    kept = find_kept(url)
    if kept is not None:
        return kept
    found, answer = _follow(url, time.monotonic() + SECONDS, owner)
    if answer.status != 200:
        raise PageUnreachable(status=answer.status)
    page = _readable(found, answer, owner)
    if answer.is_shared:
        seconds = get_settings().web_page_kept_seconds
        # By the second one it is a source of an answer, and is looked for there.
        for address in {url, page.url}:
            _cache().keep("page", address, asdict(page), seconds=seconds)
    return page


def find_kept(url: str) -> ReadPage | None:
    """Return what somebody was shown of a page lately; None if that is not kept any more."""
    kept = _cache().find("page", url)
    return ReadPage(**kept) if kept is not None else None


def _follow(url: str, ends: float, owner: Hashable) -> tuple[str, WebAnswer]:
    """Ask for a page and go where it redirects to, as far as each site allows."""
    for _ in range(MOST_REDIRECTS + 1):
        if not _is_allowed(url, ends, owner):
            raise PageForbidden
        answer = _ask(url, ends, web_pages.PAGE_BYTES)
        if answer.location is None:
            return url, answer
        url = answer.location
    raise PageUnreachable(status=0)


def _ask(url: str, ends: float, most_bytes: int) -> WebAnswer:
    left = ends - time.monotonic()
    if left <= 0:
        raise PageUnreachable(status=0)
    example = get_settings().web_example_address
    try:
        return web_pages.ask(url, seconds=left, most_bytes=most_bytes, example_address=example)
    except BadAddress as bad:
        raise PageNotPublic from bad
    except WebFailed as failure:
        log.info("page.failed", why=failure.fault)
        refusal = PageNotPublic if failure.fault == "not_public" else PageUnreachable
        raise (refusal() if refusal is PageNotPublic else refusal(status=0)) from failure


def _is_allowed(url: str, ends: float, owner: Hashable) -> bool:
    rules = _rules(url, ends)
    if rules is None:
        return True
    return page_helpers.may_read(rules.encode(), url=url, agent=AGENT, owner=owner)


def _rules(url: str, ends: float) -> str | None:
    """Return the robots.txt of an address's site, or None if all may be read."""
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc}/robots.txt"
    kept = _cache().find("robots", address)
    if kept is None:
        kept = {"rules": _asked_rules(address, ends)}
        _cache().keep("robots", address, kept, seconds=get_settings().web_page_kept_seconds)
    return kept["rules"]


def _asked_rules(address: str, ends: float) -> str | None:
    """Ask for a robots.txt: without one all may be read.

    While its server fails nothing may be, and nobody knows what: that raises PageUnreachable, so
    it is not kept as a rule.
    """
    answer = _ask(address, ends, ROBOTS_BYTES)
    for _ in range(MOST_REDIRECTS):
        if answer.location is None:
            break
        answer = _ask(answer.location, ends, ROBOTS_BYTES)
    if 500 <= answer.status < 600 or answer.status == 429:
        raise PageUnreachable(status=answer.status)
    return answer.body.decode("utf-8", errors="replace") if answer.status == 200 else None


def _readable(url: str, answer: WebAnswer, owner: Hashable) -> ReadPage:
    media_type = answer.media_type
    try:
        if media_type in HTML:
            page = page_helpers.read(answer.body, charset=answer.charset, url=url, owner=owner)
            return ReadPage(url, page.title or _name(url), page.day, page.text[:MOST_CHARS])
        if media_type != PDF and not media_type.startswith("text/"):
            raise PageUnreadable
        if media_type == PDF and answer.is_cut:
            # Its table of contents stands at its end.
            raise PageUnreadable
        text, _ = reading.text_of(
            answer.body,
            media_type,
            most_chars=MOST_CHARS,
            owner=owner,
            patience=Patience(READING_SECONDS),
        )
    except (UnreadablePage, Unreadable, Failed) as error:
        log.info("page.unreadable", why=str(error)[:100])
        raise PageUnreadable from error
    if not text.strip():
        raise PageUnreadable
    return ReadPage(url, _name(url), "", text)


def _name(url: str) -> str:
    """Name a page that has no title by its file, or by its site."""
    parts = urlsplit(url)
    return values.file_name(unquote(PurePosixPath(parts.path).name), fallback=parts.netloc)


@lru_cache(maxsize=1)
def _cache() -> PageCache:
    return PageCache(get_settings().redis_url.get_secret_value())
