"""The gate: what passes, what does not, and that nothing takes long."""

import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from gateways import values
from gateways.values import BadValue
from tests.fuzz.values import HOSTILE
from tests.processor import no_more_than

READERS: tuple[Callable[[object], object], ...] = (
    lambda given: values.text(given, most_bytes=1000),
    lambda given: values.line(given, most=80),
    lambda given: values.file_name(given, fallback="file"),
    *(values.integer, values.dollars, values.day, values.month, values.moment, values.uuid),
    *(values.uuid_or_none, values.stream_id, values.stripe_id, values.code, values.model_id),
    *(values.secret, values.web_address, values.address, values.time_zone, values.mapping),
    lambda given: values.digits(given, count=4),
)


@pytest.mark.parametrize(
    ("typed", "micros"),
    [
        *(("12.50", 12_500_000), (" $12.5 ", 12_500_000), ("$ 2", 2_000_000), ("0", 0)),
        *(("1,000", 1_000_000_000), ("1,234,567.89", 1_234_567_890_000), (".5", 500_000)),
        *(("7.", 7_000_000), ("0.01", 10_000)),
    ],
)
def test_dollars_are_read_as_people_type_them(typed: str, micros: int) -> None:
    assert values.dollars(typed) == micros


@pytest.mark.parametrize(
    "typed",
    [
        *("", ".", "$", "-1", "+1", "1e3", "1e999990", "0x10", "NaN", "Infinity", "1,50", "1,00,0"),
        *(
            "0.001",
            "12345678",
            "12,345,678",
            "١٢",
            "１２",
            "1_000",
            "1 000",
            "12,50",
            "5 $",
            "$$5",
            "1\n",
            None,
            5.0,
        ),
    ],
)
def test_what_is_no_amount_is_refused(typed: object) -> None:
    # A line's end after an amount is no more than a space.
    if typed == "1\n":
        assert values.dollars(typed) == 1_000_000
        return
    with pytest.raises(BadValue):
        values.dollars(typed)


def test_whole_numbers_have_bounds() -> None:
    assert values.integer("42") == values.integer(42) == 42
    assert values.integer("-5", least=-5) == -5
    odd: tuple[object, ...] = ("-1", "٤", "1_0", " 1", "+1", "1.0", "9" * 5000, 2**63, True, 1.0)
    for given in (*odd, None, "", "0x1", [1]):
        with pytest.raises(BadValue):
            values.integer(given)
    with pytest.raises(BadValue):
        values.integer("11", most=10)


def test_dates_and_months_are_of_our_time() -> None:
    assert values.day("2028-02-29") == date(2028, 2, 29)
    assert values.month("2026-11") == date(2026, 11, 1)
    assert values.moment(1_800_000_000) == datetime(2027, 1, 15, 8, tzinfo=UTC)
    for given in ("9999-12", "0000-00", "2026-13", "2026-1", "1999-12", "2101-01", "٢٠٢٦-١١"):
        with pytest.raises(BadValue):
            values.month(given)
    for given in ("2026-02-29", "2026-00-01", "2026-01-32", "2026-1-1", "2026-01-01T00:00"):
        with pytest.raises(BadValue):
            values.day(given)
    for given in (0, -1, 10**18, float("nan")):
        with pytest.raises(BadValue):
            values.moment(given)


def test_ids_have_their_hyphens_or_none() -> None:
    form = "018f3c5e-7b2a-7000-8000-0123456789ab"
    assert values.uuid(form.upper()) == UUID(form)
    assert values.uuid(form.replace("-", "")) == UUID(form)
    for given in (
        form.replace("-", "", 1),
        f"{{{form}}}",
        f"urn:uuid:{form}",
        form + "\n",
        None,
        5,
    ):
        with pytest.raises(BadValue):
            values.uuid(given)
        assert values.uuid_or_none(given) is None
    assert values.stripe_id("cs_test_a1B2") == "cs_test_a1B2"
    assert values.stream_id("1764500000000-3") == (1_764_500_000_000, 3)
    assert values.stream_id("5") == (5, 0)
    for given in ("pi", "pi_", "../pi_1", "pi_1 ", "pi_" + "a" * 900, {"id": "pi_1"}):
        with pytest.raises(BadValue):
            values.stripe_id(given)


