"""What the events of a job say together."""

import pytest

from agent.cells.boot import config
from agent.tools import registry
from gateways.event_streams import Event
from gateways.live_events import (
    AttemptBegan,
    JobQueued,
    LiveEvent,
    TextAdded,
    ThoughtShown,
    ToolUsed,
)
from gateways.partial_answer import PartialAnswer, is_later, replay
from models.base import new_id
from webapp.chat import tool_names
from webapp.chat.tool_names import in_words

JOB = new_id()


def events(*told: tuple[int, LiveEvent]) -> list[Event]:
    return [Event(f"1-{n}", JOB, *one) for n, one in enumerate(told)]


def test_words_join_to_the_answer() -> None:
    told = replay(
        events(
            (0, JobQueued()),
            (1, AttemptBegan()),
            (1, ToolUsed("read")),
            (1, TextAdded(0, "One. ")),
            (1, TextAdded(5, "*Two*")),
        )
    )
    assert told == PartialAnswer(1, "1-4", "One. *Two*", "", is_whole=True)


def test_an_answer_of_which_some_was_lost_shows_nothing() -> None:
    told = replay(events((1, AttemptBegan()), (1, TextAdded(0, "One. ")), (1, TextAdded(9, "end"))))
    assert (told.text, told.is_whole, told.is_cut) == ("", False, True)


def test_a_later_attempt_forgets_the_earlier() -> None:
    told = replay(
        events(
            (1, AttemptBegan()),
            (1, TextAdded(0, "Old")),
            (2, AttemptBegan()),
            (1, TextAdded(3, " zombie")),
            (2, TextAdded(0, "New")),
        )
    )
    assert (told.attempt, told.text, told.is_whole) == (2, "New", True)


def test_what_is_thought_of_is_shown_until_it_is_said() -> None:
    thought = (1, AttemptBegan()), (1, ToolUsed("read")), (1, ThoughtShown("Weighing it up"))
    told = replay(events(*thought))
    assert (told.thought, told.tool, told.text) == ("Weighing it up", "", "")
    assert replay(events(*thought, (1, TextAdded(0, "So: ")))).thought == ""


def test_an_answer_without_its_beginning_shows_nothing() -> None:
    told = replay(events((1, TextAdded(5, "the middle")), (1, ToolUsed("read"))))
    assert not told.has_text
    assert not told.tool
    assert told.is_cut


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("search_history", "Searching what you said"),
        ("product__read", "Reading a file"),
        ("frobnicate", "Using a tool"),
    ],
)
def test_tools_are_named_in_plain_words(tool: str, words: str) -> None:
    assert in_words(tool) == words


def test_each_tool_that_there_is_has_its_words_and_no_other() -> None:
    ours = {tool.name for tool in registry.TOOLS}
    assert set(tool_names.TOOLS) == {*config.TOOLS, *ours}


def test_stream_ids_are_compared_as_numbers() -> None:
    assert is_later("10-0", "9-5")
    assert is_later("9-10", "9-9")
    assert is_later("1-0", "")
    assert not is_later("9-5", "9-5")
