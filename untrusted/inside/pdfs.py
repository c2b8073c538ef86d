"""PDFs: whether one can be read at all, and the text of its pages."""

import io
import time
from itertools import islice
from typing import Literal

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError

MOST_PAGES = 300
# Among so many pages one has words, or there are none.
CHECKED_PAGES = 20

Fault = Literal["broken", "encrypted", "no_pages", "no_text"]


class BadPdf(Exception):
    """A PDF that nobody can read; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


def check(data: bytes) -> int:
    """Return how many pages a PDF has. Raises BadPdf when there is nothing to be read in it."""
    reader = _opened(data)
    try:
        pages = len(reader.pages)
        has_text = any(map(_text, islice(reader.pages, CHECKED_PAGES)))
    # pypdf lets errors of all kinds through when a file is damaged.
    except Exception as error:
        raise BadPdf("broken") from error
    if not pages:
        raise BadPdf("no_pages")
    if not has_text:
        raise BadPdf("no_text")
    return pages


def read(data: bytes, *, most_chars: int, seconds: float) -> tuple[str, bool]:
    """Return the text of the first pages, and whether there are more.

    It ends after the page with which there are `most_chars`, or at which the time is over. Raises
    BadPdf.
    """
    ends = time.monotonic() + seconds
    reader = _opened(data)
    texts: list[str] = []
    size = 0
    for page in islice(reader.pages, MOST_PAGES):
        if size > most_chars or time.monotonic() > ends:
            break
        texts.append(_text(page))
        size += len(texts[-1])
    return "\n\n".join(text for text in texts if text), len(texts) < len(reader.pages)


def _text(page: PageObject) -> str:
    return page.extract_text().strip()


def _opened(data: bytes) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(data))
        # Many are locked against changes only, with an empty password for reading.
        is_locked = reader.is_encrypted and not reader.decrypt("")
    except DependencyError as error:
        raise BadPdf("encrypted") from error
    except Exception as error:
        raise BadPdf("broken") from error
    if is_locked:
        raise BadPdf("encrypted")
    return reader
