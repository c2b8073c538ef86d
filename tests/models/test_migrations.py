"""The migrations build what the models say, and can be taken back."""

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
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
