"""What the events of a job say together."""

from typing import Any

import pytest

from agent.cells import config
from gateways.event_streams import Event
from models.base import new_id
from webapp import chat_told
from webapp.chat_told import Told, fold, in_words, is_later

JOB = new_id()


def events(*told: tuple[int, str, dict[str, Any]]) -> list[Event]:
    return [Event(f"1-{n}", JOB, *one) for n, one in enumerate(told)]


def test_words_and_blocks_join_to_the_answer() -> None:
    told = fold(
        events(
            (0, "asked", {}),
            (1, "working", {}),
            (1, "tool", {"name": "read"}),
            (1, "text", {"text": "One. "}),
            (1, "block", {"html": "<p>One.</p>", "tail": "Tw"}),
            (1, "text", {"text": "o."}),
        )
    )
    assert told == Told(1, "1-5", "<p>One.</p>", "Two.", "", is_whole=True)


def test_a_later_attempt_forgets_the_earlier() -> None:
    told = fold(
        events(
            (1, "working", {}),
            (1, "text", {"text": "Old"}),
            (2, "working", {}),
            (1, "text", {"text": " zombie"}),
            (2, "text", {"text": "New"}),
        )
    )
    assert (told.attempt, told.tail, told.is_whole) == (2, "New", True)


def test_an_answer_without_its_beginning_shows_nothing() -> None:
    told = fold(events((1, "text", {"text": "the middle"}), (1, "tool", {"name": "read"})))
    assert not told.has_text
    assert not told.tool
    assert told.is_cut


@pytest.mark.parametrize(
    ("tool", "words"),
    [
        ("memory_search", "Looking into its notes"),
        ("product__read", "Reading a file"),
        ("frobnicate", "Using a tool"),
    ],
)
def test_tools_are_named_in_plain_words(tool: str, words: str) -> None:
    assert in_words(tool) == words


def test_each_tool_that_there_is_has_its_words_and_no_other() -> None:
    assert set(chat_told.TOOLS) == set(config.TOOLS)


def test_stream_ids_are_compared_as_numbers() -> None:
    assert is_later("10-0", "9-5")
    assert is_later("9-10", "9-9")
    assert is_later("1-0", "")
    assert not is_later("9-5", "9-5")
