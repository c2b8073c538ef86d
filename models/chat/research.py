"""Which messages are to be answered by research: several searches, pages read, a cited report."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.schema.research import ResearchRequest


def request(db: Session, message_id: UUID) -> None:
    """Note that a message is to be answered by research. The caller knows whose it is."""
    db.add(ResearchRequest(message_id=message_id))
    db.flush()


def is_requested(db: Session, message_id: UUID) -> bool:
    """Tell whether a message is to be answered by research."""
    return bool(db.scalar(select(exists().where(ResearchRequest.message_id == message_id))))
