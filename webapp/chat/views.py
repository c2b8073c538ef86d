"""How messages and jobs look to a person: the words and states that templates show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from actions.sentences import pauses
from gateways.partial_answer import PartialAnswer, replay
from models import jobs
from models.base import utc_now
from models.chat.history import Exchange, Run
from models.schema.answer_files import AnswerFile
from models.schema.chat import Message
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from webapp.chat import answer_sources
from webapp.chat.answer_sources import SourceView
from webapp.chat.growing_answer import Rendered, render
from webapp.chat.tool_names import in_words
from webapp.core.formats import local_day, local_time, viewers_zone
from webapp.core.live import hub

State = Literal["queued", "paused", "working", "writing", "sent", "stopped", "failed"]
ENDS: dict[JobStatus, State] = {
    JobStatus.COMPLETED: "sent",
    JobStatus.CANCELLED: "stopped",
    JobStatus.FAILED: "failed",
}


@dataclass(frozen=True)
class Standing:
    """What of a job's row can be seen; when it changes, the job is drawn anew."""

    status: JobStatus
    attempt: int
    is_stopping: bool
    # How many are before it, for a head that waits; None for any other.
    place: int | None
    # What is said while an admin keeps it from being answered; empty while nobody does.
    pause: str = ""


@dataclass(frozen=True)
class RunView:
    """A job as it is shown. `may_retry`: it is the newest one of its message.

    `further_micros` is how much more it may cost if it is let go on; None if that is no question.
    """

    job: Job
    standing: Standing
    state: State
    words: str
    told: PartialAnswer
    # Of an answer that is being written.
    written: Rendered
    answer: Message | None
    cost_micros: int
    files: tuple[AnswerFile, ...]
    may_retry: bool
    further_micros: int | None
    sources: tuple[SourceView, ...] = ()


@dataclass(frozen=True)
class ExchangeView:
    asked: Message
    runs: tuple[RunView, ...]


def standing(db: Session, job: Job) -> Standing:
    """Say how a job stands; one query for a head that waits, none for others."""
    waits = job.status is JobStatus.PENDING and job.is_head
    place = jobs.position(db, job) if waits else None
    pause = jobs.find_pause(db, job)
    said = pauses.sentence(pause) if pause else ""
    return Standing(job.status, job.attempt, job.stop_requested_at is not None, place, said)


def show(
    db: Session, exchanges: Iterable[Exchange], told: Mapping[UUID, PartialAnswer]
) -> list[ExchangeView]:
    """Say how exchanges look now; what `told` lacks of a running answer is looked up in Redis."""
    shown = tuple(exchanges)
    sources = answer_sources.of_exchanges(db, shown)
    return [
        ExchangeView(
            exchange.asked,
            tuple(
                replace(run, sources=sources.get(run.job.id, ()))
                for run in _runs(db, exchange, told)
            ),
        )
        for exchange in shown
    ]


def moment(at: datetime) -> str:
    """Say when something was: the time if it was today, else the day too."""
    today = utc_now().astimezone(viewers_zone()).date()
    is_today = at.astimezone(viewers_zone()).date() == today
    return local_time(at) if is_today else f"{local_day(at)}, {local_time(at)}"


def _runs(db: Session, exchange: Exchange, told: Mapping[UUID, PartialAnswer]) -> Iterable[RunView]:
    for run in exchange.runs:
        yield _view(db, run, told.get(run.job.id), is_newest=run is exchange.runs[-1])


def _view(db: Session, run: Run, told: PartialAnswer | None, *, is_newest: bool) -> RunView:
    job = run.job
    if job.status is JobStatus.RUNNING and told is None:
        told = replay(hub().told(job.id))
    if told is None or told.attempt != job.attempt or job.status is not JobStatus.RUNNING:
        # Nothing that another attempt wrote is shown.
        told = PartialAnswer(attempt=job.attempt)
    written = render(job.id, told.attempt, 0, told.text) if told.text else Rendered()
    stands = standing(db, job)
    may_retry = is_newest and job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
    is_at_limit = may_retry and job.failure_code is FailureCode.MESSAGE_LIMIT
    return RunView(
        job=job,
        standing=stands,
        state=_state(job, told),
        words=_words(job, stands, told),
        told=told,
        written=written,
        answer=run.answer,
        cost_micros=run.cost_micros,
        files=run.files,
        may_retry=may_retry,
        further_micros=jobs.further_allowance(job) if is_at_limit else None,
    )


def _state(job: Job, told: PartialAnswer) -> State:
    if job.status in ENDS:
        return ENDS[job.status]
    if job.status is JobStatus.PAUSED:
        return "paused"
    if job.status is JobStatus.PENDING:
        return "queued"
    return (
        "writing"
        if ((told.has_text or told.is_cut) and not told.tool and not told.thought)
        else "working"
    )


def _words(job: Job, stands: Standing, told: PartialAnswer) -> str:
    if job.status is JobStatus.PAUSED:
        return "Waits for credits"
    if job.status is JobStatus.PENDING:
        return stands.pause or _reason_to_wait(job, stands.place)
    if stands.is_stopping:
        return "Stopping"
    if told.tool:
        return in_words(told.tool)
    if told.thought:
        return told.thought
    return "Writing" if told.has_text or told.is_cut else "Thinking"


def _reason_to_wait(job: Job, place: int | None) -> str:
    if place is None:
        return "Waits its turn"
    if job.attempt:
        return "Something on our side went wrong. Trying again"
    if place == 0:
        return "Next in line"
    if place >= jobs.MOST_COUNTED:
        return f"At least {jobs.MOST_COUNTED} messages are before yours"
    return "1 message is before yours" if place == 1 else f"{place} messages are before yours"
