"""How a turn is told live: as Markdown, in the order in which it came."""

import pytest

from gateways.event_streams import Event, Streams
from gateways.live_events import AttemptBegan, TextAdded, ToolUsed
from models.base import new_id
from tasks.worker.events import EventPublisher


@pytest.fixture
def streams(redis_url: str) -> Streams:
    return Streams(redis_url)


def publisher(streams: Streams) -> EventPublisher:
    return EventPublisher(streams, new_id(), new_id(), attempt=1)


def joined(events: list[Event]) -> str:
    text = ""
    for event in events:
        if isinstance(event.payload, TextAdded):
            assert event.payload.start == len(text)
            text += event.payload.text
    return text


def test_words_are_told_as_they_were_said(streams: Streams) -> None:
    one = publisher(streams)
    for text in ("One.\n\n*Tw", "o*.\n\n", "🙂 & <Three>"):
        one.text(text)
    one.close()
    assert joined(streams.read(one.job_id)) == one.said == "One.\n\n*Two*.\n\n🙂 & <Three>"


def test_steps_are_told_between_the_words_where_they_were(streams: Streams) -> None:
    one = publisher(streams)
    one.working()
    one.text("Let me ")
    one.text("see. ")
    one.tool("read")
    one.text("Yes.")
    one.close()
    assert [event.payload for event in streams.read(one.job_id)] == [
        AttemptBegan(),
        TextAdded(0, "Let me see. "),
        ToolUsed("read"),
        TextAdded(12, "Yes."),
    ]
    assert one.has_shown
