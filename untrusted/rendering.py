"""Answers as HTML. A model wrote them, so a helper renders them; what fails is shown as it is."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from untrusted import lanes
from untrusted.helper import Failed
from untrusted.kinds import ADVANCE, RENDER, Kind

log = structlog.get_logger()

PARAGRAPHS = re.compile(r"\n[^\S\n]*\n\s*")
CODE = re.compile(r"```|~~~")
# In the middle of a line these characters are themselves, whatever stands beside them.
_INERT = r"[^\x00-\x1f\x7f\xa0\ud800-\udfff<>&\\/@*_~`\[\]|]"
INERT = re.compile(f"{_INERT}*")
# A paragraph without any markup so far: its HTML needs no renderer. Its beginning is not that of a
# list or a heading, nor a number that may become one.
PROSE = re.compile(rf"(?![-+>#=:\s]|\d{{1,9}}(?:[.)]|\Z)){_INERT}*")


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
            _, made = _ask(RENDER, text, job_id, has_colours=has_colours)
            return _decoded(made)
        except Failed as failure:
            log.warning(
                "render.failed", job_id=str(job_id), why=str(failure), has_colours=has_colours
            )
            if failure.why == "busy":
                break
    return plain(text)


@dataclass(frozen=True)
class Growing:
    """A text that is still being written, as HTML.

    The first `closed` characters of it are blocks that can no longer change, and `html` is theirs.
    """

    closed: int
    html: str
    tail: str


def advance(text: str, *, job_id: UUID) -> Growing:
    """Render a growing text, for whoever watches it grow. Raises Failed."""
    if PROSE.fullmatch(text):
        return Growing(0, "", paragraph(text))
    note, body = _ask(ADVANCE, text, job_id)
    closed, split = note.get("at"), note.get("bytes")
    if not isinstance(closed, int) or not 0 <= closed <= len(text):
        raise Failed("error", "no place in the text")
    if not isinstance(split, int) or not 0 <= split <= len(body):
        raise Failed("error", "no place in the HTML")
    rest = text[closed:]
    # Where it may go on, as the renderer leaves out spaces at the end.
    tail = paragraph(rest) if PROSE.fullmatch(rest) else _decoded(body[split:])
    return Growing(closed, _decoded(body[:split]), tail)


def paragraph(text: str, name: str = "") -> str:
    """Show a text as one paragraph, of that class, with its spaces and line breaks as they are."""
    opening = f'<p class="{name}">' if name else "<p>"
    return f"{opening}{html.escape(text, quote=False)}</p>\n" if text else ""


def plain(text: str) -> str:
    """Show a text as what it is: paragraphs with their line breaks, and no markup."""
    paragraphs = PARAGRAPHS.split(text.replace("\r\n", "\n").strip())
    lines = (html.escape(one).replace("\n", "<br>\n") for one in paragraphs if one)
    return "".join(f"<p>{line}</p>\n" for line in lines)


def _ask(kind: Kind, text: str, job_id: UUID, **note: object) -> tuple[Mapping[str, Any], bytes]:
    body = text.encode("utf-8", errors="replace")
    done = lanes.do(kind, body, note, owner=job_id)
    return done.note, done.body


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failed("error", "no UTF-8") from error
