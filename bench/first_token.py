"""Seconds from sending a message to the first word of its answer, against OpenClaw itself.

Prints ratios, as seconds depend on the machine; the targets are those of the product's promise.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from bench.plain_gateway import PlainOpenClaw, first_word
from embedded.stack import Stack
from tests.house import SETTINGS, House, Person, wait_for

HOT_LIMIT = 1.15
SPARE_LIMIT = 10.0
WORDS = "How are you today? [[demo: words 5]]"
SPARES = 3
COLD_RUNS = 2
# After a boot, which itself would be measured too, the new cell settles for a while.
QUIET_SECONDS = 10
# Nobody asks on in the very moment that an answer ends; our state is saved in it.
THINKING_SECONDS = 1
# For so long people read and think; a minute of quiet makes OpenClaw put things away.
PAUSE_SECONDS = 65
PAUSES = 2
# What an exchange that is drawn whole says before and after the first words of an answer.
EMPTY_TAIL = "data-tail></div>"


@dataclass(frozen=True)
class Measured:
    what: str
    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        low, high = min(self.seconds), max(self.seconds)
        spread = f"{low:.3f} to {high:.3f}, {len(self.seconds)} times"
        return f"{self.what:<42} {self.median:7.3f} s  ({spread})"


@dataclass(frozen=True)
class Theirs:
    """What a warm OpenClaw gateway takes, called directly."""

    hot: Measured
    paused: Measured


@dataclass(frozen=True)
class Mine:
    """What the product takes, at the browser."""

    spare: Measured
    hot: Measured
    paused: Measured


def main(arguments: list[str]) -> int:
    """Measure hot, spare and cold in one run, and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="bench first_token")
    parser.add_argument("--turns", type=int, default=10, help="hot messages to send each way")
    turns = parser.parse_args(arguments).turns
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251  # as for a stack of tests
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Stack(Path(folder) / "data", settings=SETTINGS) as stack,
    ):
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        mine = product(house, turns)
        engine = PlainOpenClaw(house.environment, Path(folder) / "plain")
        with engine.gateway() as address:
            straight = direct(address, turns)
        cold = cold_command(engine)
        house.close()
    return _report(mine, straight, cold)


def product(house: House, turns: int, *, pauses: int = PAUSES) -> Mine:
    """Measure first messages of new people, then further ones of one of them, at the browser.

    The last ones come after a pause each.
    """
    spare: list[float] = []
    people = [house.person(f"Bench{number}") for number in range(SPARES)]
    for person in people:
        _wait_for_a_spare(house)
        spare.append(_first_message(person))
    one = people[-1]
    conversation = _conversation(one)
    _wait_for_a_spare(house)
    hot = [further_message(one, conversation) for _ in range(turns)]
    paused = [
        _after(PAUSE_SECONDS, lambda: further_message(one, conversation)) for _ in range(pauses)
    ]
    return Mine(
        Measured("product, first message to a warm spare", spare),
        Measured("product, further message to a hot cell", hot),
        Measured(f"product, after a pause of {PAUSE_SECONDS} s", paused),
    )


def direct(address: str, turns: int) -> Theirs:
    """Measure the same messages, put to a warm gateway without the product."""
    hot = [_after(THINKING_SECONDS, lambda: first_word(address, WORDS)) for _ in range(turns)]
    paused = [_after(PAUSE_SECONDS, lambda: first_word(address, WORDS)) for _ in range(PAUSES)]
    return Theirs(
        Measured("warm OpenClaw gateway, called directly", hot),
        Measured(f"the gateway, after a pause of {PAUSE_SECONDS} s", paused),
    )


def cold_command(engine: PlainOpenClaw) -> Measured:
    """Measure `openclaw agent --local`, on the state that the gateway left."""
    return Measured("openclaw agent --local", [engine.agent_once(WORDS) for _ in range(COLD_RUNS)])


def _after(seconds: float, ask: Callable[[], float]) -> float:
    time.sleep(seconds)
    return ask()


def _first_message(person: Person) -> float:
    began = time.perf_counter()
    person.post("/chat", text=WORDS)
    Listening(person, _conversation(person)).wait()
    took = time.perf_counter() - began
    _wait_until_over(person)
    return took


def further_message(person: Person, conversation: UUID) -> float:
    """Measure with the stream open already, as a browser has it."""
    token = person.token()
    listening = Listening(person, conversation)
    listening.is_open.wait(10)
    # The page that they look at was drawn long ago.
    time.sleep(THINKING_SECONDS)
    began = time.perf_counter()
    person.browser.post(
        f"/chat/{conversation}/messages",
        data={"csrf_token": token, "text": WORDS},
        headers={"HX-Request": "true"},
    )
    listening.wait()
    took = listening.at - began
    _wait_until_over(person)
    return took


class Listening:
    """A browser's event stream, in a thread; notes when the first words come."""

    def __init__(self, person: Person, conversation: UUID) -> None:
        self.at = 0.0
        self.is_open = threading.Event()
        self._heard = threading.Event()
        self._person, self._conversation = person, conversation
        threading.Thread(target=self._listen, daemon=True).start()

    def wait(self) -> None:
        assert self._heard.wait(120), "no word came"

    def _listen(self) -> None:
        address = f"/chat/{self._conversation}/events"
        with self._person.browser.stream("GET", address, timeout=120) as stream:
            kind = ""
            for line in stream.iter_lines():
                self.is_open.set()
                kind = line[7:] if line.startswith("event: ") else kind
                if self._is_word(kind, line):
                    self.at = time.perf_counter()
                    self._heard.set()
                    return

    @staticmethod
    def _is_word(kind: str, line: str) -> bool:
        if not line.startswith("data: "):
            return False
        drawn_with_words = kind == "exchange" and "data-tail>" in line and EMPTY_TAIL not in line
        return kind in ("text", "answer") or drawn_with_words


def _conversation(person: Person) -> UUID:
    return person.newest_job().conversation_id


def _wait_until_over(person: Person) -> None:
    person.outcome(person.newest_job())


def _wait_for_a_spare(house: House) -> None:
    house.wait_for_spares()
    time.sleep(QUIET_SECONDS)


def _report(mine: Mine, straight: Theirs, cold: Measured) -> int:
    for one in (straight.hot, mine.hot, straight.paused, mine.paused, mine.spare, cold):
        print(one)
    hot_ratio = mine.hot.median / straight.hot.median
    paused_ratio = mine.paused.median / straight.paused.median
    spare_ratio = cold.median / mine.spare.median
    print(f"\nhot message at the browser / the same gateway called directly: {hot_ratio:.2f} x")
    print(f"  (target: at most {HOT_LIMIT} x)")
    print(f"the same after a pause of {PAUSE_SECONDS} s each: {paused_ratio:.2f} x")
    print(f"`openclaw agent --local` / first message to a warm spare: {spare_ratio:.1f} x")
    print(f"  (target: at least {SPARE_LIMIT} x)")
    return 0 if hot_ratio <= HOT_LIMIT and spare_ratio >= SPARE_LIMIT else 1
