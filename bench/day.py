"""What a typical day with an assistant costs us at each provider: now, and as it was before.

A person writes ten messages in three conversations, with pauses as people make them, and two tools
are used. The real OpenClaw makes the requests, once with our instructions and our care for caches
and once without both, as it writes them itself. They are then counted by the rules of each
provider's cache, on a clock of their own, and priced by its table.
"""

import argparse
import json
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from unittest.mock import patch
from urllib.request import Request, urlopen

from pydantic import SecretStr

from agent import catalogue, workspace
from agent.catalogue import Model, Provider
from agent.meter import intake
from agent.meter.call_ledger import Usage
from agent.meter.wires import FORMATS
from agent.prices import Prices
from agent.runtime import Runtime
from agent.turn import Profile
from embedded.demo_model.cache import Block, PromptCache
from embedded.demo_model.conversation import Body
from embedded.demo_model.server import DemoModel, Options
from embedded.demo_model.wires.anthropic import Anthropic
from embedded.demo_model.wires.base import Writer
from embedded.demo_model.wires.gemini import Gemini
from embedded.demo_model.wires.openai_responses import OpenAIResponses
from gateways.s3_files import Storage
from settings import Settings
from tasks.worker.tools import HANDLERS
from tests.agent.people import Person, TurnListener
from tests.agent.scripted_model import ScriptedModel

BOOT_SECONDS = 240
TARGET = 0.5
WIRES: dict[Provider, type[Writer]] = {
    "anthropic": Anthropic,
    "openai": OpenAIResponses,
    "gemini": Gemini,
}
ADA = Profile("Ada Lovelace", "Europe/Paris", "Understanding looms, and a garden that feeds us")
OTHER = ("Ada Lovelace", "Eve Moneypenny")
# The instructions in AGENTS.md were that long before the meter wrote all of them.
OLD_AGENTS_CHARS = 3_300
ANSWER_WORDS = 120
# Of an answer, two for each of its words; of a call of a tool.
ANSWER_TOKENS, CALL_TOKENS = 2 * ANSWER_WORDS, 60
# Words that a person writes, some 30 tokens of them.
SAID = "What should I plant beside the beans this week, given that it rained for days on end? "
# Each conversation's messages by the minute of the day, and those that use a tool.
TALKS = ((480, 483, 494, 498), (720, 726, 755), (1_260, 1_262, 1_275))
WITH_TOOLS = {483, 1_260}
# Somebody else who uses the same model wrote so long before each message.
NEIGHBOUR_SECONDS = 180


@dataclass(frozen=True)
class Sent:
    """A request as it reached a provider, the minute of the day, and what its answer takes."""

    minute: int
    body: Body
    tokens_out: int


def main(arguments: Sequence[str]) -> int:
    """Live through the day at each provider and print; return 1 when the target is missed."""
    argparse.ArgumentParser(prog="bench day").parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _runtime(Path(folder)) as found:
        runtime, settings = found
        prices, missed, ada = Prices(settings), 0, Person(runtime, ADA)
        print(
            "\na day of ten messages, in cents to the provider" + " " * 8 + "before     now   share"
        )
        for number, provider in enumerate(WIRES):
            model = _first(settings, provider)
            with _as_before():
                before = _live(ada, settings, model)
            now = _live(ada, settings, model)
            for company in (True, False):
                old, new = (_cost(prices, model, one, in_company=company) for one in (before, now))
                whose = "others write too" if company else "nobody else writes"
                print(f"  {model.id:<28} {whose:<20}{old:8.3f}{new:8.3f}{new / old:8.0%}")
                # The first is the default model.
                missed += number == 0 and company and new > TARGET * old
        print(f"  (target: {TARGET:.0%} on the default model where others write too)")
    return int(bool(missed))


