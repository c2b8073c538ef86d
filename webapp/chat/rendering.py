"""Renders exchanges, each once: one that is over never looks different again.

The caller has found that the conversation is the user's own; the cache itself checks nothing.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping
from functools import lru_cache
from uuid import UUID

from cachetools import LRUCache
from flask import render_template
from markupsafe import Markup

from models.base import utc_now
from models.chat import history
from models.chat.history import ExchangeSummary
from models.schema.chat import IMPORT, Message
from untrusted import rendering
from webapp.chat import views
from webapp.chat.views import ExchangeView
from webapp.core.db import db
from webapp.core.formats import viewers_zone

# Some twenty thousand short answers, of the people who were here last.
KEPT_CHARS = 32 * 1024 * 1024


class HtmlCache:
    """The HTML that was wanted last, up to so many characters."""

    def __init__(self, kept_chars: int = KEPT_CHARS) -> None:
        self._kept: LRUCache[Hashable, Markup] = LRUCache(kept_chars, getsizeof=len)

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: Hashable) -> Markup | None:
        """Return the HTML if it is still there."""
        return self._kept.get(key)

    def keep(self, key: Hashable, html: Markup) -> None:
        """Add HTML; what was not wanted for longest goes."""
        self._kept.pop(key, None)
        # One that is larger than all that may be kept would be refused: it is rendered each time.
        if len(html) <= self._kept.maxsize:
            self._kept[key] = html


def render(view: ExchangeView) -> Markup:
    """Render what a person wrote, and what came of it."""
    return Markup(render_template("chat/_exchange.html", exchange=view))  # noqa: S704  # it escapes


def imported_html(message: Message) -> Markup:
    """Render an answer that came with an archive: a helper does it when it is looked at."""
    return Markup(rendering.render(message.text, job_id=message.id))  # noqa: S704  # it is safe


def render_page(
    summaries: Iterable[ExchangeSummary], views: Mapping[UUID, ExchangeView]
) -> list[Markup]:
    """Render the exchanges of a page: `views` as they stand, all others from memory or the rows."""
    zone = viewers_zone()
    today = utc_now().astimezone(zone).date()
    keys = {summary.asked_id: (summary, zone.key, today) for summary in summaries}
    found = {asked: html_cache().find(key) for asked, key in keys.items() if asked not in views}
    missing = [asked for asked, html in found.items() if html is None]
    for view in (*views.values(), *_read(missing)):
        asked = view.asked.id
        found[asked] = html = render(view)
        if not _has_form(view):
            html_cache().keep(keys[asked], html)
    return [found[asked] or Markup() for asked in keys]


def _read(asked: Collection[UUID]) -> list[ExchangeView]:
    return views.show(db(), history.exchanges_asked(db(), asked), {}) if asked else []


def _has_form(view: ExchangeView) -> bool:
    # A form is one login's, and only who is shown it may send it. A reminder has two of them.
    if not view.runs:
        return view.asked.channel != IMPORT
    return any(run.may_retry or not run.job.is_over for run in view.runs)


@lru_cache(maxsize=1)
def html_cache() -> HtmlCache:
    """This process's cache of exchanges."""
    return HtmlCache()
