"""The lanes of this process, made when they are first used."""

import os
from collections.abc import Hashable, Mapping
from typing import Any

from settings import get_settings
from untrusted.helper import Patience, Result
from untrusted.kinds import FILES, PAGES, TEXTS, Kind, LaneLimits
from untrusted.lane import Lane

_lanes: dict[str, Lane] = {}


def warm(*limits: LaneLimits) -> None:
    """Get helpers ready before anybody needs them; returns at once."""
    for one in limits:
        _lane(one).warm()


def do(
    kind: Kind,
    body: bytes,
    note: Mapping[str, Any] | None = None,
    *,
    owner: Hashable,
    patience: Patience | None = None,
) -> Result:
    """Have one job done by a helper; `owner` is whose it is, for a fair share.

    Raises Failed after the kind's seconds, or when `patience` ends before.
    """
    wait = patience or Patience(kind.wall_seconds)
    return _lane(kind.lane).do(kind, note or {}, body, owner=owner, patience=wait)


def end() -> None:
    """End all helpers of this process; the next job makes new ones."""
    while _lanes:
        _lanes.popitem()[1].end()


def _lane(limits: LaneLimits) -> Lane:
    lane = _lanes.get(limits.name)
    if lane is None:
        settings = get_settings()
        most = {
            TEXTS.name: settings.untrusted_text_helpers,
            FILES.name: settings.untrusted_file_helpers,
            PAGES.name: settings.untrusted_page_helpers,
        }
        # Of two threads that come at once one loses its lane, which has started nothing yet.
        lane = _lanes.setdefault(limits.name, Lane(limits, settings, most[limits.name]))
    return lane


# The threads and the helpers are the parent's.
os.register_at_fork(after_in_child=_lanes.clear)
