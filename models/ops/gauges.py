"""The numbers that an operator watches, counted from rows; they cost the same however much is kept.

Keys are in the order of their making, so what is new is a short range of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.ops import fleet
from models.ops.retention import first_id
from models.schema.audits import AuditFinding, Books
from models.schema.emails import Email, EmailStatus
from models.schema.jobs import Job, JobStatus
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.workers import Worker

LATELY = timedelta(minutes=5)
# A job that ended lately was sent at most so long before, but for few.
JOB_AGE = timedelta(hours=1)
# Of fewer, one that fails is no rate.
ENOUGH = 10


@dataclass(frozen=True)
class Gauges:
    """What is so now; rates are of the last five minutes, in percent, and 0 when there were few.

    `workers_without_cells` are those that are alive and could not have the walls that are asked
    for. Ages are in seconds.
    """

    demand: int
    waiting: int
    oldest_wait_seconds: float
    workers_active: int
    workers_ready: int
    workers_draining: int
    workers_without_cells: int
    cells: int
    turn_failures_percent: float
    provider_errors_percent: float
    open_findings: int
    audit_age_seconds: float
    mail_late_seconds: float


def read(db: Session) -> Gauges:
    """Count all of them."""
    now, seen = utc_now(), fleet.read(db)
    audited_at = ledger.last_runs(db).get(Books.LEDGER)
    return Gauges(
        demand=seen.demand,
        waiting=seen.waiting,
        oldest_wait_seconds=_age(now, seen.oldest_at),
        workers_active=len(seen.active),
        workers_ready=sum(one.is_ready for one in seen.members),
        workers_draining=len(seen.finishing),
        workers_without_cells=_without_cells(db, seen),
        cells=seen.cells,
        turn_failures_percent=_turn_failures(db, now),
        provider_errors_percent=_provider_errors(db, now),
        open_findings=_count_findings(db),
        audit_age_seconds=_age(now, audited_at),
        mail_late_seconds=_age(now, _oldest_mail(db)),
    )


def _age(now: datetime, since: datetime | None) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0


def _without_cells(db: Session, seen: fleet.Fleet) -> int:
    """Count those that have told of themselves, as each heartbeat does, and have none."""
    ids = [one.id for one in seen.members if one.capacity == 0]
    told = Worker.id.in_(ids) & (Worker.sandbox != "")
    return db.scalar(select(func.count()).where(told)) or 0 if ids else 0


def _turn_failures(db: Session, now: datetime) -> float:
    ended = select(
        func.count().filter(Job.status == JobStatus.FAILED),
        func.count().filter(Job.status.in_((JobStatus.FAILED, JobStatus.COMPLETED))),
    ).where(Job.id > first_id(now - JOB_AGE), Job.finished_at > now - LATELY)
    return _percent(*db.execute(ended).one())


def _provider_errors(db: Session, now: datetime) -> float:
    closed = select(
        func.count().filter(ModelCall.status.in_((CallStatus.FAILED, CallStatus.CUT))),
        func.count().filter(ModelCall.status != CallStatus.OPEN),
    ).where(ModelCall.id > first_id(now - LATELY))
    return _percent(*db.execute(closed).one())


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole >= ENOUGH else 0.0


def _count_findings(db: Session) -> int:
    return db.scalar(select(func.count()).where(AuditFinding.resolved_at.is_(None))) or 0


def _oldest_mail(db: Session) -> datetime | None:
    """Return since when the first mail is due that was not sent."""
    return db.scalar(select(func.min(Email.next_try_at)).where(Email.status == EmailStatus.QUEUED))
