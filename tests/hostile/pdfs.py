"""PDFs that are broken, endless or larger than they look, by name."""

import zlib
from collections.abc import Callable, Mapping
from io import BytesIO

from pypdf import PdfWriter

HEADER = b"%PDF-1.7\n"
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
WORDS = b"BT /F 12 Tf 72 700 Td (Invoice 4711) Tj ET"
TREE = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = (
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
    b"/Resources<</Font<</F 5 0 R>>>>>>"
)
CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
MANY = 200_000


def pdf(
    content: bytes = WORDS, *, more: Mapping[int, bytes] | None = None, head: str = ""
) -> bytes:
    """A PDF of one page with this content stream; `more` replaces objects or adds to them."""
    return put_together(
        {1: CATALOG, 2: TREE, 3: PAGE, 4: stream(content, head), 5: FONT, **(more or {})}
    )


def put_together(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    made = bytearray(HEADER)
    places: dict[int, int] = {}
    for number, body in objects.items():
        places[number] = len(made)
        made += b"%d 0 obj" % number + body + b"\nendobj\n"
    start = len(made)
    size = max(objects) + 1
    made += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        made += b"%010d 00000 %c \n" % (places.get(number, 0), b"n" if number in places else b"f")
    made += b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (size, trailer, start)
    return bytes(made)


def stream(content: bytes, head: str = "") -> bytes:
    return f"<</Length {len(content)}{head}>>stream\n".encode() + content + b"\nendstream"


def packed(content: bytes, times: int = 1) -> bytes:
    """A PDF whose content is deflated so many times over."""
    for _ in range(times):
        content = zlib.compress(content, 9)
    return pdf(content, head=f"/Filter[{'/FlateDecode' * times}]")


def locked() -> bytes:
    """A PDF that cannot be read without its password."""
    writer, made = PdfWriter(), BytesIO()
    writer.add_blank_page(72, 72)
    writer.encrypt("secret", algorithm="AES-256")
    writer.write(made)
    return made.getvalue()


def slow(operators: int = 400_000) -> bytes:
    """A PDF of a few kilobytes that takes very long to read and cannot be seen to."""
    return packed(b"BT /F 12 Tf " + b"(a) Tj 1 0 Td " * operators + b"ET")


def _pages(count: int) -> bytes:
    numbers = range(10, 10 + count)
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    tree = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, count)
    return pdf(more={2: tree, **dict.fromkeys(numbers, PAGE)})


def _deep_tree(depth: int) -> bytes:
    nodes = {n: b"<</Type/Pages/Kids[%d 0 R]/Count 1>>" % (n + 1) for n in range(10, 10 + depth)}
    first = b"<</Type/Pages/Kids[10 0 R]/Count 1>>"
    return pdf(more={2: first, **nodes, 10 + depth: PAGE})


def _with_font(font: bytes, content: bytes = WORDS, **more: bytes) -> bytes:
    numbered = {int(name[1:]): body for name, body in more.items()}
    return pdf(content, more={5: font, **numbered})


