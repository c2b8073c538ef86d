"""What a drill of the messengers would find, were it there; and what it excuses."""

import pytest

from tests.drill.messenger_audit import KILLED_WITHIN_SECONDS, Excuses, Findings, cut_off
from tests.drill.phones import Body

KILL = 1_000.0


def shown(*moments: float) -> list[Body]:
    """Messages of ours, each sent at a moment; their ids count from 1."""
    return [
        {
            "message_id": at,
            "is_from_bot": True,
            "deleted_at": None,
            "message": {"text": "answer-0-0-end"},
            "versions": [{"at": moment}],
        }
        for at, moment in enumerate(moments, start=1)
    ]


@pytest.mark.parametrize(
    ("moment", "noted", "is_excused"),
    [
        (KILL - 0.1, set[int](), True),
        (KILL - 0.1, {1}, False),
        (KILL + 1, set[int](), False),
        (KILL - KILLED_WITHIN_SECONDS - 1, set[int](), False),
    ],
)
def test_only_what_a_kill_cut_off_is_excused(
    moment: float, noted: set[int], *, is_excused: bool
) -> None:
    journal = {"messages": shown(moment)}
    assert cut_off(journal, noted, [KILL]) == ({1} if is_excused else set())


def test_no_more_is_excused_than_there_is_a_reason_for() -> None:
    found = Findings()
    having = shown(1, 2, 3, 4)
    assert Excuses({1}, {2}).count(having, 3, found) == 1
    assert (found.doubled_by_messenger, found.doubled_by_kills) == (1, 1)


def test_the_same_message_is_excused_once() -> None:
    found = Findings()
    assert Excuses({1}, {1}).count(shown(1, 2, 3), 2, found) == 1
