"""Asked in plain words, the demo model notes facts, takes them out, and tells what it knows."""

import json
from typing import Any

import pytest

from tests.embedded.demo_model.test_replies import STAMP, SYSTEM, USER_MD, said

NAMES = ("remember", "forget", "search_history")
MEMORY = (
    "# Memory\n\n<!-- Notes -->\n\n- #7 (2026-11-20) They like tea\n- #3 (2026-11-01) Has a cat\n"
)


def ask(demo: Any, *messages: dict[str, Any]) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": f"my__{name}"}} for name in NAMES]
    system = said("system", SYSTEM.format(user=USER_MD, memory=MEMORY))
    return demo.chat("", messages=[system, *messages], tools=tools)


@pytest.mark.parametrize(
    ("words", "name", "arguments", "result", "told"),
    [
        (
            "Remember that my cat is called Byron.",
            "remember",
            {"fact": "Their cat is called Byron"},
            "Noted: #8.",
            "Your cat is called Byron",
        ),
        ("Forget that I like tea", "forget", {"number": 7}, "Taken out: #7.", "Taken out: #7."),
    ],
)
def test_plain_words_change_the_notes(
    demo: Any, words: str, name: str, arguments: Any, result: str, told: str
) -> None:
    asked = said("user", f"{STAMP}{words}")
    (call,) = ask(demo, asked)["tool_calls"]
    assert call["function"]["name"] == f"my__{name}"
    assert json.loads(call["function"]["arguments"]) == arguments
    answered = {"role": "tool", "tool_call_id": call["id"], "content": result}
    used = {"role": "assistant", "tool_calls": [call], "content": None}
    assert told in ask(demo, asked, used, answered)["content"]


def test_it_tells_all_that_is_noted(demo: Any) -> None:
    answer = ask(demo, said("user", f"{STAMP}What do you know about me?"))["content"]
    assert "- You like tea\n- Has a cat" in answer
    assert "#7" not in answer
