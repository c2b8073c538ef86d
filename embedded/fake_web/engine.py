"""The search engine of the made-up web: whoever has most of the words comes first."""

import re
from collections.abc import Sequence

from embedded.fake_web.page import WebPage
from embedded.fake_web.pages import ABOUT, PAGES

WORD = re.compile(r"\w+")
MOST_FOUND = 5
EXCERPT_CHARS = 240
# They stand everywhere.
IDLE = frozenset(
    re.findall(
        r"\w+",
        """
    a an and are at for from how i in is it of on or that the to what when with
    """,
    )
)


def search(query: str) -> Sequence[WebPage]:
    """Find pages that have some of the words; where none has, the page that says what there is."""
    wanted = set(_stems(query))
    scored = [(_score(page, wanted), page) for page in PAGES]
    best = sorted((one for one in scored if one[0]), key=lambda one: -one[0])
    return [page for _, page in best[:MOST_FOUND]] or [ABOUT]


def excerpt(page: WebPage) -> str:
    """Return how a page begins."""
    return page.words[:EXCERPT_CHARS]


def _score(page: WebPage, wanted: set[str]) -> int:
    return 3 * len(wanted & set(_stems(page.title))) + len(wanted & set(_stems(page.words)))


def _stems(text: str) -> list[str]:
    words = (word.casefold() for word in WORD.findall(text))
    return [word[:5] for word in words if word not in IDLE]
