"""How a turn is told live: block by block, and as plain words when blocks cannot be made."""

import time

import pytest

from gateways.event_streams import Event, Streams
from models.base import new_id
from tasks.telling import Teller
from tests.hostile.answers import ANSWERS
from tests.house import wait_for

HOSTILE = "One.\n\n" + "a\n" * 500_000


@pytest.fixture
def streams(redis_url: str) -> Streams:
    return Streams(redis_url)


def told(streams: Streams, teller: Teller, *texts: str) -> list[Event]:
    for text in texts:
        teller.text(text)
    teller.close()
    return streams.read(teller.job_id)


def teller(streams: Streams) -> Teller:
    return Teller(streams, new_id(), new_id(), attempt=1)


def test_blocks_are_told_as_soon_as_they_are_finished(streams: Streams) -> None:
    events = told(streams, teller(streams), "One.\n\n*Tw", "o*.\n\nThree")
    blocks = [event.data for event in events if event.kind == "block"]
    assert "".join(block["html"] for block in blocks) == "<p>One.</p>\n<p><em>Two</em>.</p>\n"
    assert blocks[-1]["tail"] == "Three"


def test_after_a_failure_all_is_told_as_words(streams: Streams) -> None:
    events = told(streams, teller(streams), HOSTILE)
    assert [event.kind for event in events] == ["text"]
    assert events[0].data["text"] == HOSTILE


def test_words_after_a_failure_wait_for_no_renderer(streams: Streams) -> None:
    one = teller(streams)
    one.text(HOSTILE)
    wait_for(lambda: streams.read(one.job_id), "the first words")
    began = time.monotonic()
    one.text("more.\n\nand more")
    one.close()
    assert time.monotonic() - began < 0.5
    assert [event.kind for event in streams.read(one.job_id)] == ["text", "text"]


def test_a_hostile_answer_holds_up_no_other(streams: Streams) -> None:
    evil, good = teller(streams), teller(streams)
    for text in (HOSTILE, *ANSWERS.values()):
        evil.text(text)
    time.sleep(0.1)
    began = time.monotonic()
    events = told(streams, good, "One.\n\nTwo.\n\nThree")
    # Behind the others it would wait for longer; a busy machine alone may take a second.
    assert time.monotonic() - began < 3
    assert "block" in [event.kind for event in events]
    evil.close()
