"""Puts our instructions into a request in the place of OpenClaw's.

What every assistant has comes first, to the letter the same, and the person's own part behind it:
up to there a provider has it in its cache as soon as anybody has asked anything.
"""

from dataclasses import dataclass

import structlog

from agent.meter.wires.base import SUMMARIZING, Body, Format, tool_names
from agent.prompt import upstream
from agent.prompt.instructions import Product, instructions
from agent.prompt.upstream import VERSION, Changed
from agent.tools import registry

log = structlog.get_logger()

MODEL = """
# Which model you are

You answer with {model}. If they ask, say so.
"""
OWN = """
# Your own files, as they are now

"""


@dataclass(frozen=True)
class Prompt:
    """What the instructions in the requests of a turn are made of; `model` as people read it."""

    product: Product
    model: str


class Unrecognized:
    """Counts the requests that go out with OpenClaw's own instructions: a metric of the worker."""

    def __init__(self) -> None:
        self.requests = 0

    def note(self, sections: str) -> None:
        """Count one, and say it loudly."""
        self.requests += 1
        log.error("prompt.unrecognized", version=VERSION, sections=sections, count=self.requests)


unrecognized = Unrecognized()


def rewrite(wire: Format, body: Body, prompt: Prompt) -> bool:
    """Put our instructions into a request; tell whether they are in it.

    Summaries have instructions of their own. Where OpenClaw's are not those that we know, the
    request stays as it is: AGENTS.md has ours too, so the turn goes on.
    """
    told = wire.instructions(body)
    if any(text.startswith(SUMMARIZING) for text in told):
        return False
    try:
        own = upstream.own_files("\n".join(told))
    except Changed as change:
        unrecognized.note(str(change))
        return False
    names = tool_names(body)
    offered = [tool for tool in registry.TOOLS if tool.full_name in names]
    shared = instructions(prompt.product, offered) + MODEL.format(model=prompt.model)
    wire.instruct(body, shared, f"{OWN}{own}\n")
    return True
