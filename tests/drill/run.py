"""One drill from beginning to end: people come, things break, everything comes to rest, audit."""

import os
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from actions import attachments, wakeups
from models import ledger
from models.schema.jobs import Job
from settings import get_settings
from tasks.worker.saving import VERSIONS_BETWEEN_COLLECTIONS
from tests.drill import books, payments, secrets, waits
from tests.drill.attackers import Attacker
from tests.drill.cells import Inspector
from tests.drill.faults import Breaker, Storm
from tests.drill.people import Talker
from tests.drill.plan import Plan
from tests.drill.waits import Waits
from tests.drill.workers import Workers
from tests.house import House, wait_for

SETTLE_SECONDS = 300.0
NO_WAITS = Waits(0, 0)
# Of those who are at it at a time, one for so many honest users.
HONEST_FOR_ONE_ATTACKER = 9


@dataclass
class Report:
    """What a drill did, and what it found."""

    seed: int
    messages: int = 0
    people: int = 0
    seconds: float = 0
    faults: dict[str, int] = field(default_factory=dict[str, int])
    missed_stages: int = 0
    # Cells in which canaries were planted, and how often one was searched for those of others.
    planted: int = 0
    looks: int = 0
    outcomes: dict[str, int] = field(default_factory=dict[str, int])
    findings: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    # How often each attack was made, and how long the honest users waited.
    attacks: dict[str, int] = field(default_factory=dict[str, int])
    waits: Waits = NO_WAITS

    @property
    def is_clean(self) -> bool:
        return not any(self.findings.values())


