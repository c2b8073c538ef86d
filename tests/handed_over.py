"""Files that an assistant hands over, for tests of what becomes of them."""

from sqlalchemy.orm import Session

from actions import answer_files as storing
from models.chat import answer_files
from models.schema.answer_files import AnswerFile
from models.schema.jobs import Job


def handed_over(
    db: Session, job: Job, data: bytes = b"# Plan\n", path: str = "files/plan.md", title: str = ""
) -> AnswerFile:
    """Let a file go with the answer of a job, object and all."""
    stored = storing.keep(job.user_id, path, data, title=title)
    answer_files.attach(db, job, stored)
    return answer_files.of_jobs(db, [job.id])[job.id][-1]
