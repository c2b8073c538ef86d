"""A worker without cells: what outcomes need of one, and turns that end as a test says."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from agent.meter.call_ledger import ClosedCall, NoRoom, Usage
from agent.runtime import Runtime
from agent.turn import AgentFailed, SavedPack, SavedState, TurnFailure
from gateways.event_streams import Streams
from gateways.s3_files import Storage
from models import jobs
from models.base import new_id
from models.database import unit_of_work
from models.jobs import Claim
from settings import Settings
from tasks.worker import outcomes
from tasks.worker.call_ledger import TurnCallLedger
from tasks.worker.events import EventPublisher
from tasks.worker.forget_slots import Editing
from tasks.worker.leased_jobs import LeasedJob, LeasedJobs
from tasks.worker.process import WorkerProcess
from tests.factories import LEASE, MODEL

log = structlog.get_logger()

# What of a charge the provider gets.
COST_PERCENT = 60


class CellsOfNobody(Runtime):
    """Keeps no cell; remembers what it was asked to save and to discard."""

    def __init__(self) -> None:
        self.discarded: list[UUID] = []
        self.saved: list[UUID] = []

    def discard(self, user_id: UUID) -> None:
        self.discarded.append(user_id)

    def noted(self, user_id: UUID) -> None:
        """What has no files has noted nothing in them."""

    def save(self, user_id: UUID) -> SavedState:
        self.saved.append(user_id)
        version = self.saved.count(user_id)
        # Nothing is new in it, so no version leaves anything behind.
        return SavedState(version, (SavedPack(f"{user_id}/1", "0" * 64, 1),), 1)


class BareWorker(WorkerProcess):
    """A worker process with nothing running in it."""

    def __init__(self, settings: Settings) -> None:
        self.id = new_id()
        self.settings = settings
        self.storage = Storage(settings)
        self.streams = Streams(settings.redis_url.get_secret_value())
        self.cells = CellsOfNobody()
        self.runtime = self.cells
        self.editing = Editing()
        self.draining = threading.Event()
        self.held = LeasedJobs(LEASE, 600.0)

    def claim(self, user_id: UUID) -> "ScriptedTurn | None":
        """Take the first of somebody's lane, whatever else waits."""
        with unit_of_work() as db:
            claims = jobs.claim_many(db, self.id, LEASE, 1, only=[user_id])
        return ScriptedTurn(self, claims[0]) if claims else None


@dataclass
class ScriptedTurn:
    """One attempt at a job, of which a test says what happens."""

    worker: BareWorker
    claim: Claim
    held: LeasedJob = field(init=False)
    publisher: EventPublisher = field(init=False)
    books: TurnCallLedger = field(init=False)

    def __post_init__(self) -> None:
        self.held = LeasedJob.of(self.claim)
        to = (self.held.conversation_id, self.held.job_id, self.held.attempt)
        self.publisher = EventPublisher(self.worker.streams, *to)
        self.books = TurnCallLedger(self.held.user_id, self.held.job_id, self.held.attempt)

    def open(self, held_micros: int) -> UUID:
        """Open a model call; raises NoRoom."""
        return self.books.open(new_id(), MODEL, lambda _: held_micros).call_id

    def close(self, call_id: UUID, charge_micros: int) -> None:
        """End it; whatever goes beyond its hold is ours."""
        self.books.close(
            ClosedCall(
                call_id=call_id,
                model=MODEL,
                usage=Usage(100, 100),
                is_estimated=False,
                provider_cost_micros=cost_of(charge_micros),
                charge_micros=charge_micros,
                price_version="test",
                outcome="completed",
                provider_request_id=None,
                detail=None,
            )
        )

    def show(self, words: str = "", tools: Sequence[str] = ()) -> None:
        """Let the person see tools in use, and words."""
        for tool in tools:
            self.publisher.tool(tool)
        if words:
            self.publisher.text(words)

    def fail(self, code: TurnFailure, *, permanent: bool = True) -> None:
        """End it as the runtime would that raises this failure."""
        failure = AgentFailed(code, permanent=permanent)
        outcomes.give_up(self.worker, self.held, self.publisher, failure)

    def refused(self, missing: NoRoom) -> None:
        """End it as the meter does that has no room for a call."""
        failure = AgentFailed(missing.bound.code, permanent=True)
        outcomes.give_up(self.worker, self.held, self.publisher, failure)

    def stop(self) -> None:
        """End it because the person pressed Stop."""
        self.held.is_stopped_by_person = True
        self.fail(TurnFailure.STOPPED)


def cost_of(charge_micros: int) -> int:
    """Return what the provider gets of a charge."""
    return charge_micros * COST_PERCENT // 100
