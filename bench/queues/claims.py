"""What one claim costs beside many rows that are not claimable."""

import statistics
import time
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.queues.databases import Databases, engine_of
from models import jobs
from models.base import new_id
from models.schema.jobs import Job

HEADS = 400
LEASE = timedelta(seconds=30)
# Loaded without checking that conversations and messages exist: there are none of these jobs.
UNCHECKED = "SET LOCAL session_replication_role = replica"
HEAD_OF_EACH = """
    INSERT INTO jobs (id, user_id, conversation_id, model, status, is_head)
    SELECT gen_random_uuid(), id, gen_random_uuid(), 'demo/demo', 'pending', true FROM users
"""
# Half of them over, half waiting behind the heads of their lanes, for so many people.
MANY = """
    INSERT INTO jobs (id, user_id, conversation_id, model, status, is_head, finished_at)
    SELECT gen_random_uuid(), person.id, gen_random_uuid(), 'demo/demo',
           CASE WHEN number % 2 = 0 THEN 'pending' ELSE 'completed' END, false,
           CASE WHEN number % 2 = 0 THEN NULL ELSE now() END
    FROM generate_series(1, :rows) AS number
    JOIN (SELECT id, row_number() OVER () AS place FROM users LIMIT :people) AS person
      ON person.place = 1 + number / 2 % :people
"""
OF_ONE = """
    INSERT INTO jobs (id, user_id, conversation_id, model, status, is_head)
    SELECT gen_random_uuid(), (SELECT id FROM users LIMIT 1), gen_random_uuid(), 'demo/demo',
           'pending', false
    FROM generate_series(1, :rows)
"""


@dataclass
class Table:
    """A jobs table with HEADS claimable jobs and much else."""

    name: str
    filling: str = ""
    rows: int = 0
    claim_seconds: list[float] = field(default_factory=list[float])
    position_seconds: list[float] = field(default_factory=list[float])

    @property
    def claim_ms(self) -> float:
        return 1000 * statistics.median(self.claim_seconds)

    @property
    def position_ms(self) -> float:
        return 1000 * statistics.median(self.position_seconds)


def tables() -> list[Table]:
    """The empty one first: the others are compared with it."""
    return [
        Table("nothing else"),
        Table("100,000 over or waiting", MANY, 100_000),
        Table("1,000,000 over or waiting", MANY, 1_000_000),
        Table("100,000 of one person", OF_ONE, 100_000),
    ]


def measure(databases: Databases) -> list[Table]:
    """Claim all heads of all tables, in turn, so that each meets the same noise."""
    measured = tables()
    engines = [_filled(databases, table) for table in measured]
    for _ in range(HEADS - 50):
        for table, engine in zip(measured, engines, strict=True):
            _look(table, engine)
            _claim(table, engine)
    for engine in engines:
        engine.dispose()
    return measured


def _filled(databases: Databases, table: Table) -> sa.Engine:
    engine = engine_of(databases.fresh(HEADS))
    with engine.begin() as connection:
        connection.execute(sa.text(UNCHECKED))
        connection.execute(sa.text(HEAD_OF_EACH))
        if table.filling:
            given = {"rows": table.rows, "people": HEADS}
            connection.execute(sa.text(table.filling), given)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE jobs"))
        # Not in the middle of the claims.
        connection.execute(sa.text("CHECKPOINT"))
    return engine


def _claim(table: Table, engine: sa.Engine) -> None:
    with Session(engine) as db, db.begin():
        # The connection is there before the clock runs.
        db.execute(sa.text("SELECT 1"))
        began = time.perf_counter()
        claims = jobs.claim_many(db, new_id(), LEASE, 1)
        table.claim_seconds.append(time.perf_counter() - began)
        assert claims


def _look(table: Table, engine: sa.Engine) -> None:
    """Ask for the place of the last in the queue."""
    with Session(engine) as db:
        last = db.scalars(
            sa.select(Job).where(Job.is_head).order_by(Job.ready_at.desc()).limit(1)
        ).one()
        began = time.perf_counter()
        jobs.position(db, last)
        table.position_seconds.append(time.perf_counter() - began)
