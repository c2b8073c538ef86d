"""What the audit of a large ledger costs: a full one, and one after a part of it has changed.

    python -m bench audit [--entries 10000000] [--changed 1]

Each entry has its model call; entries are spread over a year and over all users alike. Then
`changed` percent more come, for all users, and the audit that follows changes is run again.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.margin import connect
from embedded.stack import Services
from models import ledger
from models.database import unit_of_work
from models.ledger import Mismatch
from models.schema.audits import AuditRule

MOST_PART = 1 / 20
ENTRIES_A_USER = 500
# Of the books so far; what is new comes after it.
YEAR, HOUR = "365 days", "1 hour"
_USERS = """
    INSERT INTO users (id, email)
    SELECT uuidv7(-CAST(:span AS interval)), number || '@example.org'
    FROM generate_series(1, :count) AS number
"""
# So that all of them can pay.
_FUNDS = """
    INSERT INTO transactions (id, user_id, kind, amount_micros, reference)
    SELECT uuidv7(-CAST(:span AS interval)), id, 'adjustment', 1000000000, 'funds:' || id FROM users
"""
_CALLS = """
    INSERT INTO model_calls (id, user_id, kind, attempt, model, status, held_micros,
                             created_at, closed_at)
    SELECT uuidv7(-shift), user_id, 'transcription', 1, 'demo/demo', 'completed', 0,
           now() - shift, now() - shift
    FROM (
        SELECT user_id, random() * (CAST(:span AS interval) - CAST(:least AS interval))
               + CAST(:least AS interval) AS shift
        FROM (SELECT array_agg(id) AS ids FROM users) AS everybody,
             LATERAL (SELECT ids[1 + number % cardinality(ids)] AS user_id
                      FROM generate_series(1, :count) AS number) AS spread
    ) AS made ORDER BY shift DESC
"""
_ENTRIES = """
    INSERT INTO transactions (id, user_id, kind, amount_micros, promotional_micros, reference,
                              call_id, created_at)
    SELECT uuidv7(-(now() - call.created_at)), call.user_id, 'charge', -10, 0,
           'call:' || call.id, call.id, call.created_at
    FROM model_calls AS call LEFT JOIN transactions AS entry ON entry.call_id = call.id
    WHERE entry.id IS NULL ORDER BY call.created_at
"""
_BALANCES = """
    UPDATE users SET credits_balance_micros = sums.amount, credits_promotional_micros = sums.granted
    FROM (SELECT user_id, sum(amount_micros) AS amount, sum(promotional_micros) AS granted
          FROM transactions GROUP BY user_id) AS sums
    WHERE sums.user_id = users.id
"""


def main(arguments: Sequence[str]) -> int:
    """Make the books, audit them each way, and return 1 when what is new costs too much."""
    parser = argparse.ArgumentParser(prog="bench audit", description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--changed", type=float, default=1.0, help="percent of the entries")
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Services(Path(folder) / "data", is_kept=False) as services,
    ):
        chosen = {"PASSWORD_MEMORY_KIB": "64", "VERIFY_EMAIL": "false"}
        os.environ.update(services.environment() | chosen)  # noqa: TID251
        engine = connect()
        _make_users(engine, max(given.entries // ENTRIES_A_USER, 10))
        _write(engine, given.entries, YEAR, HOUR)
        full = _timed(ledger.audit)
        first = _timed(ledger.audit_changes)
        _write(engine, int(given.entries * given.changed / 100), "1 minute", "0")
        changes = _timed(ledger.audit_changes)
        engine.dispose()
    return _report(given, full, first, changes)


def _make_users(engine: sa.Engine, count: int) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(_USERS), {"count": count, "span": YEAR})
        connection.execute(sa.text(_FUNDS), {"span": YEAR})


def _write(engine: sa.Engine, count: int, span: str, least: str) -> None:
    with engine.begin() as connection:
        # Foreign keys are whole by the making of it; to look at each would take an hour.
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text(_CALLS), {"count": count, "span": span, "least": least})
        connection.execute(sa.text(_ENTRIES))
        connection.execute(sa.text(_BALANCES))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE)"))


def _timed(audit: Callable[[Session], Mapping[AuditRule, Sequence[Mismatch]]]) -> float:
    began = time.perf_counter()
    with unit_of_work() as db:
        found = audit(db)
    assert not any(found.values()), "the books do not balance"
    return time.perf_counter() - began


def _report(given: argparse.Namespace, full: float, first: float, changes: float) -> int:
    part = changes / full
    print(f"{given.entries:,} entries of {max(given.entries // ENTRIES_A_USER, 10):,} users")
    print(f"  a full audit                     {full:8.2f} s")
    print(f"  the first that follows changes   {first:8.2f} s")
    print(f"  the next, {given.changed:g} % more entries      {changes:8.2f} s")
    print(f"{part:.3f} of a full one (at most {MOST_PART:g})")
    return 0 if part <= MOST_PART else 1
