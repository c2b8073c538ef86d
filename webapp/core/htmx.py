"""What the pages need of HTMX: telling its requests apart, and answering them.

htmx-flask reads the request headers; the response headers are ours, as it refuses valid ones.
"""

from collections.abc import Mapping
from typing import cast

from flask import Flask, Response, make_response, redirect, request
from htmx_flask import Htmx  # pyright: ignore[reportMissingTypeStubs]
from htmx_flask.requests import HtmxHeaders  # pyright: ignore[reportMissingTypeStubs]

Answer = str | Response | tuple[str, int]


def install(app: Flask) -> None:
    """Let requests know whether HTMX sent them, and tell caches that the answers differ."""
    Htmx(app)
    app.after_request(_vary)


def is_partial() -> bool:
    """Whether a part of a page is wanted: HTMX asks, and not for a whole page."""
    asked = cast(HtmxHeaders, request.htmx)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def part(
    html: str, status: int = 200, *, retarget: str = "", reswap: str = "", **headers: str
) -> Response:
    """Answer with HTML for another place than the one that asked.

    Further keyword arguments are HTMX headers: `push_url="/chat"` becomes `HX-Push-Url`.
    """
    named = {f"HX-{name.replace('_', '-').title()}": value for name, value in headers.items()}
    return _with(
        make_response(html, status), {"HX-Retarget": retarget, "HX-Reswap": reswap, **named}
    )


def go_to(url: str) -> Response:
    """Send the browser to another page, whoever asked."""
    if is_partial():
        return _with(make_response("", 204), {"HX-Redirect": url})
    return cast(Response, redirect(url, 303))


def _with(response: Response, headers: Mapping[str, str]) -> Response:
    for name, value in headers.items():
        if value:
            response.headers[name] = value
    return response


def _vary(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.add("HX-Request")
    return response
