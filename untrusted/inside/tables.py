"""Tables in letters of one width, and how wide a text is in them."""

import unicodedata
from collections.abc import Sequence
from typing import Literal

Alignment = Literal["left", "right", "center"]

GAP = "  "
RULE = "─"
JOINER = "\u200d"
# Asks for the coloured form of a sign, which is as wide as two letters.
EMOJI_FORM = "\ufe0f"
SKIN_TONES = range(0x1F3FB, 0x1F400)
REGIONAL = range(0x1F1E6, 0x1F200)
TAGS = range(0xE0000, 0xE0080)
INVISIBLE = {"Mn", "Me", "Cf", "Cc"}


def lay_out(
    rows: Sequence[Sequence[str]], alignments: Sequence[Alignment], *, most_columns: int
) -> str | None:
    """Draw a table whose first row is its head; None when it is wider than `most_columns`."""
    widths = [max(width(row[at]) for row in rows) for at in range(len(alignments))]
    if sum(widths) + len(GAP) * (len(widths) - 1) > most_columns:
        return None
    lines = [_line(row, widths, alignments) for row in rows]
    lines.insert(1, GAP.join(RULE * size for size in widths))
    return "\n".join(lines)


def width(text: str) -> int:
    """Tell how many letters of one width a text takes, as most screens draw it."""
    total, last, before = 0, 0, ""
    for sign in text:
        size = _added(sign, before, last)
        # The second half of a flag begins no third one.
        before = "" if _is_flag(sign) and _is_flag(before) else sign
        total += size
        last = size or last
    return total


def _added(sign: str, before: str, last: int) -> int:
    code = ord(sign)
    if sign == EMOJI_FORM:
        return 1 if last == 1 else 0
    if before == JOINER or code in SKIN_TONES or code in TAGS:
        return 0
    if _is_flag(sign):
        return 0 if _is_flag(before) else 2
    if unicodedata.category(sign) in INVISIBLE:
        return 0
    return 2 if unicodedata.east_asian_width(sign) in {"W", "F"} else 1


def _is_flag(sign: str) -> bool:
    return bool(sign) and ord(sign) in REGIONAL


def _line(row: Sequence[str], widths: Sequence[int], alignments: Sequence[Alignment]) -> str:
    cells = map(_padded, row, widths, alignments)
    return GAP.join(cells).rstrip(" ")


def _padded(cell: str, size: int, alignment: Alignment) -> str:
    spare = size - width(cell)
    before = {"left": 0, "right": spare, "center": spare // 2}[alignment]
    return " " * before + cell + " " * (spare - before)
