"""What a provider is told, to the byte, when the real OpenClaw asks; and what it costs there."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from agent import catalogue
from agent.meter.rewriting import MODEL, OWN, unrecognized
from agent.meter.wires import FORMATS
from agent.prompt.instructions import Product, instructions
from agent.runtime import Runtime
from agent.tools.registry import TOOLS
from agent.turn import Profile
from models.base import new_id
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

<!-- Notes on them, the newest first. The service writes those with a number anew. -->
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


EVE = Profile("Eve Moneypenny", "Asia/Tokyo", "A quiet life and a good pension")


def test_most_of_what_is_asked_is_read_from_the_cache(
    ada: Person, runtime: Runtime, agent_settings: Settings
) -> None:
    """In two conversations by turns, and for the next person when somebody was there before."""
    companies = [chosen(agent_settings, name) for name in ("anthropic", "openai", "gemini")]
    for name in companies:
        talks = [new_id(), new_id()]
        for number in range(3):
            for ada.conversation in talks:
                share = read_share(ada, f"[[demo: words 40]] Number {number}, please.", name)
                assert number == 0 or share >= 0.9, (name, number, share)
    eve = Person(runtime, EVE)
    for name in companies:
        eve.begin_conversation()
        share = read_share(eve, "[[demo: words 40]] Good morning.", name)
        assert share >= 0.6, (name, share)
    runtime.discard(eve.id)


def read_share(person: Person, words: str, name: str) -> float:
    """How much of what a message asks the provider reads from its cache."""
    person.say(words, saved=False, model=name)
    used = person.purse.closed[-1].usage
    read = used.cache_read_tokens
    return read / (used.input_tokens + used.cache_write_tokens + read)
