"""Live events as JSON, there and back."""

import json

import pytest

from gateways import live_events
from gateways.live_events import (
    AttemptBegan,
    ConversationDeleted,
    JobEnded,
    JobPaused,
    JobQueued,
    JobResumed,
    LiveEvent,
    MessageAdded,
    MessageDeleted,
    RetryScheduled,
    StopRequested,
    TextAdded,
    ThoughtShown,
    ToolUsed,
)

ALL: tuple[LiveEvent, ...] = (
    *(
        JobQueued(),
        AttemptBegan(),
        TextAdded(3, "*Hello*"),
        ToolUsed("read"),
        ThoughtShown("Hm"),
        StopRequested(),
    ),
    *(RetryScheduled(), JobPaused(), JobResumed(), JobEnded("failed"), ConversationDeleted()),
    MessageAdded(),
    MessageDeleted(),
)


@pytest.mark.parametrize("event", ALL, ids=lambda event: event.kind)
def test_an_event_comes_back_as_it_went(event: LiveEvent) -> None:
    kind, data = json.loads(json.dumps(live_events.encode(event)))
    assert live_events.decode(kind, data) == event


def test_no_kind_is_left_out() -> None:
    assert {event.kind for event in ALL} == set(live_events.KINDS)


def test_more_than_is_known_is_no_fault() -> None:
    assert live_events.decode("waiting", {"reason": "again"}) == RetryScheduled()


@pytest.mark.parametrize(
    ("kind", "data"),
    [("text", {"text": "a"}), ("text", {"start": "0", "text": "a"}), ("tool", {}), ("block", {})],
)
def test_what_is_of_another_shape_is_none(kind: str, data: dict[str, object]) -> None:
    assert live_events.decode(kind, data) is None
