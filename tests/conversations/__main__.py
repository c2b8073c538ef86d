"""Talks for long with every model of the default settings, and prints what that showed.

    python -m tests.conversations [--messages 200] [--models anthropic/claude-opus-5-5 ...]

It ends with 1 when a message was refused, an answer had no room, a conversation was summarized
never or too often, or what was said first was forgotten.
"""

import argparse
import sys
import tempfile
import threading
from pathlib import Path

from pydantic import SecretStr

from agent import catalogue
from agent.runtime import Runtime
from agent.turn import Profile
from embedded.demo_model.server import DemoModel, Options
from embedded.stack import Services
from gateways.s3_files import Storage
from settings import PROJECT_DIR, Settings
from tests.agent.people import Person
from tests.agent.scripted_model import ScriptedModel
from tests.conversations.talk import Shown, talk

BOOT_SECONDS = 300
LEAST_CAP = 4_096
BETWEEN_SUMMARIES = 10


def main() -> int:
    """Run the conversations one after the other; return 1 when one was not as it should be."""
    parser = argparse.ArgumentParser(prog="conversations")
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--words", type=int, default=150, help="of each message and answer")
    parser.add_argument("--limit-micros", type=int, help="of a message, in place of the default")
    parser.add_argument("--models", nargs="*", help="all by default")
    given = parser.parse_args()
    with Services.for_one_run(PROJECT_DIR / ".test-data") as services:
        settings, provider = _settings(services)
        runtime = _started(settings)
        try:
            models = given.models or [model.id for model in catalogue.models(settings)]
            shown = [_talk(runtime, settings, provider, model, given) for model in models]
        finally:
            runtime.stop(grace_seconds=0)
    _print(shown)
    return 0 if all(_is_right(one, given.messages) for one in shown) else 1


def _settings(services: Services) -> tuple[Settings, str]:
    server = ScriptedModel()
    server.start()
    demo = DemoModel(Options(pause_seconds=0, is_scriptable=True, is_recording=True))
    provider = f"http://127.0.0.1:{server.serve(demo.app())}"
    known = {name.lower(): value for name, value in services.environment().items()}
    key = SecretStr("a-provider-key")
    own = {
        "anthropic_api_key": key,
        "anthropic_base_url": provider,
        "openai_api_key": key,
        "openai_base_url": f"{provider}/v1",
        "gemini_api_key": key,
        "gemini_base_url": provider,
        "demo_model_url": None,
        "cells_per_worker": 2,
        "spare_cells": 1,
    }
    return Settings(_env_file=None, **{**known, **own}), provider  # pyright: ignore[reportCallIssue]


def _started(settings: Settings) -> Runtime:
    folder = Path(tempfile.mkdtemp(prefix="conversations-"))
    runtime = Runtime(settings.model_copy(update={"cells_dir": folder}), Storage(settings))
    has_spare = threading.Event()
    runtime.on_free = has_spare.set
    runtime.start()
    if not has_spare.wait(BOOT_SECONDS):
        raise TimeoutError("no spare came up")
    return runtime


def _talk(
    runtime: Runtime, settings: Settings, provider: str, model: str, given: argparse.Namespace
) -> Shown:
    person = Person(runtime, Profile("Ada Lovelace", "Europe/Paris", "Gardening"))
    shown = talk(
        person,
        model,
        given.messages,
        provider=provider,
        limit_micros=given.limit_micros or settings.message_limit_micros,
        words=given.words,
        tell=lambda words: print(words, flush=True),
    )
    runtime.discard(person.id)
    return shown


def _is_right(shown: Shown, messages: int) -> bool:
    often = len(shown.summarized_at) * BETWEEN_SUMMARIES <= messages
    had_room = not shown.refused and shown.least_cap >= LEAST_CAP
    return had_room and bool(shown.summarized_at) and often and shown.knows_fact


def _print(every: list[Shown]) -> None:
    print(
        f"\n{'model':<28}{'answered':>9}{'refused':>8}{'summaries':>10}{'calls':>6}"
        f"{'least cap':>10}{'longest':>8}{'dearest':>9}{'all':>8}  fact"
    )
    for shown in every:
        print(
            f"{shown.model:<28}{shown.answered:>9}{len(shown.refused):>8}"
            f"{len(shown.summarized_at):>10}{shown.summary_calls:>6}{shown.least_cap:>10}"
            f"{shown.longest_tokens:>8}{shown.dearest_micros / 1e6:>9.4f}"
            f"{shown.spent_micros / 1e6:>8.3f}  {'known' if shown.knows_fact else 'FORGOTTEN'}"
        )
        print(f"    summarized at {shown.summarized_at}; refused {shown.refused[:5]}")


if __name__ == "__main__":
    sys.exit(main())
