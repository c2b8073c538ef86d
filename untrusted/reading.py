"""The text of files that people send, read by a helper for the assistant."""

from collections.abc import Hashable

from untrusted import lanes
from untrusted.helper import Failed, Patience
from untrusted.kinds import READ_PDF, READ_TEXT, Kind

PDF = "application/pdf"
SHARE_FOR_PAGES = 0.6


class Unreadable(Exception):
    """There is nothing to be read in this file; `str()` says for the log why."""


def text_of(
    data: bytes, media_type: str, *, most_chars: int, owner: Hashable, patience: Patience
) -> tuple[str, bool]:
    """Return the first `most_chars` of a PDF's or a text file's text, and whether there is more.

    Raises Unreadable, and Failed with "stopped" when `patience` was told to stop.
    """
    try:
        kind = READ_PDF if media_type == PDF else READ_TEXT
        return _read(kind, data, most_chars, owner, patience)
    except Failed as failure:
        if failure.why == "stopped":
            raise
        raise Unreadable(str(failure)) from failure


def _read(
    kind: Kind, data: bytes, most_chars: int, owner: Hashable, patience: Patience
) -> tuple[str, bool]:
    # So that a helper comes back with the pages it has read before it is ended.
    seconds = min(kind.wall_seconds, patience.left_seconds) * SHARE_FOR_PAGES
    note = {"most_chars": most_chars, "seconds": seconds}
    done = lanes.do(kind, data, note, owner=owner, patience=patience)
    if "fault" in done.note:
        raise Unreadable(str(done.note["fault"])[:80])
    # It comes out of a helper, so it is as foreign as the file.
    return done.body.decode("utf-8", errors="replace")[:most_chars], done.note.get("is_cut") is True
