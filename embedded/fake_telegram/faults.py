"""What can be made to go wrong with calls and with the delivery of updates."""

import enum
import random
from collections.abc import Iterable
from dataclasses import dataclass

# Faults that shares do not name the methods of leave these alone: a bot could not even start.
QUIET_METHODS = frozenset({"getme", "getupdates", "getwebhookinfo"})


class Fault(enum.StrEnum):
    """What becomes of one call."""

    NONE = "none"
    # Answered 500, without effect or with it.
    FAIL_BEFORE = "fail_before"
    FAIL_AFTER = "fail_after"
    # Hung up on, without effect or with it.
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    # Answered 429, without effect.
    FLOOD = "flood"


BEFORE = frozenset({Fault.FAIL_BEFORE, Fault.CUT_BEFORE, Fault.FLOOD})
CUTS = frozenset({Fault.CUT_BEFORE, Fault.CUT_AFTER})


@dataclass(frozen=True)
class Switches:
    """Shares are of all calls, from 0 to 1; together at most 1."""

    # Each call is answered so much later.
    delay_seconds: float = 0
    fail_before: float = 0
    fail_after: float = 0
    cut_before: float = 0
    cut_after: float = 0
    flood: float = 0
    # What a flood's answer asks to wait.
    flood_seconds: int = 1
    # Which methods the shares are of; none is all that change something.
    methods: tuple[str, ...] = ()
    # Each update is delivered so often at most: once, twice … as chance has it.
    copies: int = 1
    # What comes within such a time is delivered in any order, at its end.
    shuffle_seconds: float = 0
    # Each update is delivered so much later.
    update_delay_seconds: float = 0

    @property
    def spoils_updates(self) -> bool:
        return self.copies > 1 or self.shuffle_seconds > 0 or self.update_delay_seconds > 0


class Faults:
    """Chooses what goes wrong; the same seed makes the same choices."""

    def __init__(self) -> None:
        self.switches = Switches()
        self.chance = random.Random()  # noqa: S311  # of what goes wrong
        self._scripted: list[tuple[str, Fault]] = []

    def script(self, method: str, faults: Iterable[Fault]) -> None:
        """Let the next calls of a method go wrong so, one after the other, whatever shares say."""
        self._scripted += [(method.lower(), fault) for fault in faults]

    def forget(self) -> None:
        self._scripted.clear()

    def choose(self, method: str) -> Fault:
        """Choose what becomes of a call of this method, in lower case."""
        for at, (wanted, fault) in enumerate(self._scripted):
            if wanted == method:
                del self._scripted[at]
                return fault
        if not self._concerns(method):
            return Fault.NONE
        drawn = self.chance.random()
        for fault in Fault:
            drawn -= getattr(self.switches, fault, 0)
            if drawn < 0:
                return fault
        return Fault.NONE

    def _concerns(self, method: str) -> bool:
        named = {name.lower() for name in self.switches.methods}
        return method in named if named else method not in QUIET_METHODS
