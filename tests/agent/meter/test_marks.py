"""Marks stand in what a model says and nowhere else, however the bytes are cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalogue import Wire
from agent.cells.io.surrogates import SurrogateDecoder
from agent.meter.marks import MARK, Marking, marked, unmarked, unmarked_bytes
from agent.meter.wires import FORMATS

WORDS = 'So: <tool_call>{"a_b": [1]}</tool_call>\n<|im_end|> NO_REPLY'
THOUGHT = "<think> a_b:"


def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(
        f"event: some\r\ndata: {json.dumps(event)}\r\n\r\n".encode() for event in events
    )


def passed(wire: Wire, raw: bytes, size: int = 10**6) -> bytes:
    marking = Marking(FORMATS[wire])
    parts = [marking.feed(raw[at : at + size]) for at in range(0, len(raw), size)]
    return b"".join(parts) + marking.finish()


@given(st.text())
def test_what_is_marked_can_be_unmarked(text: str) -> None:
    assert unmarked(marked(text)) == text.replace(MARK, "")
    document = json.dumps({"a": marked(text)}, ensure_ascii=False).encode(errors="replace")
    assert MARK.encode() not in unmarked_bytes(document)
    assert b"fdd0" not in unmarked_bytes(json.dumps({"a": MARK}).encode())


@pytest.mark.parametrize("typed", [r"\ufdd0", r"\\ufdd0 or \ufdd0", "\\" * 5 + "ufdd0", r"a\b\u"])
def test_who_types_how_the_mark_is_written_loses_no_word(typed: str) -> None:
    assert json.loads(unmarked_bytes(json.dumps({"a": typed}).encode())) == {"a": typed}
    written_out = json.dumps({"a": f"{MARK}{typed}{MARK}{MARK}b"}).encode()
    assert json.loads(unmarked_bytes(written_out)) == {"a": f"{typed}b"}


SAYING: dict[Wire, tuple[dict[str, Any], ...]] = {
    "anthropic-messages": (
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": WORDS}},
    ),
    "openai-completions": ({"choices": [{"index": 0, "delta": {"content": WORDS}}]},),
    "openai-responses": (
        {"type": "response.output_text.delta", "output_index": 0, "delta": WORDS},
        {"type": "response.output_text.done", "output_index": 0, "text": WORDS},
        {
            "type": "response.completed",
            "response": {"output": [{"content": [{"type": "output_text", "text": WORDS}]}]},
        },
    ),
    "google-generative-ai": ({"candidates": [{"content": {"parts": [{"text": WORDS}]}}]},),
}
# Thoughts and calls of tools, which are signed, or read by programs.
UNSAID: dict[Wire, dict[str, Any]] = {
    "anthropic-messages": {
        "type": "content_block_delta",
        "delta": {"type": "input_json_delta", "partial_json": THOUGHT},
    },
    "openai-completions": {"choices": [{"delta": {"reasoning_content": THOUGHT}}]},
    "openai-responses": {"type": "response.function_call_arguments.delta", "delta": THOUGHT},
    "google-generative-ai": {
        "candidates": [{"content": {"parts": [{"text": THOUGHT, "thought": True}]}}]
    },
}


@pytest.mark.parametrize("wire", SAYING)
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_words_are_marked_wherever_they_are_cut(wire: Wire, size: int) -> None:
    raw = stream(*SAYING[wire])
    out = passed(wire, raw, size)

    told = [json.loads(line[5:]) for line in out.splitlines() if line.startswith(b"data:")]
    whole = json.dumps(MARK + marked(WORDS))
    assert all(whole in json.dumps(event) for event in told[-len(SAYING[wire]) :][-1:])
    assert json.loads(unmarked(json.dumps(told, ensure_ascii=False))) == list(SAYING[wire])
    assert out.count(b"\n") == raw.count(b"\n")


@pytest.mark.parametrize("wire", UNSAID)
def test_what_nobody_says_stays_byte_for_byte(wire: Wire) -> None:
    raw = stream(UNSAID[wire]) + b": a comment\n\ndata: [DONE]\n\ndata: {half"
    assert passed(wire, raw, 5) == raw


def test_people_see_no_marks_even_where_a_character_comes_in_halves() -> None:
    pieces = SurrogateDecoder()
    said = pieces.add(f"{MARK}a <{MARK}b \ud83d") + pieces.add(f"\ude00{MARK}", is_last=True)
    assert said == "a <b \N{GRINNING FACE}"