@contextmanager
def _runtime(folder: Path) -> Generator[tuple[Runtime, Settings]]:
    """Start a worker's cells; what they ask the three companies goes to the demo model."""
    server = ScriptedModel()
    server.start()
    demo = DemoModel(Options(pause_seconds=0, is_scriptable=True, is_recording=True))
    address = f"http://127.0.0.1:{server.serve(demo.app())}"
    key = SecretStr("a-provider-key")
    settings = Settings(
        _env_file=None,  # pyright: ignore[reportCallIssue]
        secret_key=SecretStr("a-secret-key-that-only-benches-know"),
        database_url=SecretStr("postgresql://nowhere"),
        redis_url=SecretStr("redis://nowhere"),
        anthropic_api_key=key,
        anthropic_base_url=address,
        openai_api_key=key,
        openai_base_url=f"{address}/v1",
        gemini_api_key=key,
        gemini_base_url=address,
        cells_dir=folder,
        cells_per_worker=1,
        log_level="ERROR",
    )
    folder.chmod(0o711)
    # Nothing is saved here.
    runtime = Runtime(settings, cast(Storage, None), HANDLERS)
    is_ready = threading.Event()
    runtime.on_free = is_ready.set
    runtime.start()
    try:
        if not is_ready.wait(BOOT_SECONDS):
            raise TimeoutError("no cell came up")
        yield runtime, settings
    finally:
        runtime.stop(grace_seconds=0)


@contextmanager
def _as_before() -> Generator[None]:
    """Let requests go out as OpenClaw writes them, with what it says of caches."""
    shortened = patch.object(workspace, "instructions", _old_agents(workspace.instructions))
    with ExitStack() as changes:
        changes.enter_context(shortened)
        changes.enter_context(patch.object(intake, "rewrite", _nothing))
        for wire in FORMATS.values():
            changes.enter_context(patch.object(type(wire), "keep", _nothing))
        yield


def _nothing(*_: object) -> None:
    """Stand for what was not done before."""


def _old_agents(write: Callable[..., str]) -> Callable[..., str]:
    def shortened(*given: object) -> str:
        return write(*given)[:OLD_AGENTS_CHARS]

    return shortened


def _live(ada: Person, settings: Settings, model: Model) -> list[Sent]:
    """Send the day's messages; return the requests that they became."""
    sent: list[Sent] = []
    _taken(settings)
    for talk in TALKS:
        ada.begin_conversation()
        for minute in talk:
            tool = '[[demo: tool ls {"path": "."}]] ' if minute in WITH_TOOLS else ""
            words = f"{tool}[[demo: words {ANSWER_WORDS}]] {SAID}"
            ada.say(words, listener=TurnListener(), saved=False, model=model.id)
            *calling, answering = _taken(settings)
            sent += [Sent(minute, body, CALL_TOKENS) for body in calling]
            sent.append(Sent(minute, answering, ANSWER_TOKENS))
    return sent


def _taken(settings: Settings) -> list[Body]:
    address = Request(f"{settings.anthropic_base_url}/_recorded", method="DELETE")
    with urlopen(address) as response:
        return [one["body"] for one in json.load(response)]


def _cost(prices: Prices, model: Model, day: Sequence[Sent], *, in_company: bool) -> float:
    """Return what the provider gets for a day, in cents; somebody else may write in between."""
    wire, now, total = WIRES[model.provider], 0.0, 0
    cache = PromptCache(lambda: now)
    neighbour = json.loads(json.dumps(day[0].body).replace(*OTHER))
    for one in day:
        if in_company:
            now = one.minute * 60 - NEIGHBOUR_SECONDS
            _count(cache, model, wire, wire.blocks(neighbour), ANSWER_TOKENS)
        now = one.minute * 60
        used = _count(cache, model, wire, wire.blocks(one.body), one.tokens_out)
        total += prices.price(model, used).provider_cost_micros
    return total / 10_000


def _count(
    cache: PromptCache, model: Model, wire: type[Writer], blocks: Sequence[Block], tokens_out: int
) -> Usage:
    pays = wire.pays_for_writing
    used = cache.usage(model.name, blocks, tokens_out, pays_for_writing=pays)
    return Usage(used.input, used.output, used.cache_read, used.cache_write, used.cache_write_hour)


def _first(settings: Settings, provider: Provider) -> Model:
    return next(one for one in catalogue.models(settings) if one.provider == provider)
