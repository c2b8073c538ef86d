"""The connection to PostgreSQL and the unit of work."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from settings import get_settings

# How it shows that PostgreSQL is away, restarts or is too busy: the same may work in a moment.
OUTAGES = (OperationalError, InterfaceError, NoConnection)

# Enough of a statement to find it in the code.
SHOWN = 300

log = structlog.get_logger()

open_session: sessionmaker[Session] = sessionmaker(expire_on_commit=False)


def connect(url: str, *, pool_size: int = 10, overflow: int = 20) -> Engine:
    """Point every later session at the database at `url`; no connection is made yet."""
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=pool_size,
        max_overflow=overflow,
        pool_pre_ping=True,
        pool_recycle=1800,
        # A forgotten transaction would hold back vacuum and double the cost of a claim; and to
        # compile a statement takes longer than all but the largest of ours.
        connect_args={"options": "-c idle_in_transaction_session_timeout=30000 -c jit=off"},
    )
    event.listen(engine, "before_cursor_execute", _begin)
    event.listen(engine, "after_cursor_execute", _tell_slow)
    open_session.configure(bind=engine)
    return engine


def _begin(connection: Connection, *_: object) -> None:
    connection.info["began_at"] = time.perf_counter()


def _tell_slow(connection: Connection, _: object, statement: str, *__: object) -> None:
    """Log a statement that took long; never its values, which are what users wrote."""
    seconds = time.perf_counter() - connection.info["began_at"]
    if seconds > get_settings().slow_query_seconds:
        shown = " ".join(statement.split())[:SHOWN]
        log.warning("query.slow", seconds=round(seconds, 3), statement=shown)


@contextmanager
def unit_of_work() -> Generator[Session]:
    """Commit when the block ends well; roll back when it does not."""
    with open_session() as db, db.begin():
        yield db


@contextmanager
def committed_singly() -> Generator[Session]:
    """Commit each statement by itself: one that is alone needs no transaction around it."""
    with open_session() as db:
        db.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        yield db


def clock(db: Session) -> datetime:
    """Tell the time by the database's clock, the one that all processes share."""
    # The caller may be in the middle of a change.
    with db.no_autoflush:
        return db.scalars(select(func.clock_timestamp())).one()


def after_commit(db: Session, action: Callable[[], object]) -> None:
    """Run `action` once `db` has committed; never if it, or a savepoint around here, rolls back."""
    is_settled, around = False, [*_transactions_around(db)]

    def _run(session: Session) -> None:
        nonlocal is_settled
        # Releasing a savepoint is told as a commit too.
        if is_settled or session.in_nested_transaction():
            return
        is_settled = True
        try:
            action()
        except Exception:
            # What is committed stands, and the other actions still run.
            log.exception("after_commit.failed")

    def _forget(_: Session, ended: SessionTransaction) -> None:
        nonlocal is_settled
        # The rest is still to be committed when another savepoint or a failed flush is undone.
        is_settled = is_settled or ended.parent is None or ended in around

    event.listen(db, "after_commit", _run)
    event.listen(db, "after_soft_rollback", _forget)


def _transactions_around(db: Session) -> Iterator[SessionTransaction]:
    one = db.get_nested_transaction() or db.get_transaction()
    while one is not None:
        yield one
        one = one.parent
