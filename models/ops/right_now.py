"""What is so right now: the queue, the workers, and what needs somebody's hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.ops import rollups
from models.schema.abuse import AccessRule, SubjectKind, Verdict
from models.schema.audits import AuditFinding, Books
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.payments import Payment, PaymentKind, PaymentStatus, StripeEvent
from models.schema.standing_charges import StandingCharge
from models.schema.users import User
from models.schema.workers import Worker
from settings import get_settings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A page to pay on is open for a day at most; a bank may take longer.
STUCK_AFTER = 2 * DAY
CHARGE_STUCK_AFTER = HOUR
SET_ASIDE_FOR = 30 * DAY
# With the seconds until a page looks again this is less than ten: so soon is a dead worker seen.
SILENT_HEARTBEATS = 1.5
SILENT_FOR = HOUR
# How a provider does is told by the messages that ended within this.
HEALTH = timedelta(minutes=15)
ROLLUPS_LATE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class QueueNow:
    """How many jobs are in which state, and since when the first waits; failures of an hour."""

    pending: int
    paused: int
    running: int
    failed_lately: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class WorkersNow:
    """The workers that were heard of lately, and their cells."""

    alive: int
    draining: int
    capacity: int
    busy: int
    hot: int
    spare: int


@dataclass(frozen=True)
class ProviderNow:
    """What became lately of the messages for one provider's models."""

    name: str
    answered: int
    failed: int

    @property
    def is_unhealthy(self) -> bool:
        """Whether it fails more than every tenth message."""
        return self.failed * 10 > self.answered + self.failed


@dataclass(frozen=True)
class Troubles:
    """How much of each kind needs somebody's hand."""

    frozen: int
    findings: int
    stuck_payments: int
    set_aside: int
    standing_charges: int
    is_audit_late: bool
    are_numbers_late: bool
    is_without_workers: bool
    # Workers that fell silent within the last hour, without signing off.
    silent_workers: int
    # Users that somebody put on hold, and has still to look at.
    held_users: int

    @property
    def is_any(self) -> bool:
        return any(vars(self).values())


FAILURES_OF_PROVIDERS = (FailureCode.PROVIDER_DOWN, FailureCode.PROVIDER_REFUSED)
# Each part is what one partial index has, so that what is over is not looked at.
_UNFINISHED = text("""
    WITH pending AS (
        SELECT created_at FROM jobs WHERE status = 'pending' AND is_head
        UNION ALL
        SELECT created_at FROM jobs WHERE status = 'pending' AND NOT is_head
    )
    SELECT count(*), (SELECT count(*) FROM jobs WHERE status = 'paused'),
           (SELECT count(*) FROM jobs WHERE status = 'running'), min(created_at)
    FROM pending
""")


def queue_now(db: Session) -> QueueNow:
    """Count the jobs that are not over, and those that failed within the last hour."""
    pending, paused, running, oldest_at = db.execute(_UNFINISHED).one()
    failed = select(func.count(Job.id)).where(
        Job.finished_at > utc_now() - HOUR, Job.status == JobStatus.FAILED
    )
    return QueueNow(pending, paused, running, db.scalar(failed) or 0, oldest_at)


def alive_after() -> datetime:
    """Return since when a worker must have been heard of to count as alive."""
    patience = SILENT_HEARTBEATS * get_settings().job_heartbeat_seconds
    return utc_now() - timedelta(seconds=patience)


def workers_now(db: Session) -> WorkersNow:
    """Add up the cells of the workers that are alive."""
    wanted = select(
        func.count(),
        func.count(Worker.draining_at),
        *(func.coalesce(func.sum(one), 0) for one in _cells()),
    ).where(Worker.stopped_at.is_(None), Worker.seen_at > alive_after())
    return WorkersNow(*map(int, db.execute(wanted).one()))


def _cells() -> Sequence[ColumnElement[int]]:
    return tuple(Worker.__table__.c[name] for name in ("capacity", "busy", "hot", "spare"))


def troubles(db: Session, queue: QueueNow, workers: WorkersNow) -> Troubles:
    """Count what needs somebody's hand."""
    return Troubles(
        frozen=_rows(db, User.spending_frozen_at.is_not(None)),
        findings=_rows(db, AuditFinding.resolved_at.is_(None)),
        stuck_payments=_rows(db, _is_stuck()),
        set_aside=_rows(
            db, StripeEvent.trouble.is_not(None), StripeEvent.created_at > utc_now() - SET_ASIDE_FOR
        ),
        standing_charges=_rows(db, StandingCharge.given_back_at.is_(None)),
        is_audit_late=_is_audit_late(db),
        are_numbers_late=_are_numbers_late(db),
        is_without_workers=queue.pending > 0 and workers.alive == 0,
        silent_workers=_rows(db, *_fell_silent()),
        held_users=_rows(
            db,
            AccessRule.verdict == Verdict.HOLD,
            AccessRule.subject_kind == SubjectKind.USER,
            AccessRule.ended_at.is_(None),
        ),
    )


def providers_now(db: Session) -> Sequence[ProviderNow]:
    """Tell of each provider how many messages it has answered lately, and how many it failed."""
    provider = func.split_part(Job.model, "/", 1)
    failed = Job.failure_code.in_(FAILURES_OF_PROVIDERS)
    lately = (
        select(
            provider,
            func.count().filter(Job.status == JobStatus.COMPLETED),
            func.count().filter(failed),
        )
        .where(Job.finished_at > utc_now() - HEALTH)
        .group_by(provider)
        .order_by(provider)
    )
    return [ProviderNow(*row) for row in db.execute(lately)]


def _fell_silent() -> Sequence[ColumnElement[bool]]:
    return (
        Worker.stopped_at.is_(None),
        Worker.seen_at <= alive_after(),
        Worker.seen_at > utc_now() - SILENT_FOR,
    )


def _is_stuck() -> ColumnElement[bool]:
    """Say of a payment that nobody has heard how it ended, for longer than that takes."""
    now = utc_now()
    is_pending = Payment.status.in_((PaymentStatus.OPEN, PaymentStatus.PROCESSING))
    is_ours = Payment.kind == PaymentKind.AUTOMATIC
    is_old = (Payment.created_at < now - STUCK_AFTER) | (
        is_ours & (Payment.created_at < now - CHARGE_STUCK_AFTER)
    )
    return is_pending & is_old


def _is_audit_late(db: Session) -> bool:
    audited_at = ledger.last_runs(db).get(Books.LEDGER)
    patience = timedelta(seconds=2 * get_settings().audit_seconds)
    return audited_at is not None and utc_now() - audited_at > patience


def _are_numbers_late(db: Session) -> bool:
    until = rollups.rolled_until(db)
    return until is not None and utc_now() - until > ROLLUPS_LATE_AFTER


def _rows(db: Session, *conditions: ColumnElement[bool]) -> int:
    return db.scalar(select(func.count()).where(*conditions)) or 0
