"""Without a script the demo model is of some use to people, and honest about itself."""

import base64
import struct
import zlib
from typing import Any

import pytest

from embedded.demo_model.replies import NOTICE
from tests.embedded.demo_model.served import Served
from webapp.chat.suggestions import FOR_ALL, FOR_NEEDS, suggestions

USER_MD = """\
# About the person

<!-- kept by the service: begin -->
- Name: Ada
- Time zone: Europe/Berlin
- What they want help with:
> Planning my week
> and cooking
<!-- kept by the service: end -->

## Your own notes
"""
EARLIER = """

<earlier 0a1b2c3d>
### 2026-11-22 10:00 UTC, in “Home”
They said:
> I live in Lisbon
You answered:
> I wrote it down.
</earlier 0a1b2c3d>"""
MEMORY_MD = "# Memory\n- Their cat is called Tom"
# As OpenClaw writes it around the assistant's files.
SYSTEM = """\
<!-- openclaw:attempt:STABLE -->
You are a personal assistant running inside OpenClaw.
# Project Context
## /cell/workspace/AGENTS.md
# How you work
## /cell/workspace/USER.md
{user}
## /cell/workspace/MEMORY.md
{memory}
<!-- /openclaw:attempt:STABLE -->
## Runtime
"""
STAMP = "[Mon 2026-11-23 14:10 Europe/Berlin] "
RUNTIME = "\n\nRuntime: agent=main | session=agent:main:c2 | host=cell"
TOOLS = ("edit", "read", "write", "my__search_history")


def said(role: str, text: Any) -> dict[str, Any]:
    return {"role": role, "content": text}


def ask(demo: Served, *messages: dict[str, Any], memory: str = MEMORY_MD) -> dict[str, Any]:
    """Ask as OpenClaw does, with the person's files and the assistant's tools."""
    system = said("system", SYSTEM.format(user=USER_MD, memory=memory))
    tools = [{"type": "function", "function": {"name": name}} for name in TOOLS]
    return demo.chat("", messages=[system, *messages], tools=tools)


def answer(demo: Served, text: str) -> str:
    """The words of the answer to a first message, or what it used a tool for."""
    message = ask(demo, said("user", f"{STAMP}{text}{EARLIER}{RUNTIME}"))
    return message["content"] or str(message["tool_calls"])


def use_tools(
    demo: Served, text: str, results: dict[str, str], memory: str = MEMORY_MD
) -> tuple[list[Any], str]:
    """Play the tools; return what they were used for, and the last words."""
    messages = [said("user", f"{STAMP}{text}{EARLIER}{RUNTIME}")]
    used: list[Any] = []
    while True:
        message = ask(demo, *messages, memory=memory)
        if not message.get("tool_calls"):
            return used, message["content"]
        [call] = message["tool_calls"]
        used.append((call["function"]["name"], call["function"]["arguments"]))
        result = {"role": "tool", "tool_call_id": call["id"], "content": results[used[-1][0]]}
        messages += [message, result]


def test_it_greets_by_name_and_knows_what_help_was_wanted(demo: Served) -> None:
    text = answer(demo, "Hi!")
    assert "Hello Ada!" in text
    assert "Planning my week and cooking" in text


def test_the_first_answer_of_a_conversation_says_that_it_is_a_demo(demo: Served) -> None:
    first = said("user", "Hello")
    assert ask(demo, first)["content"].endswith(NOTICE)
    later = ask(demo, first, said("assistant", "Hello Ada!"), said("user", "Thanks"))
    assert "demo" not in later["content"]


@pytest.mark.parametrize(
    "text", [*FOR_NEEDS.values(), *FOR_ALL, *suggestions("Repairing my bicycle")[:1]]
)
def test_what_the_service_suggests_is_answered(demo: Served, text: str) -> None:
    _, words = use_tools(demo, text, {"edit": "Successfully replaced 1 block(s)."})
    for helpless in ("I am the demo model, so I cannot", "I don't know", "could not"):
        assert helpless not in words
    assert len(words.removesuffix(NOTICE)) > 60


@pytest.mark.parametrize("text", ["Who was Napoleon's uncle?", "asdf", "¿Qué tal?"])
def test_what_it_cannot_do_it_says_plainly(demo: Served, text: str) -> None:
    assert "I am the demo model" in answer(demo, text)


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("What is my cat called?", "Your cat is called Tom"),
        ("do you know the name of my cat?", "Your cat is called Tom"),
        ("Where do I live?", "You live in Lisbon"),
        ("What's my name?", "Your name is Ada"),
    ],
)
def test_it_answers_from_the_assistants_files(demo: Served, question: str, fact: str) -> None:
    assert fact in answer(demo, question)


def test_the_fact_that_fits_best_counts_and_of_equals_the_newest(demo: Served) -> None:
    notes = [
        "Their car number 1 is red",
        "Their car number 2 is blue",
        "Their car number 2 is grey",
    ]
    memory = "\n- ".join(["# Memory", *notes])
    for number, colour in ((1, "red"), (2, "grey")):
        asked = said("user", f"What colour is my car number {number}?")
        assert colour in ask(demo, asked, memory=memory)["content"]


def test_it_tells_all_that_it_knows(demo: Served) -> None:
    text = answer(demo, "What do you know about me?")
    for fact in ("Ada", "Planning my week", "Tom", "Lisbon"):
        assert fact in text


def test_it_answers_from_what_was_said_before_in_the_conversation(demo: Served) -> None:
    told = said("user", f"{STAMP}My boat is named Nina.")
    text = ask(demo, told, said("assistant", "Noted."), said("user", "what's my boat's name?"))
    assert "Your boat is named Nina" in text["content"]


