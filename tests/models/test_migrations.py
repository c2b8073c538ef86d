"""The migrations build what the models say, and can be taken back."""

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


def test_the_migrated_database_is_what_the_models_say(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_down_and_up_again_leaves_nothing_behind(settings: Settings) -> None:
    url = sa.make_url(settings.database_url.get_secret_value())
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = f"{url.database}_updown"
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    fresh = sa.create_engine(url.set(database=name), poolclass=NullPool)
    try:
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
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def test_what_people_had_before_payments_was_all_granted(settings: Settings) -> None:
    url = sa.make_url(settings.database_url.get_secret_value())
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = f"{url.database}_granted"
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    fresh = sa.create_engine(url.set(database=name), poolclass=NullPool)
    try:
        _upgrade(fresh, "0425643a4c5f")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_PAYMENTS))
        _upgrade(fresh, "7d1f0c3a9b52")
        with fresh.connect() as connection:
            kept = connection.execute(sa.text("SELECT credits_promotional_micros FROM users"))
            assert kept.scalar_one() == 7
            with pytest.raises(DatabaseError, match="never changed"):
                connection.execute(sa.text("UPDATE transactions SET promotional_micros = 0"))
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


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
