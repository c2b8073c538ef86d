"""The button that has a mail sent again: it says there what came of it, and when it works again."""

import math
import time
from collections.abc import Callable

from flask import Response, flash, render_template, request, url_for
from flask_limiter import RequestLimit

from actions.sentences.refusals import sentence_of
from models.errors import Refused
from webapp.core.formats import duration
from webapp.core.htmx import go_to, is_partial, part
from webapp.core.security import limit_mails, limiter

# A mail takes a while; whoever presses at once again only gets two of them.
PATIENCE_SECONDS = 60

View = Callable[[], Response]


def limited(page: str, address: Callable[[], str]) -> Callable[[View], View]:
    """Limit a view that has mail sent again: whoever pressed too often reads that at the button.

    `page` is the endpoint where the button is, `address` names by its key where the mail goes.
    """

    def _refuse(reached: RequestLimit) -> Response:
        seconds = _seconds_until(reached)
        words = f"That was often enough. You can have it sent again in {duration(seconds)}."
        return _answer(words, 429, seconds, page)

    return limit_mails(address, on_breach=_refuse)


def press(send: Callable[[], None], *, to: str, page: str) -> Response:
    """Have a mail sent to an address and say so at the button, or why it cannot be sent."""
    try:
        send()
    except Refused as refusal:
        return _answer(sentence_of(refusal), 422, 0, page)
    limit = limiter.current_limit
    seconds = _seconds_until(limit) if limit and limit.remaining < 1 else PATIENCE_SECONDS
    return _answer(f"Sent again, to {to}.", 200, seconds, page)


def _answer(words: str, status: int, seconds: int, page: str) -> Response:
    if not is_partial():
        flash(words)
        return go_to(url_for(page))
    html = render_template(
        "accounts/login/_mail_again.html", action=request.path, words=words, seconds=seconds
    )
    return part(html, status, retarget="#mail-again", reswap="outerHTML")


def _seconds_until(limit: RequestLimit) -> int:
    return max(1, math.floor(limit.reset_at - time.time()))