def test_a_name_is_one_clean_line() -> None:
    assert values.line("  Zoe\u0308  Quinn ", most=80) == "Zoë Quinn"
    assert values.line("اسم", most=80) == "اسم"
    family = "👩‍👩‍👧‍👦"
    assert values.line(family, most=80) == family
    pile = "e" + "\u0301" * 40
    for given in ("a\x00b", "a\u202eb", "a\x1bb", "\ud800", pile, "x" * 81, 7):
        with pytest.raises(BadValue):
            values.line(given, most=80)
    for unseen in (" ", "\u200b", "\u200b \u2060", "\u00ad", "\u0301"):
        with pytest.raises(BadValue):
            values.line(unseen, most=80, least=1)
    assert values.line("👍", most=80, least=1) == "👍"


@pytest.mark.parametrize("name", ["localtime", "Factory"])
def test_the_clock_of_a_machine_is_no_zone(name: str) -> None:
    with pytest.raises(BadValue):
        values.time_zone(name)


def test_words_are_measured_in_bytes() -> None:
    assert values.text("é" * 5, most_bytes=10) == "é" * 5
    with pytest.raises(BadValue):
        values.text("é" * 6, most_bytes=10)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        *(("notes.txt", "notes.txt"), ("C:\\fakepath\\a.txt", "a.txt"), ("../../x", "x")),
        *(("a\x00b\u202e.txt", "ab.txt"), ("e\u0301.md", "é.md"), ("..", "file"), ("", "file")),
        *((".env", ".env"), ("a" * 300 + ".jpeg", "a" * 155 + ".jpeg"), (None, "file")),
        ("\ud800.txt", ".txt"),
    ],
)
def test_a_files_name_fits_into_any_file_system(given: object, kept: str) -> None:
    assert values.file_name(given, fallback="file") == kept


@pytest.mark.parametrize("letter", ["a", "é", "漢", "\U00020000", "👩"])
def test_a_files_name_is_cut_by_bytes_and_keeps_its_ending(letter: str) -> None:
    kept = values.file_name(letter * 400 + ".csv", fallback="file")
    assert kept.endswith(f"{letter}.csv")
    assert len(kept.encode()) <= values.FILE_NAME_BYTES


def test_other_forms() -> None:
    assert values.time_zone("Europe/Berlin") == "Europe/Berlin"
    assert values.address(" ada@example.org ") == "ada@example.org"
    assert values.model_id("demo/demo") == "demo/demo"
    assert values.code("card_declined") == "card_declined"
    assert values.digits("0042", count=4) == "0042"
    for reader, given in (
        *((values.time_zone, one) for one in ("../../etc/passwd", "Mars/Base", "")),
        *(
            (values.address, one)
            for one in ("a", "a@b@c", "a b@c", "a@b\r\nBcc: x@y", "@", "x" * 999)
        ),
        *((values.web_address, one) for one in ("javascript:alert(1)", "https://a b", "//x")),
    ):
        with pytest.raises(BadValue):
            reader(given)


@pytest.mark.parametrize("reader", READERS)
def test_nothing_raises_anything_else_or_takes_long(reader: Callable[[object], object]) -> None:
    for value in HOSTILE.values():
        odd: tuple[Any, ...] = (value, [value], {"a": value})
        for given in odd:
            kept: object = None
            with no_more_than(0.2), suppress(BadValue):
                kept = reader(given)
            if isinstance(kept, str):
                assert "\x00" not in kept
                assert kept.encode().decode() == kept
                assert kept == given or unicodedata.normalize("NFC", kept) == kept
