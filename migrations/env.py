"""Runs migrations against the database of the settings."""

import time

import structlog
from alembic import context
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from gateways import logs
from models.database import connect
from models.schema.metadata import metadata
from settings import get_settings

log = structlog.get_logger()

# Any number that nothing else of ours locks.
ONE_AT_A_TIME = 7_204_113_518
ASK_SECONDS = 0.2


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


def _is_ours(connection: Connection) -> bool:
    is_ours = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
    connection.commit()
    return bool(is_ours)


def _is_of_a_newer_release(connection: Connection) -> bool:
    """Whether a release brought the database to a shape that these scripts do not know.

    The code of before works with it, so for a rollback there is nothing to do. Where somebody asks
    for a certain revision instead of the newest, Alembic refuses what it does not know.
    """
    if getattr(context.config.cmd_opts, "revision", None) != "head":
        return False
    known = {script.revision for script in context.script.walk_revisions()}
    unknown = sorted({*MigrationContext.configure(connection).get_current_heads()} - known)
    # Or Alembic would begin within a transaction that it did not open.
    connection.rollback()
    if unknown:
        logs.configure(get_settings())
        log.warning("migrations.newer", revisions=unknown)
    return bool(unknown)


def _run() -> None:
    if context.is_offline_mode():
        # The statements alone, for those who check them.
        context.configure(dialect_name="postgresql", literal_binds=True)
        with context.begin_transaction():
            context.run_migrations()
        return
    given = context.config.attributes.get("connection")
    if isinstance(given, Connection):
        _migrate(given)
        return
    engine = connect(get_settings().database_url.get_secret_value(), pool_size=1)
    with engine.connect() as connection:
        # Where several processes bring it about at once, as in a release, the others wait and then
        # find it done. The lock goes with the connection. They ask again and again: a statement that
        # waits would hold up an index that is made while others write, for ever.
        while not _is_ours(connection):
            time.sleep(ASK_SECONDS)
        if not _is_of_a_newer_release(connection):
            _migrate(connection)
    engine.dispose()


_run()
