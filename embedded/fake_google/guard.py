"""What holds for every answer: only pages of our own, asked for by this machine's own name."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEADERS = {
    # Forms lead back to the site, on whatever port that is.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self' http://127.0.0.1:* http://localhost:*"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def guarded(host: str) -> Middleware:
    """Refuse requests by other names: a page elsewhere may have let its own lead to 127.0.0.1."""

    @web.middleware
    async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.host != host:
            raise web.HTTPMisdirectedRequest
        try:
            answer = await handler(request)
        except web.HTTPException as raised:
            raised.headers.update(HEADERS)
            raise
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    return _guard