CMAP = b"1 begincodespacerange <0000> <ffff> endcodespacerange\n"
TO_UNICODE = b"<</Type/Font/Subtype/Type1/BaseFont/X/ToUnicode 6 0 R>>"
FORM = "/Type/XObject/Subtype/Form/Resources<</XObject<</A 6 0 R>>>>"
FORM_PAGE = PAGE.replace(b"<</Font", b"<</XObject<</A 6 0 R>>/Font")
FINE = pdf()
PDFS: dict[str, Callable[[], bytes]] = {
    "only a header": lambda: HEADER,
    "nonsense": lambda: HEADER + b"nonsense " * 1_000,
    "zeros": lambda: HEADER + bytes(100_000),
    "a tenth of one": lambda: FINE[: len(FINE) // 10],
    "half of one": lambda: FINE[: len(FINE) // 2],
    "nearly all of one": lambda: FINE[:-40],
    "no pages": lambda: pdf(more={2: b"<</Type/Pages/Kids[]/Count 0>>"}),
    "a password": locked,
    "a thousand pages": lambda: _pages(1_000),
    "a page tree that is deep": lambda: _deep_tree(3_000),
    "a page tree that is a ring": lambda: pdf(more={2: b"<</Type/Pages/Kids[2 0 R]/Count 1>>"}),
    "a billion pages": lambda: pdf(more={2: b"<</Type/Pages/Kids[3 0 R]/Count 999999999>>"}),
    "the same page often": lambda: pdf(
        more={2: b"<</Type/Pages/Kids[%s]/Count 50000>>" % (b"3 0 R " * 50_000)}
    ),
    "no catalogue": lambda: pdf(more={1: b"null"}),
    "an object that is itself": lambda: pdf(more={4: b" 4 0 R"}),
    "a table of objects that is a ring": lambda: put_together(
        {1: CATALOG, 2: TREE, 3: PAGE}, trailer=b"/Prev 20"
    ),
    "a start that is nowhere": lambda: FINE.replace(b"startxref\n", b"startxref\n9999999999"),
    "a start before the beginning": lambda: FINE.replace(b"startxref\n", b"startxref\n-"),
    "a length that lies": lambda: pdf(more={4: b"<</Length 99999999>>stream\nBT ET\nendstream"}),
    "a length that is a ring": lambda: pdf(more={4: b"<</Length 4 0 R>>stream\nBT ET\nendstream"}),
    "much to say": lambda: pdf(b"BT /F 12 Tf " + b"(a) Tj " * 50_000 + b"ET"),
    "much to say, packed": slow,
    "states without end": lambda: pdf(b"q " * MANY),
    "arrays in arrays": lambda: pdf(b"[" * MANY),
    "dictionaries in dictionaries": lambda: pdf(b"<</A " * MANY),
    "dictionaries in its catalogue": lambda: pdf(more={1: b"<</A" * 20_000 + b">>" * 20_000}),
    "a text that never ends": lambda: pdf(b"BT (" + b"a" * MANY),
    "brackets in a text": lambda: pdf(b"BT " + b"(" * MANY),
    "a comment that never ends": lambda: pdf(b"%" * MANY),
    "a picture that never ends": lambda: pdf(b"BI /W 1 /H 1 ID " + b"E" * MANY),
    "a number of a million digits": lambda: pdf(b"BT " + b"9" * 1_000_000 + b" 0 Td ET"),
    "a hundred megabytes of nothing": lambda: packed(bytes(100 * 1024 * 1024)),
    "packed in packed": lambda: packed(bytes(50 * 1024 * 1024), times=4),
    "runs without end": lambda: pdf(b"\x81a" * 500_000, head="/Filter/RunLengthDecode"),
    "the letter z": lambda: pdf(b"z" * 1_000_000 + b"~>", head="/Filter/ASCII85Decode"),
    "a form in itself": lambda: pdf(b"/A Do", more={3: FORM_PAGE, 6: stream(b"/A Do /A Do", FORM)}),
    "a font of four billion letters": lambda: _with_font(
        TO_UNICODE, o6=stream(CMAP + b"1 beginbfrange <00000000> <ffffffff> <0041> endbfrange")
    ),
    "a font of many ranges": lambda: _with_font(
        TO_UNICODE, o6=stream(CMAP + b"9 beginbfrange <0000> <ffff> <0041> endbfrange\n" * 2_000)
    ),
    "widths without end": lambda: _with_font(
        b"<</Type/Font/Subtype/TrueType/BaseFont/X/FirstChar 0/LastChar 2000000000"
        b"/Widths[%s]>>" % (b"1 " * MANY)
    ),
    "a page that is made of many": lambda: pdf(
        more={3: PAGE.replace(b"4 0 R", b"[%s]" % (b"4 0 R " * 20_000), 1)}
    ),
}
