"""What a user does with a note that must reach their assistant's saved files as well."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from actions import wakeups
from actions.archives import ending
from models.database import after_commit, unit_of_work
from models.memory import notes


def erase(db: Session, user_id: UUID, note_id: UUID) -> None:
    """Delete a note for good, deleted before or not; after the commit a worker forgets it too.

    Raises NotFound for another user's.
    """
    note = notes.find_own(db, user_id, note_id)
    ending.end(db, user_id, note.noted_at)
    notes.erase_one(db, note)
    after_commit(db, lambda: wakeups.forget(user_id))


def erase_deleted(deleted_before: datetime, limit: int) -> None:
    """Delete for good the notes that can no longer be restored; workers make files forget them."""
    with unit_of_work() as db:
        owners = notes.users_with_old_deletions(db, deleted_before, limit)
    for user_id in owners:
        with unit_of_work() as db:
            if notes.erase_deleted(db, user_id, deleted_before):
                ending.end(db, user_id, None)
