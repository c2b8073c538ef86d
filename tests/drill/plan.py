"""What a drill will do, all of it drawn from its seed: who says what, and what breaks when."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# Long enough for a cell to be worth its boot, and within what one person may have waiting.
MAX_BURST = 12
# How many messages are answered plainly, and how many meet a model that misbehaves.
TROUBLES = (
    ("", 70),
    ("[[demo: status 429 x2]]", 5),
    ("[[demo: status 503 x1]]", 4),
    ("[[demo: status 503]]", 2),
    ("[[demo: cut after 3]]", 3),
    ("[[demo: cut after 3]] [[demo: no usage]]", 2),
    ("[[demo: stall after 3]]", 2),
    ("[[demo: fail after 2]]", 2),
    ('[[demo: tool ls {"path": "."} x60]]', 1),
    ('[[demo: tool ls {"path": "/"}]] [[demo: tool ls {"path": "/tmp"}]]', 3),
    ('[[demo: tool read {"path": "/proc/1/environ"}]]', 2),
    ('[[demo: tool read {"path": "../../../etc/passwd"}]]', 2),
    ('[[demo: tool my__search_history {"query": "canary"}]]', 2),
)


class Stage(StrEnum):
    """A moment in a message's life; docs/jobs.md tells the whole of it."""

    ANY = "any moment"
    QUEUED = "queued"
    CLAIMED = "claimed"
    CALLING = "model called"
    WRITING = "being written"
    ANSWERED = "answered, not committed"
    SAVING = "committed, not saved"
    SAVED = "saved"
    PAYING = "being paid"
    PAID = "paid"


class Kind(StrEnum):
    """What can break."""

    WEB = "kill web"
    WORKER = "kill worker"
    CELL = "kill cell"
    VALKEY = "kill valkey"
    POSTGRES = "kill postgres"
    S3 = "kill s3"
    STRIPE = "kill the stand-in for Stripe"
    WEBHOOKS = "webhooks are lost, then come many times and in another order"
    S3_HANGS = "s3 hangs for a while"
    CELL_HANGS = "a cell hangs"
    FLUSH = "valkey forgets everything"
    WAKE_UPS_LOST = "wake-ups are lost"
    WAKE_UPS_REPLAYED = "wake-ups come many times"
    LEASES_END = "leases end early, as for a clock that is ahead"
    WORKER_ENDS = "a worker is asked to end"
    MESSAGING = "kill the messaging process"
    SCALE_OUT = "one more worker"
    SCALE_IN = "one worker less"
    REDEPLOY = "all workers are replaced"


# The stores come back slowly, so they break more seldom than what is ours.
WEIGHTS = {
    Kind.WEB: 3,
    Kind.WORKER: 4,
    Kind.CELL: 5,
    Kind.VALKEY: 2,
    Kind.POSTGRES: 1,
    Kind.S3: 2,
    Kind.S3_HANGS: 1,
    Kind.STRIPE: 1,
    Kind.WEBHOOKS: 1,
    Kind.CELL_HANGS: 1,
    Kind.FLUSH: 3,
    Kind.WAKE_UPS_LOST: 3,
    Kind.WAKE_UPS_REPLAYED: 3,
    Kind.LEASES_END: 3,
    Kind.WORKER_ENDS: 1,
}

# What comes to workers in containers as well.
OF_CONTAINERS = {Kind.SCALE_OUT: 4, Kind.SCALE_IN: 4, Kind.REDEPLOY: 3}


@dataclass(frozen=True)
class Fault:
    """Something breaks `after_seconds` after the one before, as soon as some message is there."""

    kind: Kind
    stage: Stage
    after_seconds: float


@dataclass(frozen=True)
class Line:
    """One message. `begins` a conversation, or goes on with the last one; `words` hold its mark.

    With `tops_up`, its person buys credits before.
    """

    mark: str
    words: str
    begins: bool
    tops_up: bool


@dataclass(frozen=True)
class Life:
    """All that one person says: bursts of messages, each sent without waiting between them."""

    number: int
    canary: str
    bursts: tuple[tuple[Line, ...], ...]

    @property
    def recalling(self) -> str:
        """The mark of the question, asked at the end, whether the canary is remembered."""
        return f"mark-u{self.number:03d}-9999-{self.canary[-8:]}"


@dataclass(frozen=True)
class Plan:
    seed: int
    lives: tuple[Life, ...]
    faults: tuple[Fault, ...]

    @property
    def messages(self) -> int:
        return sum(len(burst) for life in self.lives for burst in life.bursts)


def draw(
    seed: int,
    *,
    users: int,
    messages: int,
    faults: int,
    pause_seconds: float,
    weights: Mapping[Kind, int] = WEIGHTS,
) -> Plan:
    """Draw a drill; the same seed and numbers draw the same one."""
    chance = random.Random(seed)
    each, more = divmod(messages, users)
    lives = tuple(
        _life(chance, number, each + (1 if number < more else 0)) for number in range(users)
    )
    return Plan(seed, lives, tuple(_fault(chance, weights, pause_seconds) for _ in range(faults)))


def recalling(life: Life, attempt: int) -> Line:
    """Ask for the canary, in a new conversation and without saying it."""
    words = f"{life.recalling}-{attempt:x}: Do you remember?"
    return Line(words.partition(":")[0], words, begins=True, tops_up=False)


def telling(life: Life, attempt: int) -> Line:
    """Have the assistant write the canary into its memory."""
    mark = f"mark-u{life.number:03d}-0000-{life.canary[-8:]}-{attempt:x}"
    note = f"# Memory\\n- The person keeps {life.canary}\\n"
    tool = f'[[demo: tool write {{"path": "MEMORY.md", "content": "{note}"}}]]'
    words = f"{mark}: Please keep {life.canary}. {tool} [[demo: say Kept.]]"
    return Line(mark, words, begins=True, tops_up=False)


def mark_of(number: int, line: int, chance: random.Random) -> str:
    """Make a word that stands in one message of one person and nowhere else."""
    return f"mark-u{number:03d}-{line:04d}-{chance.getrandbits(32):08x}"


def _life(chance: random.Random, number: int, messages: int) -> Life:
    canary = f"canary-u{number:03d}-{chance.getrandbits(48):012x}"
    bursts: list[tuple[Line, ...]] = []
    said = 0
    while said < messages:
        length = min(chance.randint(1, MAX_BURST), messages - said)
        bursts.append(tuple(_line(chance, number, said + at) for at in range(length)))
        said += length
    return Life(number, canary, tuple(bursts))


def _line(chance: random.Random, number: int, at: int) -> Line:
    troubles, weights = zip(*TROUBLES, strict=True)
    (trouble,) = chance.choices(troubles, weights)
    mark = mark_of(number, at, chance)
    length = f"[[demo: words {chance.randint(3, 25)}]] [[demo: slow {chance.randint(5, 40)}ms]]"
    words = f"{mark}: how is it going? {trouble} {length}"
    return Line(mark, words, begins=chance.random() < 0.15, tops_up=chance.random() < 0.1)


def _fault(chance: random.Random, weights: Mapping[Kind, int], pause_seconds: float) -> Fault:
    (kind,) = chance.choices(list(weights), list(weights.values()))
    stage = chance.choice(list(Stage))
    return Fault(kind, stage, chance.uniform(0.5, 1.5) * pause_seconds)
