"""The made-up web over HTTP: its engine by the machine's address, its pages by their names."""

from typing import Any

from aiohttp import web

from embedded.fake_web import engine
from embedded.fake_web.page import WebPage
from embedded.fake_web.pages import PAGES
from embedded.ports import LOCALHOST

ROBOTS = "User-agent: *\nDisallow: /private/\n"
MOST_KEPT = 1_000


class MadeUpWeb:
    """Pages by address. What was asked for is kept for tests."""

    def __init__(self, pages: tuple[WebPage, ...] = PAGES) -> None:
        self._pages = {(page.host, page.path): page for page in pages}
        self.asked: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/search", self._search),
                web.get("/res/v1/web/search", self._search_as_brave),
                web.post("/search", self._search_as_exa),
                web.get("/{path:.*}", self._show),
            ]
        )
        return app

    async def _search(self, request: web.Request) -> web.StreamResponse:
        if not _is_engine(request):
            return await self._show(request)
        return web.json_response({"results": self._found(request.query.get("q", ""), "content")})

    async def _search_as_brave(self, request: web.Request) -> web.Response:
        found = self._found(request.query.get("q", ""), "description")
        return web.json_response({"web": {"results": found}})

    async def _search_as_exa(self, request: web.Request) -> web.Response:
        given = await request.json()
        return web.json_response({"results": self._found(str(given.get("query", "")), "text")})

    def _found(self, query: str, name: str) -> list[dict[str, Any]]:
        self._note(f"search:{query}")
        return [
            {
                "url": page.url,
                "title": page.title,
                name: engine.excerpt(page),
                "publishedDate": page.day,
            }
            for page in engine.search(query)
        ]

    async def _show(self, request: web.Request) -> web.StreamResponse:
        self._note(str(request.url))
        if request.path == "/healthz" and _is_engine(request):
            return web.Response(text="ok")
        if request.path == "/robots.txt":
            return web.Response(text=ROBOTS)
        page = self._pages.get((request.host, request.path))
        if page is None:
            return web.Response(text="There is no such page.", status=404)
        return web.Response(text=page.html, content_type="text/html")

    def _note(self, what: str) -> None:
        self.asked.append(what)
        del self.asked[:-MOST_KEPT]


def _is_engine(request: web.Request) -> bool:
    return request.host.partition(":")[0] == LOCALHOST
