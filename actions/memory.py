"""What a user does with a note that must reach their assistant's saved files as well."""

from uuid import UUID

from sqlalchemy.orm import Session

from actions import wakeups
from models.database import after_commit
from models.memory import notes


def erase(db: Session, user_id: UUID, note_id: UUID) -> None:
    """Delete a note for good, deleted before or not; after the commit a worker forgets it too.

    Raises NotFound for another user's.
    """
    notes.erase_one(db, notes.find_own(db, user_id, note_id))
    after_commit(db, lambda: wakeups.forget(user_id))