@pytest.mark.parametrize(
    ("told", "note"),
    [
        ("My dog's name is Rex.", "Their dog's name is Rex"),
        ("Remember that our anniversary is June 3", "Their anniversary is June 3"),
        ("I'm allergic to nuts!", "They are allergic to nuts"),
        ("please remember: the code is 1234", "The code is 1234"),
        ("Hello, my dog is called Rex. Please remember that.", "Their dog is called Rex"),
        ("Good morning Shellmate! I live in Porto, remember it please", "They live in Porto"),
        ("I love sailing", "They love sailing"),
    ],
)
def test_it_writes_down_what_it_is_told_with_the_assistants_own_tool(
    demo: Served, told: str, note: str
) -> None:
    used, words = use_tools(demo, told, {"edit": "Successfully replaced 1 block(s)."})
    [(tool, arguments)] = used
    assert tool == "edit"
    assert '"path": "MEMORY.md"' in arguments
    assert f"Tom\\n- {note}" in arguments
    assert "I wrote it down" in words


def test_an_edit_that_fails_is_made_good_by_reading_and_writing(demo: Served) -> None:
    results = {"edit": "Error: no match", "read": "# Memory\n- Their cat is Tom\n", "write": "ok"}
    used, words = use_tools(demo, "My dog's name is Rex", results)
    assert [tool for tool, _ in used] == ["edit", "read", "write"]
    assert "Their cat is Tom\\n- Their dog's name is Rex\\n" in used[-1][1]
    assert "I wrote it down" in words


def test_it_says_so_when_nothing_could_be_written(demo: Served) -> None:
    results = {"edit": "error", "read": "error", "write": "error"}
    _, words = use_tools(demo, "My dog's name is Rex", results)
    assert "could not write it down" in words


def test_what_it_knows_it_does_not_write_twice(demo: Served) -> None:
    used, words = use_tools(demo, "My cat is called Tom", {})
    assert used == []
    assert "I know that already" in words


@pytest.mark.parametrize("more", ["Please write a poem.", "What is yours?", "Now show me a table"])
def test_what_is_wanted_besides_is_no_part_of_the_fact(demo: Served, more: str) -> None:
    done = {"edit": "Successfully replaced 1 block(s)."}
    used, _ = use_tools(demo, f"Hello! My train is blue. It is late. {more}", done)
    assert "is blue. It is late" in str(used)
    assert more.split(maxsplit=1)[0] not in str(used)


def test_a_question_is_not_taken_for_a_fact(demo: Served) -> None:
    used, words = use_tools(
        demo, "My train is late, is it?", {"my__search_history": "Nothing was found."}
    )
    assert "edit" not in dict(used)
    assert words


def test_what_it_does_not_see_it_searches_for(demo: Served) -> None:
    found = "Found:\n<said-1>\n- Mon 2026-11-30 10:00, they, in “Cars”: My car is red (#0a1b2c3d)\n"
    question = "What colour is my car?"
    used, words = use_tools(demo, question, {"my__search_history": found})
    assert [tool for tool, _ in used] == ["my__search_history"]
    assert "car is red." in words

    used, words = use_tools(demo, question, {"my__search_history": "Nothing was found."})
    assert "don't know that yet" in words


def test_it_tells_the_persons_local_time(demo: Served) -> None:
    text = answer(demo, "What time is it?")
    assert "14:10" in text
    assert "Monday, 23 November 2026 (Europe/Berlin)" in text


def test_of_a_message_that_was_stopped_it_answers_nothing(demo: Served) -> None:
    asked = (
        "[Queued user message from a previous active turn; preserved as context only. "
        "Continue with the active prompt below.]\n"
        "[Mon 2026-11-30 10:00 Europe/Berlin] What can you do for me?\n\n"
        "[Mon 2026-11-30 10:01 Europe/Berlin] What is 7 * 6?"
    )
    assert "42" in answer(demo, asked)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("what is 12 * (3 + 4)?", "**84**"),
        ("17% of 250", "**42.5**"),
        ("How much is 1,000 divided by 8", "**125**"),
        ("2 ^ 10", "**1,024**"),
        ("7 / 0", "cannot be divided by zero|divided by zero"),
    ],
)
def test_it_does_small_sums(demo: Served, text: str, result: str) -> None:
    assert any(one in answer(demo, text) for one in result.split("|"))


@pytest.mark.parametrize("text", ["9 ** 9 ** 9", "2 ** 1000000", "(" * 200 + "1+1"])
def test_sums_that_never_end_are_not_begun(demo: Served, text: str) -> None:
    assert answer(demo, text)


def test_code_comes_in_a_code_block(demo: Served) -> None:
    text = answer(demo, "Write a Python function for the Fibonacci numbers")
    assert "```python\ndef fibonacci" in text


def test_it_describes_an_image(demo: Served) -> None:
    png = _png(8, 5)
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    content = [
        {"type": "text", "text": f"{STAMP}look"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    text = ask(demo, said("user", content))["content"]
    assert f"PNG, 8 × 5 pixels, {len(png)} bytes" in text


def test_it_quotes_how_an_attached_text_begins(demo: Served) -> None:
    attached = '<file 1a2b name="list.txt" path="uploads/x-list.txt">\nEggs\nFlour\n</file 1a2b>'
    text = answer(demo, f"see this\n\n{attached}")
    assert "**list.txt**" in text
    assert "> Eggs\n> Flour" in text


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(3 * width) for _ in range(height))))
    return b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b"")
