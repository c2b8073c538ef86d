"""Hostile answers and files, each through the real helpers: an end in time, and then business."""

import time
from contextlib import suppress
from uuid import UUID

import pytest

from tests.hostile.answers import ANSWERS, HUNG
from tests.hostile.pdfs import FINE, PDFS
from tests.hostile.pictures import PICTURES
from tests.hostile.texts import TEXTS
from tests.running import some_of
from untrusted import reading, rendering, uploads
from untrusted.helper import Patience
from untrusted.kinds import CHECK_PDF, CHECK_TEXT, FIT_PICTURE, RENDER
from untrusted.reading import PDF, Unreadable
from untrusted.uploads import BadFile

JOB = UUID(int=1)
EVE, ADA = "eve", "ada"
# A helper that is killed is replaced by the spare; a busy machine may be slow to run it.
QUICK_SECONDS = 2.0
READING_SECONDS = 2.0
# The usual suite takes one of so many; those that have hung a worker before are always tried.
EVERY = 5

assert (len(ANSWERS), len(PDFS), len(PICTURES), len(TEXTS)) == (60, 40, 40, 30)


def assert_an_answer_is_quick() -> None:
    began = time.monotonic()
    made = rendering.render("**Hi**\n\n```python\nx = 1\n```", job_id=JOB)
    assert "<strong>Hi</strong>" in made
    assert 'class="n"' in made
    assert time.monotonic() - began < QUICK_SECONDS


def assert_a_file_is_quick() -> None:
    began = time.monotonic()
    assert uploads.check(FINE, owner=ADA).media_type == PDF
    assert time.monotonic() - began < QUICK_SECONDS


def look_into(data: bytes, wall_seconds: float) -> None:
    began = time.monotonic()
    with suppress(BadFile):
        uploads.check(data, owner=EVE)
    assert time.monotonic() - began < wall_seconds + QUICK_SECONDS


@pytest.mark.parametrize("name", some_of([*ANSWERS, *HUNG], every=EVERY))
def test_a_hostile_answer_is_shown_all_the_same(name: str) -> None:
    text = {**ANSWERS, **HUNG}[name]
    began = time.monotonic()
    made = rendering.render(text, job_id=JOB)
    assert time.monotonic() - began < 2 * RENDER.wall_seconds + QUICK_SECONDS
    assert made or not text.strip()
    assert_an_answer_is_quick()


@pytest.mark.parametrize("name", HUNG)
def test_what_hung_a_worker_takes_a_moment(name: str) -> None:
    began = time.monotonic()
    rendering.render(HUNG[name], job_id=JOB)
    assert time.monotonic() - began < QUICK_SECONDS


@pytest.mark.parametrize("name", some_of(PDFS, every=EVERY))
def test_a_hostile_pdf_is_refused_or_read(name: str) -> None:
    data = PDFS[name]()
    look_into(data, CHECK_PDF.wall_seconds)
    assert_a_file_is_quick()
    began = time.monotonic()
    patience = Patience(READING_SECONDS)
    with suppress(Unreadable):
        text, _ = reading.text_of(data, PDF, most_chars=1_000, owner=EVE, patience=patience)
        assert len(text) <= 1_000
    assert time.monotonic() - began < READING_SECONDS + QUICK_SECONDS
    assert_a_file_is_quick()


@pytest.mark.parametrize("name", some_of(PICTURES, every=EVERY))
def test_a_hostile_picture_is_refused_or_fits(name: str) -> None:
    look_into(PICTURES[name](), FIT_PICTURE.wall_seconds)
    assert_a_file_is_quick()


@pytest.mark.parametrize("name", some_of(TEXTS, every=EVERY))
def test_a_hostile_text_is_refused_or_read(name: str) -> None:
    data = TEXTS[name]()
    look_into(data, CHECK_TEXT.wall_seconds)
    text, _ = reading.text_of(
        data, "text/plain", most_chars=1_000, owner=EVE, patience=Patience(10)
    )
    assert len(text) <= 1_000
    assert_a_file_is_quick()
