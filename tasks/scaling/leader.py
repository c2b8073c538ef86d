"""Looks at the queue every few seconds and keeps as many workers as it takes.

It is part of the clock. Of several clocks one does it, whoever has the lock; another that takes
over has seen nothing yet, so it lets nobody go for a while.
"""

import threading
import time
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateways.ecs_service import EcsFailed, EcsService
from models.database import unit_of_work
from models.ops import fleet, workers
from models.ops.fleet import Fleet
from models.ops.leadership import FLEET, Leadership
from models.schema.scaling import ScalingDecision
from settings import Settings
from tasks.scaling import orders
from tasks.scaling.orders import Orders
from tasks.scaling.policy import Policy, Reading, Rule

log = structlog.get_logger()


class Service(Protocol):
    """What runs the workers."""

    def desired(self) -> int: ...

    def set_desired(self, count: int) -> None: ...


class Scaler:
    """Keeps as many workers as are wanted."""

    def __init__(self, settings: Settings, service: Service) -> None:
        self._settings, self._service = settings, service
        self._policy = Policy(rule_of(settings))

    def look(self) -> None:
        """Look once, and do what is to be done.

        Raises EcsFailed and SQLAlchemyError; whoever was told to drain by then drains.
        """
        desired = self._service.desired()
        with unit_of_work() as db:
            seen = fleet.read(db)
        wanted = self._policy.wanted(
            Reading(
                time.monotonic(),
                seen.demand,
                orders.present(seen, desired),
                _cells_per_worker(seen, self._settings),
            )
        )
        given = orders.decide(seen, desired, wanted, self._settings.most_workers)
        if given.reason is not None:
            self._carry_out(seen, desired, wanted, given)

    def _carry_out(self, seen: Fleet, desired: int, wanted: int, given: Orders) -> None:
        decision = ScalingDecision(
            reason=given.reason,
            demand=seen.demand,
            oldest_at=seen.oldest_at,
            wanted=wanted,
            active=len(seen.active) - len(given.drain),
            draining=len(seen.finishing) + len(given.drain),
            desired_before=desired,
            desired=given.desired,
        )
        with unit_of_work() as db:
            for worker_id in given.drain:
                workers.drain(db, worker_id)
            fleet.note(db, decision)
        # After the commit: ECS is never asked for fewer than those who do not know it yet.
        if given.desired != desired:
            self._service.set_desired(given.desired)
        log.info(
            "scaling.decided",
            **{key: getattr(decision, key) for key in ("demand", "wanted", "active", "draining")},
            reason=given.reason,
            desired=given.desired,
            desired_before=desired,
        )


def rule_of(settings: Settings) -> Rule:
    """Return the rule as the settings have it."""
    return Rule(
        fewest=settings.fewest_workers,
        most=settings.most_workers,
        target_percent=settings.scaling_target_percent,
        calm_seconds=settings.scaling_calm_seconds,
        step_seconds=settings.scaling_calm_seconds / 4,
    )


def run(over: threading.Event, settings: Settings) -> None:
    """Look until `over` is set; what fails is tried again at the next look."""
    leadership, scaler = Leadership(FLEET), Scaler(settings, EcsService(settings))
    while not over.wait(settings.scaling_seconds):
        try:
            if leadership.is_ours():
                scaler.look()
            else:
                # What was seen before is too old by the time that it may be ours again.
                scaler = Scaler(settings, EcsService(settings))
        except (SQLAlchemyError, EcsFailed) as error:
            log.warning("scaling.missed", error=str(error))
        except Exception:
            log.exception("scaling.failed")
    leadership.give_up()


def _cells_per_worker(seen: Fleet, settings: Settings) -> int:
    """Return what a worker has by its own account; before any has told, what it is given."""
    return max((one.capacity for one in seen.members), default=0) or settings.cells_per_worker or 1
