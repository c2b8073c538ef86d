"""Who there is in the made-up year: when they came, how much they write, and until when."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

FIRST = (
    *("Ada", "Amir", "Anna", "Ben", "Bruno", "Carla", "Chen", "Chloe", "Daniel", "Elif", "Emma"),
    *("Farah", "Felix", "Grace", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Julia", "Kofi", "Lara"),
    *("Leo", "Lin", "Lucia", "Maya", "Milan", "Mira", "Nadia", "Noah", "Nora", "Olu", "Omar"),
    *("Paul", "Priya", "Rosa", "Sara", "Sven", "Tariq", "Theo", "Uma", "Vera", "Wei", "Yara"),
)
LAST = (
    *("Abbasi", "Almeida", "Bauer", "Becker", "Bianchi", "Cohen", "Costa", "Dubois", "Evans"),
    *("Fischer", "Garcia", "Haddad", "Hansen", "Ito", "Jansen", "Kaya", "Kim", "Kowalski", "Lopez"),
    *("Martin", "Mensah", "Moreau", "Nguyen", "Novak", "Okafor", "Patel", "Petrov", "Rossi"),
    *("Santos", "Sato", "Schmidt", "Silva", "Singh", "Smith", "Tanaka", "Weber", "Wilson", "Zhang"),
)
ZONES = ("America/New_York", "Europe/Berlin", "Europe/London", "Asia/Tokyo", "America/Sao_Paulo")
# How many come on a day at the end of the year, to the one at its beginning.
GROWTH = 5.0
LONGEST = timedelta(days=365)
# Shares of those who never write, who leave within their first days, and who stay a while.
NEVER, SOON, A_WHILE = 0.22, 0.30, 0.24


@dataclass
class Person:
    """Somebody made up."""

    number: int
    name: str
    timezone: str
    came_at: datetime
    # Nothing is written after this.
    leaves_at: datetime
    # How much they write, to others.
    weight: float
    model: str | None
    messages: int = 0

    @property
    def email(self) -> str:
        """An address that nobody can have."""
        return f"{self.name.lower().replace(' ', '.')}{self.number}@demo.example.com"


def make_people(
    chance: Random, count: int, messages: int, now: datetime, first: int = 1
) -> list[Person]:
    """Make so many people, who write so many messages together until now; `first` numbers them."""
    people = [_person(chance, number, now) for number in range(first, first + count)]
    whole = sum(person.weight for person in people) or 1.0
    for person in people:
        person.messages = round(messages * person.weight / whole)
        if person.weight:
            person.messages = max(person.messages, 1)
    return people


def _person(chance: Random, number: int, now: datetime) -> Person:
    came_at = now - LONGEST * (1 - _place_in_year(chance.random()))
    stays, pace = _habits(chance)
    leaves_at = min(came_at + stays, now)
    weight = pace * max((leaves_at - came_at) / timedelta(days=1), 0.05) if pace else 0.0
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    model = chance.choice((None, None, None, "anthropic/claude-opus-5-5", "openai/gpt-6-luna"))
    return Person(number, name, chance.choice(ZONES), came_at, leaves_at, weight, model)


def _place_in_year(share: float) -> float:
    """Say where in the year (0 to 1) this share of all people has come: ever more come."""
    return math.log(1 + share * (GROWTH - 1)) / math.log(GROWTH)


def _habits(chance: Random) -> tuple[timedelta, float]:
    """Say for how long somebody stays, and how much they write on a day."""
    drawn = chance.random()
    if drawn < NEVER:
        return timedelta(0), 0.0
    pace = chance.lognormvariate(0.2, 0.9)
    if drawn < NEVER + SOON:
        return timedelta(days=chance.uniform(0.1, 6)), pace
    if drawn < NEVER + SOON + A_WHILE:
        return timedelta(days=chance.uniform(10, 90)), pace
    return LONGEST, pace
