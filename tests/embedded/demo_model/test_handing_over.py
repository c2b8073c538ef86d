"""Asked for a file in plain words, the demo model writes it and hands it over."""

import json
from typing import Any

import pytest

from tests.embedded.demo_model.test_product_tools import ask
from tests.embedded.demo_model.test_replies import STAMP, said


def asked(demo: Any, words: str) -> tuple[list[tuple[str, dict[str, Any]]], str]:
    """Ask until there is an answer; return the tools that were used before, and the answer."""
    talk = [said("user", f"{STAMP}{words}")]
    used: list[tuple[str, dict[str, Any]]] = []
    for _ in range(4):
        tools = ("write", "my__hand_over")
        answer = demo.chat(
            "",
            messages=talk,
            tools=[{"type": "function", "function": {"name": name}} for name in tools],
        )
        if not answer.get("tool_calls"):
            return used, answer["content"]
        (call,) = answer["tool_calls"]
        name = call["function"]["name"]
        used.append((name, json.loads(call["function"]["arguments"])))
        result = "Handed over: it." if name == "my__hand_over" else "Written."
        talk += [answer, {"role": "tool", "tool_call_id": call["id"], "content": result}]
    raise AssertionError(used)


@pytest.mark.parametrize(
    ("words", "path", "content"),
    [
        (
            "Write me a file with eggs, milk and bread",
            "files/eggs-milk-and-bread.md",
            "# Eggs, milk and bread\n\n- [ ] eggs\n- [ ] milk\n- [ ] bread\n",
        ),
        (
            "Please make a CSV of apples and pears!",
            "files/apples-and-pears.csv",
            'number,item\n1,"apples"\n2,"pears"\n',
        ),
        (
            "Write a poem about the sea into a file.",
            "files/the-sea.md",
            "# The sea\n\n- [ ] the sea\n",
        ),
        ("write me a file", "files/your-notes.md", "# Your notes\n\n- [ ] your notes\n"),
    ],
)
def test_a_file_is_written_and_handed_over(demo: Any, words: str, path: str, content: str) -> None:
    used, answer = asked(demo, words)
    assert [name for name, _ in used] == ["write", "my__hand_over"]
    assert used[0][1] == {"path": path, "content": content}
    assert used[1][1]["path"] == path
    assert "/files" in answer


def test_what_only_speaks_of_files_writes_none(demo: Any) -> None:
    for words in ("What is in this file?", "I lost a document yesterday."):
        assert not asked(demo, words)[0]


def test_without_the_tool_none_is_promised(demo: Any) -> None:
    answer = ask(demo, said("user", f"{STAMP}Write me a file with eggs"))
    assert "/files" not in answer["content"]
