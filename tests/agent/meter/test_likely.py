"""A message's limit is held against what a call is likely to cost; the worst case is only held."""

from pathlib import Path
from typing import Any

import pytest

from agent import catalogue
from agent.meter import prefixes
from agent.meter.prefixes import SUMMARIZING
from agent.meter.sizing import SUMMARIES_SHARE
from agent.prices import Prices
from tests.agent.meter.world import DOLLAR, MODELS, World, run, world

CAP = 2_000
# Some 12,000 tokens.
TALK = "and then we talked about the garden for quite a while " * 900
TOKENS = 12_200
WRITTEN = f"[[demo: say ok]] [[demo: usage input=0 cache_write={TOKENS} output=10]]"
FULL = f"[[demo: say ok]] [[demo: usage input=0 cache_write={TOKENS} output={CAP}]]"
READ = f"[[demo: say ok]] [[demo: usage input=0 cache_read={TOKENS} output=10]]"


def asked(w: World, *said: str, system: str = "") -> dict[str, Any]:
    """A conversation as Anthropic is sent it: what the person said, each answered by "ok"."""
    messages: list[dict[str, Any]] = []
    for words in said:
        messages += [{"role": "user", "content": words}, {"role": "assistant", "content": "ok"}]
    return {
        **w.request("", cap=CAP),
        # Not at the beginning, or the demo model would not do as the script says.
        "system": [{"type": "text", "text": text} for text in ("Help.", system) if text],
        "messages": messages[:-1],
    }


async def cap_of(w: World, sent: dict[str, Any]) -> int:
    """Make a call; return the output cap that reached the provider, or 0 if it was refused."""
    before, closed = len(await w.recorded()), len(w.books.closed)
    async with w.post(sent) as answer:
        await answer.read()
        if answer.status != 200:
            return 0
    await w.settled(closed + 1)
    return (await w.recorded())[before]["body"]["max_tokens"]


def likely(w: World, *, cached: int, fresh: int) -> int:
    model = catalogue.find(w.settings, MODELS[w.name])
    assert model
    return Prices(w.settings).likely(model, cached, fresh, CAP)


def leave(w: World, micros: int) -> None:
    """Let so much be left of the message's limit."""
    w.books.limit = micros + sum(one.charge_micros for one in w.books.closed)


def test_what_the_cache_has_counts_as_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            assert await cap_of(w, asked(w, TALK + WRITTEN)) == CAP
            left = likely(w, cached=TOKENS, fresh=200)
            leave(w, left)
            assert await cap_of(w, asked(w, TALK + WRITTEN, f"Go on. {READ}")) == CAP
            # It is set aside all the same, should the cache have nothing.
            assert w.books.opened[-1].held_micros > 2 * left

    run(scenario())


def test_what_no_cache_has_counts_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            assert await cap_of(w, asked(w, TALK + WRITTEN)) == CAP
            leave(w, likely(w, cached=TOKENS, fresh=200))
            longer = (TALK + WRITTEN, f"Go on. {READ}")
            # Another beginning, as after a summary or a change of the instructions.
            assert await cap_of(w, asked(w, *longer, system="Help me.")) < CAP // 2
            assert await cap_of(w, asked(w, f"Well. {TALK}", *longer[1:])) < CAP // 2
            monkeypatch.setattr(prefixes, "KEPT_SECONDS", 0.0)
            assert await cap_of(w, asked(w, *longer)) < CAP // 2

    run(scenario())


def test_credits_bound_the_worst_case(tmp_path: Path) -> None:
    """So a call that finds nothing in the cache after all can be paid."""

    async def scenario() -> None:
        async with world(tmp_path) as w:
            assert await cap_of(w, asked(w, TALK + WRITTEN)) == CAP
            w.books.balance = likely(w, cached=TOKENS, fresh=200)
            assert await cap_of(w, asked(w, TALK + WRITTEN, f"Go on. {READ}")) < CAP // 2

    run(scenario())


def test_summaries_have_a_purse_of_their_own(tmp_path: Path) -> None:
    """Nobody asked for it, and without it the conversation could not go on."""

    async def scenario() -> None:
        async with world(tmp_path) as w:
            limit = likely(w, cached=0, fresh=TOKENS + 500)
            w.books.limit = limit
            for _ in range(SUMMARIES_SHARE):
                assert await cap_of(w, asked(w, TALK + FULL, system=SUMMARIZING)) == CAP
            assert await cap_of(w, asked(w, TALK + WRITTEN)) == CAP
            assert await cap_of(w, asked(w, TALK + FULL, system=SUMMARIZING)) < CAP // 4
            assert limit < DOLLAR

    run(scenario())
