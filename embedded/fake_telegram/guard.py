"""What holds for every answer: asked for by this machine's own name, and pages by their token.

All addresses but those of the Bot API begin with a token, and are not there without it: all
processes of a machine can call each other's ports, and whoever has the page can be anybody on it.
"""

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from embedded.fake_telegram.errors import Refusal
from embedded.ports import LOCALHOST

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
READING = frozenset({"GET", "HEAD"})
INCOMPLETE = "Please open the phone by its whole address, which was printed at the start."


def guarded(page_token: str) -> Middleware:
    """Refuse requests by other names, by pages elsewhere, and without the page's token."""

    @web.middleware
    async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.host.partition(":")[0] not in (LOCALHOST, "localhost"):
            raise web.HTTPMisdirectedRequest
        given = request.match_info.get("page_token")
        # In the same time whatever is wrong with it, or it could be guessed letter by letter.
        if given is not None and not _is_same(given, page_token):
            raise web.HTTPNotFound(text=INCOMPLETE, headers=HEADERS)
        if given is not None and request.method not in READING:
            _refuse_others(request)
        try:
            answer = await _answer(request, handler)
        except web.HTTPException as raised:
            raised.headers.update(HEADERS)
            raise
        if not answer.prepared:
            answer.headers.update({**HEADERS, **answer.headers})
        return answer

    return _guard


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return web.json_response(refusal.body, status=refusal.code)


def _is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def _refuse_others(request: web.Request) -> None:
    # A page elsewhere that knows the address could send a form there.
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden
