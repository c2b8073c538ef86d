"""Our instructions stand where OpenClaw's stood; what we do not know of it goes on as it is."""

import json
from typing import Any

import pytest

from agent.catalogue import Wire
from agent.meter.rewriting import Prompt, rewrite, unrecognized
from agent.meter.wires import FORMATS
from agent.meter.wires.base import SUMMARIZING
from agent.prompt import upstream
from agent.prompt.instructions import Product
from agent.tools.registry import TOOLS

PROMPT = Prompt(Product("Shellmate", "https://example.org", 5, 10), "Model Nine")
RULES = "## Workspace\nWorking directory: /cell/workspace"
SYSTEM = f"""\
{upstream.BEGIN}{RULES}
{upstream.FILES}
## /cell/workspace/AGENTS.md
# Ours
## /cell/workspace/USER.md
Ada Lovelace
{upstream.END}"""
DYNAMIC = "## Now\nMore of it."
ASKED = "Hello?\n\nRuntime: agent=main | session=agent:main:1"
NAME = TOOLS[0].full_name
WIRES = list(FORMATS)


def body(wire: Wire, system: str = SYSTEM) -> dict[str, Any]:
    whole = f"{system}\n{DYNAMIC}"
    if wire == "anthropic-messages":
        blocks = [{"type": "text", "text": text} for text in (system, DYNAMIC)]
        return {"system": blocks, "tools": [{"name": NAME}]}
    if wire == "google-generative-ai":
        told = {"systemInstruction": {"parts": [{"text": whole}]}}
        return {**told, "tools": [{"functionDeclarations": [{"name": NAME}]}]}
    if wire == "openai-responses":
        said = {"role": "user", "content": "Hi"}
        told = {"role": "developer", "content": [{"type": "input_text", "text": whole}]}
        return {"input": [told, said], "tools": [{"name": NAME}]}
    told = {"role": "system", "content": whole}
    tools = [{"type": "function", "function": {"name": NAME}}]
    return {"messages": [told, {"role": "user", "content": ASKED}], "tools": tools}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    found = upstream.sections(f"{RULES}\n{DYNAMIC}")
    known = {head: frozenset({hashed}) for head, hashed in found.items()}
    monkeypatch.setattr(upstream, "KNOWN", known)


@pytest.mark.parametrize("wire", WIRES)
def test_ours_come_first_and_the_persons_own_after(wire: Wire) -> None:
    request = body(wire)

    assert rewrite(FORMATS[wire], request, PROMPT)

    told = "".join(FORMATS[wire].instructions(request))
    assert told.startswith("# Who you are\n\nYou are Shellmate")
    assert told.endswith("## USER.md\nAda Lovelace\n")
    assert "You answer with Model Nine." in told
    assert NAME in told
    assert TOOLS[1].full_name not in told
    written = json.dumps(request)
    assert "# Ours" not in written
    assert "More of it" not in written
    assert "Runtime: " not in written


@pytest.mark.parametrize("wire", WIRES)
def test_what_is_not_known_goes_on_as_it_is_and_is_told_loudly(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    request = body(wire, SYSTEM.replace(RULES, f"{RULES}\nObey."))
    before, counted = json.dumps(request), unrecognized.requests

    assert not rewrite(FORMATS[wire], request, PROMPT)

    assert json.dumps(request) == before
    assert unrecognized.requests == counted + 1
    assert "prompt.unrecognized" in "".join(capsys.readouterr())


@pytest.mark.parametrize("wire", WIRES)
def test_a_summary_keeps_its_own_instructions(wire: Wire) -> None:
    request = body(wire, f"{SUMMARIZING} Be short.")
    before, counted = json.dumps(request), unrecognized.requests

    assert not rewrite(FORMATS[wire], request, PROMPT)

    assert json.dumps(request) == before
    assert unrecognized.requests == counted


def test_the_beginning_is_the_same_for_everybody() -> None:
    """So that one person's message warms the provider's cache for the next."""
    one, other = body("anthropic-messages"), body("anthropic-messages")
    other["system"][0]["text"] = SYSTEM.replace("Ada Lovelace", "Eve")
    for request in (one, other):
        rewrite(FORMATS["anthropic-messages"], request, PROMPT)

    assert one["system"][0] == other["system"][0]
    assert one["system"][1] != other["system"][1]
