"""What a person spent, by day, model and conversation. Only what was not given back counts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, false, func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.ledger.limits import is_given_back
from models.periods import midnight, zone_of
from models.schema.chat import Conversation
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, Transaction
from models.schema.model_calls import CallKind, ModelCall
from models.schema.users import User

# Every zone's midnight falls on one of these.
BIN = timedelta(minutes=15)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MOST_CONVERSATIONS = 10


@dataclass(frozen=True)
class Day:
    """A day where the person lives, and what was spent on it."""

    day: date
    micros: int


@dataclass(frozen=True)
class Part:
    """What went to one model or conversation, and how many messages that was for.

    A conversation's `id` is None when it was deleted: those are counted together. With `is_voice`
    it went to listening to recordings, before there was a message; with `is_search` to searches of
    the web, which are counted in place of messages.
    """

    id: UUID | None
    name: str
    micros: int
    messages: int
    is_voice: bool = False
    is_search: bool = False


@dataclass(frozen=True)
class LatestCall:
    """The last call to a model that an answered message made; all of its input is counted."""

    model: str
    tokens_in: int
    tokens_out: int
    at: datetime


@dataclass(frozen=True)
class Usage:
    """What a person spent in the days up to today, oldest day first; of the rest the most first."""

    days: tuple[Day, ...]
    models: tuple[Part, ...]
    conversations: tuple[Part, ...]

    @property
    def total_micros(self) -> int:
        return sum(day.micros for day in self.days)

    @property
    def messages(self) -> int:
        return sum(part.messages for part in self.models if not (part.is_voice or part.is_search))

    @property
    def average_micros(self) -> int:
        """What a message cost on average, with what was spoken of it; 0 without any."""
        return self.total_micros // self.messages if self.messages else 0

    def days_left(self, available_micros: int) -> int | None:
        """Tell how many days the credits last at this pace; None when nothing was spent.

        The pace is that of the days since the first on which something was.
        """
        if not self.total_micros:
            return None
        first = next(number for number, day in enumerate(self.days) if day.micros)
        return available_micros * (len(self.days) - first) // self.total_micros


def read(db: Session, user: User, days: int) -> Usage:
    """Read what a person spent today and on the days before it, `days` in all."""
    today = utc_now().astimezone(zone_of(user.timezone)).date()
    shown = [today - timedelta(days=back) for back in reversed(range(days))]
    spent = _paid(user.id, midnight(user.timezone, shown[0]))
    by_day, models = _by_day(db, user, spent), _by_model(db, spent)
    return Usage(
        tuple(Day(day, by_day[day]) for day in shown),
        tuple(models),
        (*_by_conversation(db, spent), *_voice(models)),
    )


def _paid(user_id: UUID, since: datetime) -> Sequence[ColumnElement[bool]]:
    return (
        Transaction.user_id == user_id,
        Transaction.kind == EntryKind.CHARGE,
        Transaction.amount_micros < 0,
        Transaction.created_at >= since,
        ~is_given_back(),
    )


_SPENT = func.sum(-Transaction.amount_micros)
# What was spoken has no job: each call is a message of its own.
_MESSAGES = func.count(func.coalesce(Transaction.job_id, Transaction.call_id).distinct())
_IS_VOICE = Transaction.job_id.is_(None) & Transaction.call_id.is_not(None)
_IS_SEARCH = func.coalesce(ModelCall.kind == CallKind.SEARCH, false())


def _by_day(db: Session, user: User, paid: Sequence[ColumnElement[bool]]) -> dict[date, int]:
    # PostgreSQL may not know a zone that Python knows: it only counts by quarters of an hour.
    at = func.date_bin(BIN, Transaction.created_at, EPOCH)
    found: dict[date, int] = defaultdict(int)
    zone = zone_of(user.timezone)
    for moment, micros in db.execute(select(at, _SPENT).where(*paid).group_by(at)):
        found[moment.astimezone(zone).date()] += int(micros)
    return found


def _by_model(db: Session, paid: Sequence[ColumnElement[bool]]) -> list[Part]:
    rows = db.execute(
        select(
            Transaction.model,
            _SPENT,
            case((_IS_SEARCH, func.count()), else_=_MESSAGES),
            _IS_VOICE,
            _IS_SEARCH,
        )
        .outerjoin(ModelCall, ModelCall.id == Transaction.call_id)
        .where(*paid)
        .group_by(Transaction.model, _IS_VOICE, _IS_SEARCH)
        .order_by(_SPENT.desc())
    )
    return [
        Part(None, model or "", int(micros), count, is_voice=voice, is_search=search)
        for model, micros, count, voice, search in rows
    ]


def _voice(models: Sequence[Part]) -> list[Part]:
    """Add up what belongs to no conversation."""
    spoken = [part for part in models if part.is_voice]
    micros = sum(part.micros for part in spoken)
    count = sum(part.messages for part in spoken)
    return [Part(None, "", micros, count, is_voice=True)] if spoken else []


def _by_conversation(db: Session, paid: Sequence[ColumnElement[bool]]) -> list[Part]:
    rows = db.execute(
        select(Conversation.id, Conversation.title, _SPENT, _MESSAGES)
        .select_from(Transaction)
        .join(Job, Job.id == Transaction.job_id)
        .outerjoin(
            Conversation,
            (Conversation.id == Job.conversation_id) & Conversation.deleted_at.is_(None),
        )
        .where(*paid)
        .group_by(Conversation.id, Conversation.title)
        .order_by(_SPENT.desc())
        .limit(MOST_CONVERSATIONS)
    )
    return [Part(of, title or "", int(micros), messages) for of, title, micros, messages in rows]


def latest_call(db: Session, conversation_id: UUID) -> LatestCall | None:
    """Return how long a conversation was for the model that answered last in it, if one did."""
    answered = (
        select(Job.id)
        .where(Job.conversation_id == conversation_id, Job.status == JobStatus.COMPLETED)
        .order_by(Job.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    charge = db.scalar(
        select(Transaction)
        .join(ModelCall, ModelCall.id == Transaction.call_id)
        .where(
            Transaction.job_id == answered,
            Transaction.kind == EntryKind.CHARGE,
            ModelCall.kind == CallKind.ANSWER,
        )
        .order_by(Transaction.id.desc())
        .limit(1)
    )
    if charge is None or charge.model is None:
        return None
    counted = (charge.tokens_in, charge.tokens_cache_read, charge.tokens_cache_write)
    read = sum(one or 0 for one in counted)
    return LatestCall(charge.model, read, charge.tokens_out or 0, charge.created_at)
