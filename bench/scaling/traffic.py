"""Messages of a day: when they come and how long their turns take, in seconds."""

import csv
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HOUR = 3_600
DAY = 24 * HOUR
# Of a person, as the forecast of the business has it.
MESSAGES_A_DAY = 5
# Most turns are short and a few are long: the logarithm of their length is normal.
MEAN_SECONDS = 20.0
SPREAD = 0.8
WAVE_AT = 10 * HOUR
WAVE_SECONDS = 2 * HOUR
FLASH_SECONDS = 15 * 60


@dataclass(frozen=True)
class Message:
    at: int
    seconds: float


@dataclass(frozen=True)
class Traffic:
    """What comes, when the interesting part of it begins, and when workers die."""

    name: str
    messages: Sequence[Message]
    wave_at: int
    deaths: Sequence[int] = ()


def made(people: int, seed: int) -> list[Traffic]:
    """Make the four days; the last is the second, with a worker that dies now and then."""
    burst = _day(people, seed, times=10, seconds=WAVE_SECONDS)
    chance = random.Random(seed)
    deaths = sorted(chance.randrange(DAY) for _ in range(24))
    return [
        Traffic("day", _day(people, seed), WAVE_AT),
        Traffic("burst, ten-fold for two hours", burst, WAVE_AT),
        Traffic("launch, thirty-fold for 15 min", _launch(people, seed), WAVE_AT),
        Traffic("burst, and a worker dies hourly", burst, WAVE_AT, deaths),
    ]


def recorded(path: Path) -> Traffic:
    """Read what was recorded: a line for each message with its second and how long it took.

    As `SELECT extract(epoch FROM created_at), extract(epoch FROM finished_at - started_at) FROM
    jobs WHERE status = 'completed'` gives it, as CSV. Its busiest hour is looked at closely.
    """
    with path.open() as lines:
        rows = [(float(at), float(seconds)) for at, seconds in csv.reader(lines)]
    first = min(at for at, _ in rows)
    messages = sorted((Message(int(at - first), took) for at, took in rows), key=lambda one: one.at)
    hours = [one.at // HOUR for one in messages]
    busiest = max(set(hours), key=hours.count)
    return Traffic(f"recorded in {path.name}", messages, busiest * HOUR)


def _launch(people: int, seed: int) -> list[Message]:
    return _day(people, seed, times=30, seconds=FLASH_SECONDS)


def _day(people: int, seed: int, *, times: float = 1, seconds: int = 0) -> list[Message]:
    """Make a day whose load is `times` as high for a while, from one second to the next."""
    chance = random.Random(seed)
    messages: list[Message] = []
    for at in range(DAY):
        # Least in the night, most in the afternoon.
        curve = 1 + 0.8 * math.sin((at / HOUR - 9) / 24 * 2 * math.pi)
        is_wave = WAVE_AT <= at < WAVE_AT + seconds
        rate = people * MESSAGES_A_DAY / DAY * curve * (times if is_wave else 1)
        messages += [Message(at, _length(chance)) for _ in range(_arrivals(chance, rate))]
    return messages


def _length(chance: random.Random) -> float:
    return max(2.0, chance.lognormvariate(math.log(MEAN_SECONDS) - SPREAD**2 / 2, SPREAD))


def _arrivals(chance: random.Random, rate: float) -> int:
    """Draw how many come within a second (Poisson)."""
    count, left, product = 0, math.exp(-rate), chance.random()
    while product > left:
        count += 1
        product *= chance.random()
    return count
