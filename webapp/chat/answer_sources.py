"""What an answer was made from, as it is shown below it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from models.chat import sources
from models.chat.history import Exchange
from models.schema.sources import AnswerSource


@dataclass(frozen=True)
class SourceView:
    """A page of the web; `letter` stands where its site's picture would, which nothing loads."""

    number: int
    url: str
    title: str
    site: str
    letter: str


def of_exchanges(
    db: Session, exchanges: Collection[Exchange]
) -> Mapping[UUID, tuple[SourceView, ...]]:
    """List the sources of the answers in these exchanges, by job; in one question."""
    answers = {run.job.id: run.answer.text for one in exchanges for run in one.runs if run.answer}
    found = sources.of_answers(db, answers)
    return {job_id: tuple(map(_view, rows)) for job_id, rows in found.items()}


def _view(source: AnswerSource) -> SourceView:
    site = urlsplit(source.url).netloc.removeprefix("www.")
    return SourceView(source.number, source.url, source.title, site, site[:1].upper())
