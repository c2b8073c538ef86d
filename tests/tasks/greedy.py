"""A person who wants answers for nothing, and may bring about whatever can happen to a message.

Each call's true cost is kept beside the books: what the provider gets for it, also where the books
never hear of it. What of that nobody paid is what the person has gained.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from agent.meter.call_ledger import NoRoom
from agent.turn import TurnFailure
from models import jobs
from models.base import new_id
from models.chat import conversations
from models.database import unit_of_work
from models.errors import Refused
from models.jobs.cancellation import cancel, cancel_all
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, Transaction
from models.schema.standing_charges import StandingCharge
from models.schema.users import User
from settings import Settings
from tasks import upkeep
from tests import factories
from tests.factories import MODEL
from tests.tasks.bare_worker import BareWorker, ScriptedTurn, cost_of

MOST_MICROS = 2_000_000


@dataclass(frozen=True)
class Call:
    """A model call: what is held for it, and what the provider counts, in percent of that."""

    held_micros: int
    percent: int

    @property
    def charge_micros(self) -> int:
        return self.held_micros * self.percent // 100


@dataclass(frozen=True)
class Script:
    """What happens to one attempt: its calls, what is shown, and its end.

    The end is a failure's code, or one of ENDS.
    """

    calls: tuple[Call, ...]
    words: str
    tools: tuple[str, ...]
    end: str
    is_permanent: bool


ENDS = ("answered", "stopped by hand", "worker lost", "worker lost in a call", "given up in a call")
HELD_AT_THE_END = 300_000


@dataclass
class Greedy:
    """The person, their worker, and what they have cost so far."""

    db: Session
    settings: Settings
    worker: BareWorker = field(init=False)
    user_id: UUID = field(init=False)
    # The true cost of each call, and the costliest of the day.
    costs: dict[UUID, int] = field(default_factory=dict[UUID, int])
    costliest: int = 0

    def __post_init__(self) -> None:
        self.worker = BareWorker(self.settings)
        self.user_id = factories.user(self.db, f"{new_id()}@example.org").id
        self.db.commit()

    @property
    def user(self) -> User:
        return self.db.get_one(User, self.user_id, populate_existing=True)

    def send(self) -> None:
        """Send a message."""
        conversation = factories.conversation(self.db, self.user)
        self._try(
            lambda db: jobs.ask(
                db, conversation, "Hello?", model=MODEL, cost_limit_micros=MOST_MICROS
            )
        )

    def retry(self) -> None:
        """Ask for the newest message again."""
        if job := self._newest():
            self._try(lambda db: jobs.ask_again(db, job, model=MODEL))

    def go_on(self) -> None:
        """Let the newest message go on beyond its limit."""
        if job := self._newest():
            self._try(lambda db: jobs.go_on(db, job, model=MODEL))

    def clawback(self) -> None:
        """Call the newest message off."""
        if job := self._newest():
            self._try(lambda db: cancel(db, self.user_id, job.id))

    def delete(self) -> None:
        """Delete the newest conversation, with all that waits in it."""
        if job := self._newest():
            self._try(lambda db: cancel_all(db, self.user_id, job.conversation_id))
            self._try(lambda db: self._erase(db, job.conversation_id))

    def _erase(self, db: Session, conversation_id: UUID) -> None:
        conversation = conversations.find_or_none(db, self.user_id, conversation_id)
        if conversation is not None:
            conversations.erase(db, conversation)

    def top_up(self, micros: int) -> None:
        """Get more credits."""
        self._try(lambda db: factories.gift(db, self.user_id, micros, reference=f"gift:{new_id()}"))

    def move(self, timezone: str) -> None:
        """Live in another time zone from now on."""
        self.user.timezone = timezone
        self.db.commit()

    def sleep(self) -> None:
        """Let a day pass: all that was is a day older."""
        aged = (Transaction, StandingCharge)
        with factories.rewriting(self.db):
            for table in aged:
                mine = sa.update(table).where(table.user_id == self.user_id)
                self.db.execute(mine.values(created_at=table.created_at - timedelta(days=1)))
        self.db.commit()
        self.costs, self.costliest = {}, 0

    def live_through(self, script: Script) -> None:
        """Have the first of what waits answered, as the script says."""
        turn = self.worker.claim(self.user_id)
        if turn is None:
            return
        turn.show(script.words, script.tools)
        try:
            for call in script.calls:
                call_id = turn.open(call.held_micros)
                self._note(call_id, call.charge_micros)
                turn.close(call_id, call.charge_micros)
                if call.percent > 100:
                    # The meter ends a turn at the first call beyond its hold.
                    turn.fail(TurnFailure.BEYOND_HOLD)
                    return
            self._end(turn, script)
        except NoRoom as missing:
            turn.refused(missing)

    def gained(self) -> int:
        """What the person got today and nobody paid for, in micros of providers."""
        charged = sa.select(sa.func.coalesce(sa.func.sum(Transaction.provider_cost_micros), 0))
        refund = aliased(Transaction)
        gave_back = sa.select(refund.id).where(
            refund.kind == EntryKind.REFUND,
            refund.reverses_id == Transaction.id,
        )
        paid = charged.where(
            Transaction.kind == EntryKind.CHARGE,
            Transaction.call_id.in_(list(self.costs)),
            ~gave_back.exists(),
        )
        return sum(self.costs.values()) - int(self.db.scalar(paid) or 0)

    def _end(self, turn: ScriptedTurn, script: Script) -> None:
        match script.end:
            case "answered":
                turn.publisher.close()
                with unit_of_work() as db:
                    factories.answer(db, db.get_one(Job, turn.held.job_id))
            case "stopped by hand":
                self._try(lambda db: cancel(db, self.user_id, turn.held.job_id))
                turn.stop()
            case "worker lost":
                self._fall_silent(turn)
            case "worker lost in a call":
                self._note(turn.open(HELD_AT_THE_END), HELD_AT_THE_END)
                self._fall_silent(turn)
            case "given up in a call":
                call_id = turn.open(HELD_AT_THE_END)
                self._note(call_id, HELD_AT_THE_END)
                turn.fail(TurnFailure.CELL_DIED, permanent=script.is_permanent)
                turn.close(call_id, HELD_AT_THE_END)
            case code:
                turn.fail(TurnFailure(code), permanent=script.is_permanent)

    def _fall_silent(self, turn: ScriptedTurn) -> None:
        """Let the worker die, and the clock notice."""
        turn.publisher.close()
        over = sa.func.clock_timestamp() - timedelta(seconds=1)
        with unit_of_work() as db:
            mine = sa.update(Job).where(Job.id == turn.held.job_id)
            db.execute(mine.values(lease_until=over))
        upkeep.sweep()

    def _note(self, call_id: UUID, charge_micros: int) -> None:
        self.costs[call_id] = cost_of(charge_micros)
        self.costliest = max(self.costliest, self.costs[call_id])

    def _newest(self) -> Job | None:
        mine = sa.select(Job).where(Job.user_id == self.user_id).order_by(Job.id.desc()).limit(1)
        return self.db.scalar(mine.execution_options(populate_existing=True))

    def _try(self, wish: Callable[[Session], object]) -> None:
        try:
            with unit_of_work() as db:
                wish(db)
        except Refused:
            """They may try."""
