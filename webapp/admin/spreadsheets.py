"""Tables that are handed out as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response, make_response

from models.money import exact_dollars

# What makes a spreadsheet take words for a formula.
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


def answer(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Answer with a file of this name; words are kept from being taken for formulas."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(columns)
    table.writerows(list(map(_plain, row)) for row in rows)
    made = make_response(written.getvalue())
    made.headers["Content-Type"] = "text/csv; charset=utf-8"
    made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return made


class Dollars(str):
    """An amount that is a number, whatever sign it begins with."""

    __slots__ = ()


def dollars(micros: int) -> Dollars:
    """Write an amount to the last micro-dollar."""
    return Dollars(exact_dollars(micros))


def _plain(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, Dollars):
        return value
    return f"'{value}" if value.startswith(FORMULA_MARKS) else value
