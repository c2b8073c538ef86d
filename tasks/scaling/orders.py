"""What is to be done about the workers, from what is wanted and what there is: pure rules.

Each worker protects its task from the start. So that one goes it is told to drain; it ends its
turns, lets go of its protection and says so in its row, and only then is ECS asked for one less: it
stops nobody in whom something runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from models.ops.fleet import Fleet, Member
from models.schema.scaling import ScalingReason


@dataclass(frozen=True)
class Orders:
    """Which workers are told to drain, and how many tasks ECS is then asked for."""

    drain: Sequence[UUID]
    desired: int
    reason: ScalingReason | None


def present(fleet: Fleet, desired: int) -> int:
    """Count the workers that take turns, or will once they have started."""
    return len(fleet.active) + _starting(fleet, desired)


def decide(fleet: Fleet, desired: int, wanted: int, most: int) -> Orders:
    """Say what is to be done so that `wanted` workers take turns; ECS was asked for `desired`."""
    newest = fleet.members[-1].version if fleet.members else ""
    surplus = max(len(fleet.active) - wanted, 0)
    replaced = _replaced(fleet, newest, wanted)
    victims = _least_useful(fleet.active, newest)[: max(surplus, replaced)]
    leaving = [*fleet.finishing, *victims]
    # A deploy starts as many new tasks as are desired: those of before are not among them.
    asked = min(wanted + sum(one.version == newest for one in leaving), most)
    ids = [one.id for one in victims]
    return Orders(ids, asked, _reason(asked - desired, surplus, replaced))


def _starting(fleet: Fleet, desired: int) -> int:
    there = sum(one.released_at is None for one in fleet.members)
    return max(desired - there, 0)


def _replaced(fleet: Fleet, newest: str, wanted: int) -> int:
    """Count the workers of the release before that are not needed, as so many others are ready."""
    old = sum(one.version != newest for one in fleet.active)
    ready = sum(one.is_ready for one in fleet.active)
    return min(old, max(ready - wanted, 0))


def _least_useful(active: Sequence[Member], newest: str) -> list[Member]:
    """First those of another release, then those in whom least is lost."""
    return sorted(active, key=lambda one: (one.version == newest, one.busy, one.hot, one.spare))


def _reason(difference: int, surplus: int, replaced: int) -> ScalingReason | None:
    if difference > 0:
        return ScalingReason.DEMAND
    if surplus:
        return ScalingReason.CALM
    if replaced:
        return ScalingReason.RELEASE
    return ScalingReason.DRAINED if difference < 0 else None
