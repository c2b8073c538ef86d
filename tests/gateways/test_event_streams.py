# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Live events in a real Valkey."""

import json

import pytest

from gateways.event_streams import Streams
from gateways.live_events import AttemptBegan, TextAdded, ToolUsed
from models.base import new_id


@pytest.fixture
def streams(redis_url: str) -> Streams:
    return Streams(redis_url)


def test_events_are_read_back_in_order_and_after_any_of_them(streams: Streams) -> None:
    conversation, job = new_id(), new_id()
    ids = [streams.append(conversation, job, 1, TextAdded(0, word)) for word in ("a", "b", "c")]

    assert [event.payload for event in streams.read(job)] == [TextAdded(0, word) for word in "abc"]
    assert [event.id for event in streams.read(job, after=ids[0])] == ids[1:]
    assert streams.read(new_id()) == []


def test_the_channel_tells_the_same_events_under_the_same_ids(streams: Streams) -> None:
    conversation, job = new_id(), new_id()
    with streams.client.pubsub() as listening:
        listening.subscribe(streams.channel(conversation))
        assert listening.get_message(timeout=5) is not None
        streams.append(new_id(), job, 1, TextAdded(0, "elsewhere"))
        told = streams.append(conversation, job, 2, ToolUsed("read"))
        heard = listening.get_message(timeout=5)

    assert heard is not None
    event = Streams.parse(str(heard["data"]))
    assert event is not None
    assert (event.id, event.job_id, event.attempt) == (told, job, 2)
    assert event.payload == ToolUsed("read")


def test_a_stream_does_not_stay_for_ever(streams: Streams) -> None:
    job = new_id()
    streams.append(new_id(), job, 1, AttemptBegan())
    assert 0 < int(str(streams.client.ttl(f"ev:{job}"))) <= 3600


def test_what_another_version_wrote_is_passed_over(streams: Streams) -> None:
    conversation, job = new_id(), new_id()
    streams.append(conversation, job, 1, AttemptBegan())
    for kind, data in (("text", {"text": "a"}), ("block", {"html": "", "tail": ""}), ("new", {})):
        told = json.dumps({"job": str(job), "attempt": 1, "kind": kind, "data": data})
        streams.client.xadd(f"ev:{job}", {"e": told})
        assert Streams.parse(f"1-0 {told}") is None
    streams.append(conversation, job, 1, ToolUsed("read"))
    assert [event.payload for event in streams.read(job)] == [AttemptBegan(), ToolUsed("read")]