class Drill:
    """Runs a plan on a house, with `at_once` people talking and `attackers` attacking meanwhile.

    `say` is told how it goes.
    """

    def __init__(
        self,
        house: House,
        plan: Plan,
        workers: Workers,
        at_once: int,
        say: Callable[[str], object],
        attackers: int = 0,
    ) -> None:
        self._house, self._plan, self._say = house, plan, say
        self._attackers = attackers
        self._door = threading.Semaphore(at_once)
        self._back_door = threading.Semaphore(-(-at_once // HONEST_FOR_ONE_ATTACKER))
        self._breaker = Breaker(house, workers)
        self._listening = Requests(house)

    def run(self) -> Report:
        """Return what was done and found."""
        with _settings_of(self._house):
            return self._run()

    def _run(self) -> Report:
        began = time.monotonic()
        talkers = [Talker(self._house, life, self._door) for life in self._plan.lives]
        attackers = [
            Attacker(self._house, number, self._plan.seed, self._back_door)
            for number in range(self._attackers)
        ]
        self._say(f"{len(talkers)} people have signed up, and {len(attackers)} attackers")
        inspector = Inspector(self._house, {life.number: life.canary for life in self._plan.lives})
        with inspector.at_work(), self._listening.at_work():
            with ExitStack() as attacking:
                for attacker in attackers:
                    attacking.enter_context(attacker.at_work())
                self._storm(talkers)
            self._settle([*talkers, *attackers])
        report = self._audit(talkers)
        self._audit_attacks(report, talkers, attackers)
        report.findings["in others' cells"] = sorted(inspector.found)
        report.planted, report.looks = inspector.planted, inspector.looks
        report.seconds = time.monotonic() - began
        return report

    def _storm(self, talkers: list[Talker]) -> None:
        """Let everybody talk while things break."""
        storm = Storm(self._breaker, self._plan.faults)
        for talker in talkers:
            talker.start()
        with storm.at_work():
            while any(talker.is_at_it() for talker in talkers):
                self._progress(talkers, storm)
                time.sleep(5)

    def _progress(self, talkers: list[Talker], storm: Storm) -> None:
        said = sum(len(talker.told.accepted) for talker in talkers)
        at_it = sum(talker.is_at_it() for talker in talkers)
        broken = sum(self._breaker.done.values())
        still = "" if storm.is_on() else " (the storm is over)"
        self._say(f"{said} messages, {broken} faults{still}, {at_it} people not done")

    def _settle(self, talkers: Sequence[Talker | Attacker]) -> None:
        """Wait until nothing is to be done any more, no call is open and every save has ended."""
        everybody = [talker.id for talker in talkers]
        wait_for(lambda: self._is_at_rest(everybody), "everything to end", seconds=SETTLE_SECONDS)

    def _is_at_rest(self, people: list[UUID]) -> bool:
        restless = sa.text("""
            SELECT 1 FROM jobs WHERE user_id = ANY(:p) AND status IN ('pending', 'running')
            UNION ALL SELECT 1 FROM model_calls WHERE user_id = ANY(:p) AND status = 'open'
            UNION ALL SELECT 1 FROM users WHERE id = ANY(:p)
                AND cell_worker_until > clock_timestamp() LIMIT 1""")
        try:
            with self._house.database() as db:
                return db.execute(restless, {"p": people}).first() is None
        except SQLAlchemyError:
            return False

    def _audit(self, talkers: list[Talker]) -> Report:
        people = {talker.id: talker.life.number for talker in talkers}
        accepted = [mark for talker in talkers for mark in talker.told.accepted]
        report = Report(self._plan.seed, people=len(people), faults=dict(self._breaker.done))
        report.missed_stages = self._breaker.missed_stages
        unsettled = payments.unsettled(self._house, get_settings(), people)
        with self._house.database() as db:
            report.findings = {"lost": books.lost(db, people, accepted)}
            report.findings["said twice"] = books.doubled(db, people)
            report.findings |= books.audit(db, people)
            report.findings["paid and not credited"] = unsettled
            report.findings["in the product's own audit"] = [
                f"{rule}: {one}"
                for rule, found in ledger.audit(db).items()
                for one in found
                if one.user_id in people
            ]
            ends = sa.select(Job.status, sa.func.count()).where(Job.user_id.in_(list(people)))
            rows = db.execute(ends.group_by(Job.status)).all()
            report.outcomes = {str(row[0]): int(row[1]) for row in rows}
        report.messages = sum(report.outcomes.values())
        report.findings |= self._audit_secrets(talkers, people)
        return report

    def _audit_attacks(
        self, report: Report, talkers: list[Talker], attackers: list[Attacker]
    ) -> None:
        """Add what attackers met, what the books say of them, and how long the others waited."""
        people = {attacker.id: attacker.number for attacker in attackers}
        for attacker in attackers:
            for name, count in attacker.done.items():
                report.attacks[name] = report.attacks.get(name, 0) + count
        report.findings["attacks that came through"] = [
            one for attacker in attackers for one in attacker.found
        ]
        with self._house.database() as db:
            report.waits = waits.of(db, [talker.id for talker in talkers])
            report.findings["in the books of attackers"] = [
                f"{rule}: {one}"
                for rule, found in ledger.audit(db).items()
                for one in found
                if one.user_id in people
            ]

    def _audit_secrets(
        self, talkers: list[Talker], people: dict[UUID, int]
    ) -> dict[str, list[str]]:
        house, settings = self._house, get_settings()
        canaries = {talker.life.number: talker.life.canary for talker in talkers}
        leaks = secrets.in_requests(self._listening.heard) + secrets.in_messages(house, people)
        states = secrets.in_states(house, settings, people, canaries)
        every = VERSIONS_BETWEEN_COLLECTIONS
        return {
            "leaked": leaks + states.foreign,
            "in logs": secrets.in_logs(Path(house.stack.folder.logs)),
            "bugs of the site": secrets.bugs(Path(house.stack.folder.logs)),
            "damaged": states.broken,
            "left in storage": secrets.left_in_storage(house, settings, people, every),
            "forgotten": states.forgotten
            + [
                f"{talker.life.number} was not remembered"
                for talker in talkers
                if not self._listening.has(talker.life.recalling, talker.life.canary)
            ],
            "gave up waiting": [
                f"{talker.life.number}: {what}"
                for talker in talkers
                for what in talker.told.impatient
            ],
        }


class Requests:
    """Collects what the demo model is asked; it keeps only the last thousand itself."""

    def __init__(self, house: House) -> None:
        self.heard: list[dict[str, object]] = []
        self._house = house
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="requests", daemon=True)

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Collect meanwhile, and what is left at the end."""
        self._thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            self._thread.join()
        self._collect()

    def has(self, mark: str, words: str) -> bool:
        """Tell whether these words stood in a request about that mark."""
        bodies = (str(request["body"]) for request in self.heard)
        return any(mark in body and words in body for body in bodies)

    def _run(self) -> None:
        while not self._is_over.wait(10):
            self._collect()

    def _collect(self) -> None:
        self.heard += self._house.take_recorded()


@contextmanager
def _settings_of(house: House) -> Generator[None]:
    """Let the product's own parts in this process work on the house; afterwards as before."""
    before = dict(os.environ)  # noqa: TID251
    os.environ.update(house.environment)  # noqa: TID251
    _read_anew()
    try:
        yield
    finally:
        os.environ.clear()  # noqa: TID251
        os.environ.update(before)  # noqa: TID251
        _read_anew()


def _read_anew() -> None:
    get_settings.cache_clear()
    wakeups.wake_queue.cache_clear()
    wakeups.streams.cache_clear()
    attachments.storage.cache_clear()
