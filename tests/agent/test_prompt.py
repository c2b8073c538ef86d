"""What a provider is told, to the byte, when the real OpenClaw asks; and what it costs there."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from agent import catalogue
from agent.meter.rewriting import MODEL, OWN, unrecognized
from agent.meter.wires import FORMATS
from agent.prompt.instructions import Product, instructions
from agent.tools.registry import TOOLS
from settings import Settings
from tests.agent.people import MODEL as SCRIPTED
from tests.agent.people import Person
from tests.agent.scripted_model import ScriptedModel

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

OWN_FILES = """\
## SOUL.md
# Who you are

Warm, calm, honest and brief. You say when you are not sure.
## IDENTITY.md
# Identity

- Name: Shellmate
## USER.md
# About the person

<!-- kept by the service: begin -->
- Name: Ada Lovelace
- Time zone: Europe/Paris
- What they want help with:
> Understanding looms and engines
<!-- kept by the service: end -->

## Your own notes
## MEMORY.md
# Memory
"""


def chosen(settings: Settings, provider: str) -> str:
    """The first model of a provider."""
    every = catalogue.models(settings)
    return next(model.id for model in every if model.provider == provider)


def recorded(settings: Settings) -> list[dict[str, Any]]:
    """The bodies that the companies got since they were last looked at."""
    address = Request(f"{settings.anthropic_base_url}/_recorded", method="DELETE")
    with urlopen(address) as response:
        return [one["body"] for one in json.load(response)]


@pytest.mark.parametrize("provider", ["compatible", "anthropic", "openai", "gemini"])
def test_a_provider_is_told_our_instructions_and_the_persons_files_alone(
    ada: Person, model: ScriptedModel, agent_settings: Settings, provider: str
) -> None:
    name = SCRIPTED if provider == "compatible" else chosen(agent_settings, provider)
    found = catalogue.find(agent_settings, name)
    assert found
    model.will("Hello.")
    recorded(agent_settings)
    ada.begin_conversation()
    counted = unrecognized.requests

    ada.say("[[demo: say Hello.]]", saved=False, model=name)

    [request] = model.requests if provider == "compatible" else recorded(agent_settings)
    shared = instructions(Product.of(agent_settings), TOOLS)
    expected = f"{shared}{MODEL.format(model=found.display_name)}{OWN}{OWN_FILES}"
    assert "".join(FORMATS[found.wire].instructions(request)) == expected
    assert unrecognized.requests == counted
    written = json.dumps(request, ensure_ascii=False)
    for upstream_s in (
        "running inside OpenClaw",
        "Runtime: agent",
        "## Documentation",
        "openclaw:",
    ):
        assert upstream_s not in written
    assert len(expected.encode()) <= 15_000
