"""PDFs: whether one can be read at all, and the text of its pages."""

import io
from typing import Literal

from pypdf import PdfReader
from pypdf.errors import DependencyError

MOST_PAGES = 300

Fault = Literal["broken", "encrypted", "no_pages"]


class BadPdf(Exception):
    """A PDF that nobody can read; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


def check(data: bytes) -> int:
    """Return how many pages a PDF has. Raises BadPdf when it cannot be opened or has none."""
    reader = _opened(data)
    try:
        pages = len(reader.pages)
        if pages:
            reader.pages[0].get("/Contents")
    # pypdf lets errors of all kinds through when a file is damaged.
    except Exception as error:
        raise BadPdf("broken") from error
    if not pages:
        raise BadPdf("no_pages")
    return pages


def read(data: bytes, most_chars: int) -> str:
    """Return the text of the first pages, until it has `most_chars`. Raises BadPdf."""
    reader = _opened(data)
    pages: list[str] = []
    size = 0
    for page in reader.pages[:MOST_PAGES]:
        pages.append(page.extract_text().strip())
        size += len(pages[-1])
        if size > most_chars:
            break
    return "\n\n".join(page for page in pages if page)


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
