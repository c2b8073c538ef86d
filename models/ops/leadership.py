"""One of several processes that would do the same: whoever has the lock does it."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.database import open_session

# Any numbers that nothing else of ours locks.
FLEET = 7_204_113_519
NUMBERS = 7_204_113_520


class Leadership:
    """A lock of PostgreSQL that lives as long as a connection of its own."""

    def __init__(self, key: int) -> None:
        self._key = key
        self._session: Session | None = None

    def is_ours(self) -> bool:
        """Take the lock if nobody has it; return whether it is ours.

        Raises SQLAlchemyError when the database is away; then it is nobody's.
        """
        try:
            if self._session is not None:
                self._session.execute(text("SELECT 1"))
                return True
            return self._take()
        except SQLAlchemyError:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Let another have it."""
        session, self._session = self._session, None
        if session is not None:
            # The lock goes with the connection, which must not go back to be used by others.
            session.invalidate()

    def _take(self) -> bool:
        session = open_session()
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        is_ours = session.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key})
        if is_ours:
            self._session = session
        else:
            session.close()
        return bool(is_ours)
