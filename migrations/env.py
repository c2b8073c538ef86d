"""Runs migrations against the database of the settings."""

import time

from alembic import context
from sqlalchemy import Connection, text

from models.database import connect
from models.schema.metadata import metadata
from settings import get_settings

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
        _migrate(connection)
    engine.dispose()


_run()
