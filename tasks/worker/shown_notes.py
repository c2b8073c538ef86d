"""The notes that a user's assistant is shown."""

from sqlalchemy.orm import Session

from agent.turn import Note
from models.memory import notes
from models.periods import zone_of
from models.schema.users import User


def list_for(db: Session, user: User) -> tuple[Note, ...]:
    """List what a user's assistant is shown of their notes, by the days of their own clock."""
    zone = zone_of(user.timezone)
    return tuple(
        Note(one.number, one.words, one.noted_at.astimezone(zone).date())
        for one in notes.list_own(db, user.id)
    )
