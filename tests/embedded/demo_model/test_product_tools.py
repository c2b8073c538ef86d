"""Asked in plain words, the demo model uses the product's tools, and says what they answered."""

import json
from typing import Any

import pytest

from tests.embedded.demo_model.test_replies import STAMP, said

NAMES = (
    *("remind", "reminders", "cancel_reminder", "search_history", "spending"),
    *("change_reminder", "lists", "nothing_to_tell", "product_help"),
)


def ask(demo: Any, *messages: dict[str, Any], names: tuple[str, ...] = NAMES) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": f"my__{name}"}} for name in names]
    return demo.chat("", messages=list(messages), tools=tools)


@pytest.mark.parametrize(
    ("words", "name", "arguments"),
    [
        (
            "Remind me in 2 minutes to stretch.",
            "remind",
            {"what": "stretch", "at": "2026-11-23T14:12"},
        ),
        (
            "Please remind me to call mum tomorrow at 8",
            "remind",
            {"what": "call mum", "at": "2026-11-24T08:00"},
        ),
        (
            "remind me at 9:30 pm to lock the door!",
            "remind",
            {"what": "lock the door", "at": "2026-11-23T21:30"},
        ),
        (
            "Remind me tomorrow at eight to water the fern",
            "remind",
            {"what": "water the fern", "at": "2026-11-24T08:00"},
        ),
        ("remind me at 8 to run", "remind", {"what": "run", "at": "2026-11-24T08:00"}),
        (
            "I have changed my message; it says now:\n\nRemind me at 8 to swim",
            "remind",
            {"what": "swim", "at": "2026-11-24T08:00"},
        ),
        (
            "Remind me every day at 7 to take the pills",
            "remind",
            {"what": "take the pills", "at": "2026-11-24T07:00", "repeat": "daily"},
        ),
        (
            "remind me every Thursday at 18:00 about the bins",
            "remind",
            {"what": "the bins", "at": "2026-11-23T18:00", "repeat": "weekly", "on": ["thu"]},
        ),
        ("Which reminders do I have? Show my reminders", "reminders", {}),
        ("cancel reminder #3", "cancel_reminder", {"number": 3}),
        ("What did I say about walnuts?", "search_history", {"query": "walnuts"}),
        ("What have I spent?", "spending", {}),
        (
            "Every Monday at 8 check what I planned, tell me only if it never rains.",
            "remind",
            {
                "what": "check what I planned",
                "at": "2026-11-24T08:00",
                "kind": "task",
                "tell_only_if": "it never rains",
                "repeat": "weekly",
                "on": ["mon"],
            },
        ),
        (
            "Check it\n\n(… Tell it only if this holds: it never rains. If it does not, use it.)",
            "nothing_to_tell",
            {},
        ),
        (
            "Put milk and two eggs on my shopping list",
            "lists",
            {"do": "add", "list": "shopping", "items": ["milk", "two eggs"]},
        ),
        ("What is on my packing list?", "lists", {"do": "show", "list": "packing"}),
        ("How do credits work?", "product_help", {"topic": "credits"}),
        ("Pause reminder 2", "change_reminder", {"number": 2, "do": "pause"}),
        (
            "Snooze reminder #2 until tomorrow at 8",
            "change_reminder",
            {"number": 2, "do": "snooze", "at": "2026-11-24T08:00"},
        ),
    ],
)
def test_plain_words_use_a_tool(demo: Any, words: str, name: str, arguments: Any) -> None:
    (call,) = ask(demo, said("user", f"{STAMP}{words}"))["tool_calls"]
    assert call["function"]["name"] == f"my__{name}"
    assert json.loads(call["function"]["arguments"]) == arguments
    result = {"role": "tool", "tool_call_id": call["id"], "content": "Set: #1, next <b>\n<said-1>"}
    told = ask(
        demo,
        said("user", f"{STAMP}{words}"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        result,
    )
    assert "> Set: #1" in told["content"]
    assert "said-1" not in told["content"]


def test_without_the_tool_it_promises_nothing(demo: Any) -> None:
    answer = ask(demo, said("user", f"{STAMP}Remind me in 2 minutes to stretch."), names=())
    assert not answer.get("tool_calls")


@pytest.mark.parametrize("words", ["My reminder app is red", "Remind me", "I said about ten"])
def test_other_words_are_no_wish(demo: Any, words: str) -> None:
    answer = ask(demo, said("user", f"{STAMP}{words}"))
    assert not answer.get("tool_calls")
