"""The migrations build what the models say, and can be taken back."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from models.tables import metadata
from settings import PROJECT_DIR, Settings


@contextmanager
def _database(settings: Settings, suffix: str) -> Generator[sa.Engine]:
    """An empty database of a test's own."""
    url = sa.make_url(settings.database_url.get_secret_value())
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = f"{url.database}_{suffix}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.create_engine(url.set(database=name), poolclass=NullPool)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def test_the_migrated_database_is_what_the_models_say(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_down_and_up_again_leaves_nothing_behind(settings: Settings) -> None:
    with _database(settings, "updown") as fresh:
        for target in ("head", "base", "head"):
            with fresh.begin() as connection:
                migrations = Config(PROJECT_DIR / "alembic.ini")
                migrations.attributes["connection"] = connection
                move = command.downgrade if target == "base" else command.upgrade
                move(migrations, target)
            tables = set(sa.inspect(fresh).get_table_names())
            assert tables - {"alembic_version"} == (
                set() if target == "base" else set(metadata.tables)
            )


def test_what_people_had_before_payments_was_all_granted(settings: Settings) -> None:
    with _database(settings, "granted") as fresh:
        _upgrade(fresh, "0425643a4c5f")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_PAYMENTS))
        _upgrade(fresh, "7d1f0c3a9b52")
        with fresh.connect() as connection:
            kept = connection.execute(sa.text("SELECT credits_promotional_micros FROM users"))
            assert kept.scalar_one() == 7
            with pytest.raises(DatabaseError, match="never changed"):
                connection.execute(sa.text("UPDATE transactions SET promotional_micros = 0"))


def test_what_was_written_off_before_has_its_reason(settings: Settings) -> None:
    with _database(settings, "reasons") as fresh:
        _upgrade(fresh, "c41f7be2905d")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_REASONS))
        _upgrade(fresh, "5b8e02d47a16")
        with fresh.connect() as connection:
            kept = connection.execute(
                sa.text("SELECT reference, reason, carried_micros FROM transactions")
            )
            assert {row[0]: (row[1], row[2]) for row in kept} == {
                "call:1": (None, 0),
                "call:2": ("late_call", 4),
                "refund:1": ("worker_lost", 3),
                "refund:2": ("job_failed", 4),
                "absorbed:call:1": ("beyond_hold", 2),
                "absorbed:dispute:1": ("credits_gone", 8),
                "undone:absorbed:dispute:1": ("credits_back", -8),
            }
            with pytest.raises(DatabaseError, match="never changed"):
                connection.execute(sa.text("UPDATE transactions SET reason = 'by_hand'"))


def test_entries_before_relations_had_columns_have_them(settings: Settings) -> None:
    with _database(settings, "relations") as fresh:
        _upgrade(fresh, "e2a7c15f9b48")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_RELATIONS))
        _upgrade(fresh, "f6c93a0b7d24")
        with fresh.connect() as connection:
            kept = connection.execute(sa.text(_RELATIONS))
            assert {row[0]: (row[1], row[2]) for row in kept} == {
                "gift": (None, None),
                "spent:1": (None, None),
                f"call:{_CALL}": (_CALL, None),
                f"absorbed:call:{_CALL}": (_CALL, None),
                f"refund:{_CALL}": (_CALL, f"call:{_CALL}"),
                f"refund:{_CALL[::-1]}": (None, None),
                "dispute:1": (None, None),
                "undone:dispute:1": (None, "dispute:1"),
            }
            with pytest.raises(DatabaseError, match="never changed"):
                connection.execute(sa.text("UPDATE transactions SET call_id = NULL"))


_CALL = "0197c0de-0000-7000-8000-00000000000a"
_RELATIONS = """
    SELECT entry.reference, entry.call_id::text, reversed.reference FROM transactions AS entry
    LEFT JOIN transactions AS reversed ON reversed.id = entry.reverses_id
"""
_BEFORE_RELATIONS = f"""
    WITH somebody AS (
        INSERT INTO users (id, email, password_hash)
        VALUES (gen_random_uuid(), 'ada@example.org', '') RETURNING id
    ), talk AS (
        INSERT INTO conversations (id, user_id, title)
        SELECT gen_random_uuid(), id, 'A talk' FROM somebody RETURNING id, user_id
    ), job AS (
        INSERT INTO jobs (id, user_id, conversation_id, model, status, is_head, finished_at)
        SELECT gen_random_uuid(), user_id, id, 'demo/demo', 'completed', false, now() FROM talk
        RETURNING id, user_id
    ), call AS (
        INSERT INTO model_calls
            (id, user_id, job_id, attempt, model, status, held_micros, closed_at)
        SELECT '{_CALL}', user_id, id, 1, 'demo/demo', 'completed', 5, now() FROM job
        RETURNING user_id
    )
    INSERT INTO transactions (id, user_id, kind, amount_micros, reference, reason)
    SELECT gen_random_uuid(), user_id, kind, amount, reference, reason FROM call
    CROSS JOIN (VALUES
        ('grant', 5, 'gift', NULL),
        ('adjustment', -5, 'spent:1', NULL),
        ('charge', -5, 'call:{_CALL}', NULL),
        ('absorbed', 0, 'absorbed:call:{_CALL}', 'beyond_hold'),
        ('refund', 5, 'refund:{_CALL}', 'job_failed'),
        ('refund', 5, 'refund:{_CALL[::-1]}', 'job_failed'),
        ('chargeback', -5, 'dispute:1', NULL),
        ('adjustment', 5, 'undone:dispute:1', NULL)
    ) AS entry (kind, amount, reference, reason)
"""
_BEFORE_REASONS = """
    WITH somebody AS (
        INSERT INTO users (id, email, password_hash)
        VALUES (gen_random_uuid(), 'ada@example.org', '') RETURNING id
    )
    INSERT INTO transactions
        (id, user_id, kind, amount_micros, reference, provider_cost_micros, note)
    SELECT gen_random_uuid(), id, kind, amount, reference, cost, note FROM somebody
    CROSS JOIN (VALUES
        ('charge', -5, 'call:1', 3, ''),
        ('absorbed', 0, 'call:2', 4, ''),
        ('refund', 5, 'refund:1', NULL, 'The worker stopped; the answer was begun again.'),
        ('refund', 5, 'refund:2', NULL, 'No answer came of it.'),
        ('absorbed', 0, 'absorbed:call:1', 2, 'The provider counted more.'),
        ('absorbed', 0, 'absorbed:dispute:1', 8, ''),
        ('absorbed', 0, 'undone:absorbed:dispute:1', -8, '')
    ) AS entry (kind, amount, reference, cost, note)
"""
_BEFORE_PAYMENTS = """
    WITH somebody AS (
        INSERT INTO users (id, email, password_hash, credits_balance_micros)
        VALUES (gen_random_uuid(), 'ada@example.org', '', 7) RETURNING id
    )
    INSERT INTO transactions (id, user_id, kind, amount_micros, reference)
    SELECT gen_random_uuid(), id, kind, amount, kind FROM somebody
    CROSS JOIN (VALUES ('grant', 10), ('charge', -3)) AS entry (kind, amount)
"""


def _upgrade(engine: sa.Engine, revision: str) -> None:
    with engine.begin() as connection:
        migrations = Config(PROJECT_DIR / "alembic.ini")
        migrations.attributes["connection"] = connection
        command.upgrade(migrations, revision)
