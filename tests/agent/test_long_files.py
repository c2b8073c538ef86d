"""A book, a scan and a workbook: an answer within its limit, or a sentence before any charge."""

import io
import json
import zipfile
from uuid import UUID

import pytest

from actions import attachments
from actions.sentences.refusals import sentence_of
from agent.turn import Attachment
from models.chat.uploads import FileRefused
from settings import Settings
from tests.agent.people import Person, Purse, TurnListener
from tests.agent.test_prompt import chosen, recorded
from tests.hostile.pdfs import CATALOG, FONT, PAGE, put_together, stream

PAGES = 300
LINES = 12
# The instructions, the tools, and as much of the book as is shown; all of it is 250,000.
MOST_ASKED_CHARS = 100_000
ADA_ID = UUID(int=1)
# As a workbook of so many sheets is packed, by each of the programs that people have.
SHEETS = 50


def book(*, is_scanned: bool = False) -> bytes:
    """A PDF of 300 pages: of 800 characters each, or of a drawing instead of words."""
    objects = {1: CATALOG, 5: FONT}
    kids: list[int] = []
    for number in range(1, PAGES + 1):
        page, content = 2 * number + 10, 2 * number + 11
        kids.append(page)
        objects[page] = PAGE.replace(b"4 0 R", b"%d 0 R" % content)
        objects[content] = stream(b"0 0 m 612 792 l S" if is_scanned else _written(number))
    listed = b" ".join(b"%d 0 R" % one for one in kids)
    objects[2] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (listed, PAGES)
    return put_together(objects)


def _written(number: int) -> bytes:
    line = b"0 -15 Td (Of looms and engines, and of what they may do for us one day.) Tj "
    first = b"BT /F 12 Tf 72 780 Td (Page %d has the word walnut%03d.) Tj " % (number, number)
    return first + line * LINES + b"ET"


def workbook(*, is_open_document: bool = False) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        if is_open_document:
            kind = "application/vnd.oasis.opendocument.spreadsheet"
            packed.writestr("mimetype", kind, zipfile.ZIP_STORED)
        else:
            packed.writestr("[Content_Types].xml", "<Types/>")
        for number in range(SHEETS):
            cells = f"<row><c><v>{number}</v></c></row>" * 1_000
            packed.writestr(f"xl/worksheets/sheet{number}.xml", f"<worksheet>{cells}</worksheet>")
    return made.getvalue()


# What is refused is so when it is chosen: nothing is kept, held or charged.
REFUSED = [
    ("scan.pdf", book(is_scanned=True), "has no text in it"),
    ("budget.xlsx", workbook(), "save each sheet as CSV"),
    ("budget.ods", workbook(is_open_document=True), "save each sheet as CSV"),
    ("budget.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4_096), "save each sheet as CSV"),
]


@pytest.mark.parametrize(("name", "data", "why"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_what_cannot_be_read_is_refused_in_a_sentence(name: str, data: bytes, why: str) -> None:
    with pytest.raises(FileRefused) as refused:
        attachments.check(ADA_ID, name, data)
    assert sentence_of(refused.value).startswith(f"“{name}” ")
    assert why in sentence_of(refused.value)


@pytest.mark.engine
@pytest.mark.timeout(420)
@pytest.mark.xdist_group("cells")
def test_a_book_is_answered_within_the_limit(ada: Person, agent_settings: Settings) -> None:
    """On the default model, with what a message may cost in the purse and no more."""
    name, media_type, data = attachments.check(ADA_ID, "book.pdf", book())
    ada.purse = Purse(micros=agent_settings.message_limit_micros)
    turn = ada.turn("", attachments=(Attachment(name, media_type, data),))
    path = f"uploads/{turn.job_id.hex[-8:]}0-book.pdf.txt"
    last_pages = {"path": path, "offset": (LINES + 2) * (PAGES - 3), "limit": 500}
    script = f"[[demo: tool read {json.dumps(last_pages)}]] [[demo: say It ends well.]]"
    asked = ada.turn(
        f"How does it end? {script}",
        job_id=turn.job_id,
        attachments=turn.attachments,
        model=chosen(agent_settings, "anthropic"),
    )
    recorded(agent_settings)

    answer = ada.runtime.run(asked, TurnListener(), ada.purse, ada.stop)

    assert answer.text == "It ends well."
    first, second = (json.dumps(body) for body in recorded(agent_settings))
    assert "walnut001" in first
    assert "walnut300" not in first
    assert path in first
    assert len(first) < MOST_ASKED_CHARS
    assert "walnut300" in second
    charged = sum(call.charge_micros for call in ada.purse.closed)
    assert 0 < charged <= agent_settings.message_limit_micros
