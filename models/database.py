"""The connection to PostgreSQL and the unit of work."""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import datetime

from sqlalchemy import Engine, create_engine, event, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

open_session: sessionmaker[Session] = sessionmaker(expire_on_commit=False)


def connect(url: str, *, pool_size: int = 10, overflow: int = 20) -> Engine:
    """Point every later session at the database at `url`; no connection is made yet."""
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=overflow,
        pool_pre_ping=True,
        pool_recycle=1800,
        # A forgotten transaction would hold back vacuum and double the cost of a claim.
        connect_args={"options": "-c idle_in_transaction_session_timeout=30000"},
    )
    open_session.configure(bind=engine)
    return engine


@contextmanager
def unit_of_work() -> Generator[Session]:
    """Commit when the block ends well; roll back when it does not."""
    with open_session() as db, db.begin():
        yield db


class SessionAhead:
    """A session opened before it is needed, of which each statement is committed by itself.

    For a statement that somebody waits for and that needs no transaction around it: opening and
    closing its session takes a third as long. For one thread.
    """

    def __init__(self) -> None:
        self._session: Session | None = None
        self._is_used = False

    def get(self) -> Session:
        """Return the session; it serves until `renew`."""
        if self._session is None:
            self._session = _committing_singly()
        self._is_used = True
        return self._session

    def renew(self) -> None:
        """Close a session that was used, whatever became of it; open the next if that can be."""
        if self._session is not None and not self._is_used:
            return
        self.close()
        # Whatever is in the way, such as a database that is away, is told when it is wanted.
        with suppress(Exception):
            self._session = _committing_singly()

    def close(self) -> None:
        """Give the connection back, or up if it is broken."""
        opened, self._session, self._is_used = self._session, None, False
        if opened is not None:
            with suppress(SQLAlchemyError):
                opened.close()


def _committing_singly() -> Session:
    db = open_session()
    db.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    return db


def clock(db: Session) -> datetime:
    """Tell the time by the database's clock, the one that all processes share."""
    # The caller may be in the middle of a change.
    with db.no_autoflush:
        return db.scalars(select(func.clock_timestamp())).one()


def after_commit(db: Session, action: Callable[[], object]) -> None:
    """Run `action` once `db` has committed, and never if it rolls back."""

    has_run = False

    def _run(session: Session) -> None:
        nonlocal has_run
        # Releasing a savepoint is told as a commit too.
        if has_run or session.in_nested_transaction():
            return
        has_run = True
        action()

    event.listen(db, "after_commit", _run)
