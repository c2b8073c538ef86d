"""Pages are read as their sites allow, through redirects, as HTML, text or PDF, and kept."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from aiohttp import web

from actions.web import reading
from actions.web.reading import (
    PageForbidden,
    PageNotPublic,
    PageNotRead,
    PageUnreachable,
    PageUnreadable,
)
from gateways.event_streams import connect
from settings import Settings
from tests.embedded.fake_web.served import served_app
from tests.hostile.pdfs import pdf

HTML = "<title>A page</title><p>What stands on the page is this, in a sentence.</p>"
ROBOTS = "User-agent: *\nDisallow: /secret\n"


class Site:
    """Sites below `.example`; `asked` has what came."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.robots_status = 200

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/{what:.*}", self._show)])
        return app

    async def _show(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.host}{request.path_qs}")
        what = request.match_info["what"]
        if what == "robots.txt":
            return web.Response(text=ROBOTS, status=self.robots_status)
        if what.startswith("hop"):
            left = int(what[3:])
            where = f"/hop{left - 1}" if left else "/page"
            return web.Response(status=301, headers={"Location": where})
        if what == "inside":
            return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})
        made: dict[str, tuple[Any, str]] = {
            "paper.pdf": (pdf(), "application/pdf"),
            "notes.txt": (b"Plain words", "text/plain"),
            "picture": (b"\x89PNG", "image/png"),
            "empty": (b"", "text/html"),
        }
        usual = b"Plain words", "text/plain"
        made |= {"no\0tes\a.txt": usual, "\u202enotes.txt": usual}
        body, kind = made.get(what, (HTML.encode(), "text/html"))
        headers = {"Cache-Control": "private"} if what == "private" else {}
        status = 404 if what == "gone" else 200
        return web.Response(body=body, content_type=kind, status=status, headers=headers)


@pytest.fixture
def site(settings: Settings, adjust: Callable[..., None]) -> Generator[Site]:
    """Sites whose pages nobody has read yet."""
    redis = connect(settings.redis_url.get_secret_value())
    redis.flushdb()  # pyright: ignore[reportUnknownMemberType]
    served = Site()
    with served_app(served.app()) as port:
        adjust(WEB_EXAMPLE_ADDRESS=f"127.0.0.1:{port}")
        yield served


def _read(path: str) -> reading.ReadPage:
    return reading.read(f"http://site.example/{path}", owner="tests")


def test_a_page_is_read_once_and_kept(site: Site) -> None:
    page = _read("page")
    assert (page.url, page.title) == ("http://site.example/page", "A page")
    assert "What stands on the page" in page.text
    assert _read("page") == page
    assert site.asked == ["site.example/robots.txt", "site.example/page"]


def test_what_is_private_is_not_kept(site: Site) -> None:
    _read("private")
    _read("private")
    assert site.asked.count("site.example/private") == 2


def test_robots_are_respected(site: Site) -> None:
    with pytest.raises(PageForbidden):
        _read("secret/plan")
    assert site.asked == ["site.example/robots.txt"]


@pytest.mark.parametrize(("status", "may"), [(404, True), (403, True), (500, False), (429, False)])
def test_without_rules_all_may_be_read_unless_their_server_fails(
    site: Site, status: int, may: bool
) -> None:
    site.robots_status = status
    if may:
        assert _read("secret/plan").title == "A page"
        return
    with pytest.raises(PageUnreachable):
        _read("page")
    # It was no rule of theirs, so once they are back the page is read.
    site.robots_status = 200
    assert _read("page").title == "A page"


def test_five_redirects_are_followed_and_no_more(site: Site) -> None:
    assert _read("hop4").url == "http://site.example/page"
    with pytest.raises(PageUnreachable):
        _read("hop5")


def test_a_page_is_kept_under_where_it_was_in_the_end_too(site: Site) -> None:
    page = _read("hop1")
    assert reading.find_kept(page.url) == page
    assert _read("page") == _read("hop1") == page
    assert site.asked.count("site.example/page") == 1


@pytest.mark.parametrize("path", ["no%00tes%07.txt", "%E2%80%AEnotes.txt"])
def test_a_file_is_named_without_what_no_row_or_line_can_hold(site: Site, path: str) -> None:
    assert site
    assert _read(path).title == "notes.txt"


def test_no_redirect_leads_inside(site: Site) -> None:
    with pytest.raises(PageNotPublic):
        _read("inside")


def test_pdfs_and_texts_are_read_too(site: Site) -> None:
    paper = _read("paper.pdf")
    assert paper.text == "Invoice 4711"
    assert paper.title == "paper.pdf"
    assert _read("notes.txt").text == "Plain words"


@pytest.mark.parametrize(
    ("path", "refusal"),
    [("gone", PageUnreachable), ("picture", PageUnreadable), ("empty", PageUnreadable)],
)
def test_what_cannot_be_read_is_refused(site: Site, path: str, refusal: type[PageNotRead]) -> None:
    with pytest.raises(refusal):
        _read(path)
