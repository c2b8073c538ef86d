"""Receipts: every call that went into an answer, what was held for it and what it cost."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session, aliased

from models.schema.jobs import Job
from models.schema.ledger import EntryKind, Transaction, WriteOffReason
from models.schema.model_calls import CallKind, ModelCall
from models.schema.standing_charges import StandingCharge


@dataclass(frozen=True)
class Line:
    """One model call or search of the web.

    `entry` is its charge or what we absorbed; without one it used nothing.
    """

    call: ModelCall
    entry: Transaction | None
    refund: Transaction | None
    # What we absorbed of it, as it went beyond the hold.
    beyond: Transaction | None = None
    # Why its charge was not given back although no answer came, whether or not it was later.
    stands: StandingCharge | None = None

    @property
    def is_search(self) -> bool:
        """Whether the web was searched, and no model called."""
        return self.call.kind is CallKind.SEARCH

    @property
    def charged_micros(self) -> int:
        """What it was charged at first."""
        return -self.entry.amount_micros if self.entry else 0

    @property
    def released_micros(self) -> int:
        """The part of the hold that was not needed."""
        return max(self.call.held_micros - self.charged_micros, 0)

    @property
    def refunded_micros(self) -> int:
        return self.refund.amount_micros if self.refund else 0

    @property
    def paid_micros(self) -> int:
        """What it cost in the end."""
        return self.charged_micros - self.refunded_micros

    @property
    def is_absorbed(self) -> bool:
        """Whether it was at our expense from the beginning."""
        return self.entry is not None and self.entry.kind is EntryKind.ABSORBED


@dataclass(frozen=True)
class Receipt:
    """What an answer cost, call by call, in the order in which they were made."""

    job: Job
    lines: tuple[Line, ...]

    @property
    def held_micros(self) -> int:
        return sum(line.call.held_micros for line in self.lines)

    @property
    def released_micros(self) -> int:
        return sum(line.released_micros for line in self.lines)

    @property
    def refunded_micros(self) -> int:
        return sum(line.refunded_micros for line in self.lines)

    @property
    def total_micros(self) -> int:
        return sum(line.paid_micros for line in self.lines)


def receipt(db: Session, job: Job) -> Receipt:
    """Write the receipt of a job as the books stand now. The caller knows whose it is."""
    entry, refund, beyond = (aliased(Transaction) for _ in range(3))
    rows = db.execute(
        select(ModelCall, entry, refund, beyond, StandingCharge)
        .outerjoin(entry, and_(entry.call_id == ModelCall.id, _is_of_whole_call(entry)))
        .outerjoin(refund, refund.reverses_id == entry.id)
        .outerjoin(
            beyond,
            and_(beyond.call_id == ModelCall.id, beyond.reason == WriteOffReason.BEYOND_HOLD),
        )
        .outerjoin(StandingCharge, StandingCharge.call_id == ModelCall.id)
        .where(ModelCall.job_id == job.id)
        .order_by(ModelCall.id)
    )
    return Receipt(job, tuple(Line(*row) for row in rows))


def _is_of_whole_call(entry: type[Transaction]) -> ColumnElement[bool]:
    """Say of an entry whether it is the charge of a call, or stands in the place of one."""
    absorbed = (WriteOffReason.CALL_LOST, WriteOffReason.LATE_CALL)
    return or_(entry.kind == EntryKind.CHARGE, entry.reason.in_(absorbed))
