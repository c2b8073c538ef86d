# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""Live events in a real Valkey."""

import pytest

from gateways.event_streams import Streams
from models.base import new_id


@pytest.fixture
def streams(redis_url: str) -> Streams:
    return Streams(redis_url)


def test_events_are_read_back_in_order_and_after_any_of_them(streams: Streams) -> None:
    conversation, job = new_id(), new_id()
    ids = [streams.append(conversation, job, 1, "text", text=word) for word in ("a", "b", "c")]

    assert [event.data["text"] for event in streams.read(job)] == ["a", "b", "c"]
    assert [event.id for event in streams.read(job, after=ids[0])] == ids[1:]
    assert streams.read(new_id()) == []


def test_the_channel_tells_the_same_events_under_the_same_ids(streams: Streams) -> None:
    conversation, job = new_id(), new_id()
    with streams.client.pubsub() as listening:
        listening.subscribe(streams.channel(conversation))
        assert listening.get_message(timeout=5) is not None
        streams.append(new_id(), job, 1, "text", text="elsewhere")
        told = streams.append(conversation, job, 2, "tool", name="read")
        heard = listening.get_message(timeout=5)

    assert heard is not None
    event = Streams.parse(str(heard["data"]))
    assert (event.id, event.job_id, event.attempt) == (told, job, 2)
    assert (event.kind, event.data) == ("tool", {"name": "read"})


def test_a_stream_does_not_stay_for_ever(streams: Streams) -> None:
    job = new_id()
    streams.append(new_id(), job, 1, "working")
    assert 0 < int(str(streams.client.ttl(f"ev:{job}"))) <= 3600
