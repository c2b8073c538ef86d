"""Pages of the web, read by a helper."""

import json
import re
from collections.abc import Hashable
from dataclasses import dataclass

from untrusted import lanes
from untrusted.helper import Failed
from untrusted.kinds import CHECK_ROBOTS, READ_PAGE

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# Neither PostgreSQL nor UTF-8 can hold these.
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


class UnreadablePage(Exception):
    """There is nothing to be read on this page; `str()` says for the log why."""


@dataclass(frozen=True)
class PageText:
    """What a page says; `day` is like 2026-11-30, or empty. As foreign as the page."""

    title: str
    day: str
    text: str


def read(data: bytes, *, charset: str, url: str, owner: Hashable) -> PageText:
    """Read HTML that came from `url`. Raises UnreadablePage."""
    note = {"charset": charset, "url": url}
    try:
        done = lanes.do(READ_PAGE, data, note, owner=owner)
    except Failed as failure:
        raise UnreadablePage(str(failure)) from failure
    if "fault" in done.note:
        raise UnreadablePage(str(done.note["fault"])[:80])
    try:
        found = json.loads(done.body)
        title, day, text = (str(found[name]) for name in ("title", "day", "text"))
    except (ValueError, KeyError, TypeError) as odd:
        raise UnreadablePage("what came back is no page") from odd
    plain_title = " ".join(UNKEEPABLE.sub("", title).split())
    return PageText(plain_title, day if DAY.fullmatch(day) else "", UNKEEPABLE.sub("", text))


def may_read(robots: bytes, *, url: str, agent: str, owner: Hashable) -> bool:
    """Tell whether a robots.txt lets `agent` read `url`; what cannot be read lets nobody."""
    try:
        done = lanes.do(CHECK_ROBOTS, robots, {"url": url, "agent": agent}, owner=owner)
    except Failed:
        return False
    return done.note.get("is_allowed") is True
