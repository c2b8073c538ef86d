"""Answers as HTML. A model wrote them, so a helper renders them; what fails is shown as it is."""

import html
import re
from uuid import UUID

import structlog

from untrusted import lanes
from untrusted.helper import Failed
from untrusted.kinds import ADVANCE, RENDER, Kind

log = structlog.get_logger()

PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
CODE = re.compile(r"```|~~~")
# Without a blank line somewhere in it no text has a block that is finished.
BLANK_LINE = re.compile(r"(?:^|[\r\n])[^\S\r\n]*[\r\n]")


def render(text: str, *, job_id: UUID, has_time: bool = True) -> str:
    """Make safe HTML of a whole answer.

    A text that cannot be rendered within its limits comes without colours, as it does when there
    is no time for two tries, or else as plain paragraphs. It raises nothing.
    """
    if not text.strip():
        return ""
    # Most of what takes too long are the colours of code.
    for has_colours in (True, False) if has_time and CODE.search(text) else (False,):
        try:
            made = _ask(RENDER, text, job_id, has_colours=has_colours)
        except Failed as failure:
            log.warning(
                "render.failed", job_id=str(job_id), why=str(failure), has_colours=has_colours
            )
            if failure.why == "busy":
                break
        else:
            return made[1]
    return plain(text)


def advance(text: str, *, job_id: UUID) -> tuple[str, str]:
    """Return the HTML of the blocks of a growing text that can no longer change, and the rest.

    Without such a block the HTML is empty. Raises Failed.
    """
    if not BLANK_LINE.search(text):
        return "", text
    at, made = _ask(ADVANCE, text, job_id, has_colours=True)
    return made, text[at:]


def plain(text: str) -> str:
    """Show a text as what it is: paragraphs with their line breaks, and no markup."""
    paragraphs = PARAGRAPHS.split(text.replace("\r\n", "\n").strip())
    lines = (html.escape(one).replace("\n", "<br>\n") for one in paragraphs if one)
    return "".join(f"<p>{line}</p>\n" for line in lines)


def _ask(kind: Kind, text: str, job_id: UUID, *, has_colours: bool) -> tuple[int, str]:
    body = text.encode("utf-8", errors="replace")
    done = lanes.do(kind, body, {"has_colours": has_colours}, owner=job_id)
    try:
        made = done.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failed("error", "no UTF-8") from error
    at = done.note.get("at", 0)
    if not isinstance(at, int) or not 0 <= at <= len(text):
        raise Failed("error", "no place in the text")
    return at, made
