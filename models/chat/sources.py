"""What answers were made from: pages of the web, numbered as the answers cite them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.schema.chat import Message
from models.schema.jobs import Job
from models.schema.sources import AnswerSource

# Of one answer; what is found beyond is not numbered.
MOST_SOURCES = 100
CITED = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True)
class Page:
    """A page that was found or read."""

    url: str
    title: str


def note(db: Session, job: Job, pages: Sequence[Page], *, is_read: bool) -> Mapping[str, int]:
    """Note pages for the answer of a locked job; return their numbers by address.

    Each has one number, however often it is found.
    """
    known = {one.url: one for one in list_all(db, job)}
    for page in pages:
        found = known.get(page.url)
        if found is not None:
            found.is_read = found.is_read or is_read
        elif job.message_id is not None and len(known) < MOST_SOURCES:
            known[page.url] = _added(db, job, page, len(known) + 1, is_read=is_read)
    db.flush()
    return {url: one.number for url, one in known.items()}


def list_all(db: Session, job: Job) -> Sequence[AnswerSource]:
    """List what was found and read for a job by its present attempt, by number."""
    of_attempt = (AnswerSource.job_id == job.id, AnswerSource.attempt == job.attempt)
    return db.scalars(select(AnswerSource).where(*of_attempt).order_by(AnswerSource.number)).all()


def list_earlier(db: Session, job: Job) -> Sequence[AnswerSource]:
    """List what was found and read for other messages of a job's conversation, latest first."""
    found = (
        select(AnswerSource)
        .join(Message, Message.id == AnswerSource.message_id)
        .where(Message.conversation_id == job.conversation_id, AnswerSource.job_id != job.id)
    )
    return db.scalars(found.order_by(AnswerSource.id.desc()).limit(MOST_SOURCES)).all()


def of_answers(db: Session, answers: Mapping[UUID, str]) -> Mapping[UUID, Sequence[AnswerSource]]:
    """List the sources of each job's answer, whose texts are given: pages it read or cites."""
    if not answers:
        return {}
    rows = db.scalars(
        select(AnswerSource)
        .join(Job, (Job.id == AnswerSource.job_id) & (Job.attempt == AnswerSource.attempt))
        .where(AnswerSource.job_id.in_(answers))
        .order_by(AnswerSource.job_id, AnswerSource.number)
    )
    found: dict[UUID, list[AnswerSource]] = {}
    cited = {job_id: _cited(text) for job_id, text in answers.items()}
    for row in rows:
        if row.is_read or row.number in cited[row.job_id] or row.url in answers[row.job_id]:
            found.setdefault(row.job_id, []).append(row)
    return found


def _cited(text: str) -> Collection[int]:
    return {int(number) for number in CITED.findall(text)}


def _added(db: Session, job: Job, page: Page, number: int, *, is_read: bool) -> AnswerSource:
    source = AnswerSource(
        user_id=job.user_id,
        message_id=job.message_id,
        job_id=job.id,
        attempt=job.attempt,
        number=number,
        url=page.url,
        title=page.title,
        is_read=is_read,
    )
    db.add(source)
    return source
