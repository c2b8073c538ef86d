"""Databases to measure on: migrated, with people who have credit and a conversation each."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from settings import PROJECT_DIR

BLANK = "bench_blank"
PEOPLE = """
    INSERT INTO users (id, email, password_hash, credits_balance_micros)
    SELECT gen_random_uuid(), 'person-' || number || '@example.org', '', 1000000000
    FROM generate_series(1, :count) AS number
"""
CONVERSATIONS = "INSERT INTO conversations (id, user_id) SELECT gen_random_uuid(), id FROM users"


@dataclass(frozen=True)
class Sent:
    """A message that a person has written, and whose it is."""

    message_id: UUID
    user_id: UUID
    conversation_id: UUID

    def words(self) -> dict[str, Any]:
        """What a queue must carry of it, as text."""
        return {
            "message_id": str(self.message_id),
            "user_id": str(self.user_id),
            "conversation_id": str(self.conversation_id),
        }


class Databases:
    """Makes databases on one PostgreSQL server."""

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url)
        self._made = 0
        self._admin(f'CREATE DATABASE "{BLANK}"')
        engine = engine_of(self._named(BLANK))
        with engine.begin() as connection:
            migrations = Config(PROJECT_DIR / "alembic.ini")
            migrations.attributes["connection"] = connection
            command.upgrade(migrations, "head")
        engine.dispose()

    def fresh(self, people: int) -> str:
        """Make a database with so many people; return its URL."""
        self._made += 1
        name = f"bench_{self._made}"
        self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{BLANK}"')
        url = self._named(name)
        engine = engine_of(url)
        with engine.begin() as connection:
            connection.execute(sa.text(PEOPLE), {"count": people})
            connection.execute(sa.text(CONVERSATIONS))
        engine.dispose()
        # Nobody is measured while what others wrote goes to disk.
        self._admin("CHECKPOINT")
        return url

    def _named(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _admin(self, statement: str) -> None:
        engine = engine_of(self._url.render_as_string(hide_password=False))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(statement))
        engine.dispose()


def engine_of(url: str) -> sa.Engine:
    return sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
