"""Finding users costs the same however many there are: PostgreSQL's own plans say so."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from models import payments
from models.base import new_id, utc_now
from models.ops import user_search
from models.ops.user_search import Filter, Wanted
from models.schema.channels import ChannelAccount
from models.schema.users import User
from tests import factories

MANY = 10_000
# A page has 50; each of the ways to be found fills one at most.
MOST_ROWS = 1_000
INDEXES = ("ix_users_email_trigrams", "ix_users_name_trigrams", "ix_channel_accounts_name_trigrams")


@pytest.fixture
def many(db: Session) -> UUID:
    """Very many users, each with a messenger; Zdenka is one of them."""
    zdenka = factories.user(db, "zdenka.q@example.net", name="Zdenka Quail")
    db.add(
        ChannelAccount(
            user_id=zdenka.id,
            channel="telegram",
            account_id="990077",
            address="990077",
            name="Wombat Fan",
        )
    )
    payments.record_customer(db, zdenka.id, "cus_zdenka")
    db.flush()
    given = {"many": MANY, "now": utc_now()}
    people = """
        INSERT INTO users (id, email, name, email_verified_at)
        SELECT gen_random_uuid(), 'person' || n || '@example.org',
               (ARRAY['Ann', 'Bea', 'Cem', 'Dan'])[n % 4 + 1] || ' Person ' || n, :now
        FROM generate_series(1, :many) AS n
    """
    messengers = """
        INSERT INTO channel_accounts (id, user_id, channel, account_id, address, name)
        SELECT gen_random_uuid(), id, 'telegram', 'T' || email, email, name FROM users
        WHERE id NOT IN (SELECT user_id FROM channel_accounts)
    """
    for statement in (people, messengers):
        db.execute(sa.text(statement), given)
    for index in INDEXES:
        # As autovacuum does.
        db.execute(sa.text(f"SELECT gin_clean_pending_list('{index}')"))
    for table in ("users", "channel_accounts", "billing_accounts", "payments"):
        db.execute(sa.text(f"ANALYZE {table}"))
    return zdenka.id


def plans(db: Session, wanted: Wanted) -> Iterator[Mapping[str, Any]]:
    """Yield all steps that finding takes, as they went."""
    asked: list[tuple[str, Any]] = []

    def _note(_one: object, _two: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    connection = db.connection()
    event.listen(connection, "before_cursor_execute", _note)
    user_search.find(db, wanted)
    event.remove(connection, "before_cursor_execute", _note)
    for statement, parameters in asked:
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        yield from _steps(connection.exec_driver_sql(explain, parameters).scalar_one()[0]["Plan"])


def _steps(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _steps(part)


def read_rows(step: Mapping[str, Any]) -> float:
    """Tell how many rows a step has looked at, whatever it did with them."""
    passed_over = sum(step.get(f"Rows Removed by {by}", 0) for by in ("Filter", "Index Recheck"))
    return (step["Actual Rows"] + passed_over) * step["Actual Loops"]


def test_finding_looks_at_few_rows_among_very_many(db: Session, many: UUID) -> None:
    # Whoever is rare, whoever is found by most, and whoever is found by a word's beginning.
    terms = ("Quail", "zdenka.q", "wombat", "990077", "cus_zdenka", "person", "Ann", "son77", "Qu")
    wanted = [Wanted(term=one) for one in (*terms, "an", "w")]
    for one in (*wanted, *(Wanted(filter=which) for which in Filter)):
        steps = list(plans(db, one))
        assert max(map(read_rows, steps)) < MOST_ROWS, one
        whole = [step for step in steps if step["Node Type"] == "Seq Scan"]
        assert max(map(read_rows, whole), default=0) <= 50, one


def test_each_way_finds_whom_it_means_by_an_index(db: Session, many: UUID) -> None:
    for term in ("qua", "NKA.Q", "mbat", "990077", "cus_zdenka", "Qu", "zd", "Fa"):
        assert [one.id for one in user_search.find(db, Wanted(term=term)).rows] == [many], term
    for index, term in zip(INDEXES, ["zdenka.q", "quail", "wombat"], strict=True):
        assert index in {step.get("Index Name") for step in plans(db, Wanted(term=term))}


def test_what_stands_for_anything_in_sql_is_only_itself(db: Session, ada: User) -> None:
    for term in ("%", "_", "a%a", "\\", "ada_"):
        assert user_search.find(db, Wanted(term=term)).rows == []


def test_who_owns_a_database_may_create_the_extension_without_being_superuser(
    engine: sa.Engine,
) -> None:
    name = f"plain_{new_id().hex}"
    plain = engine.url.set(database=name, username=name, password=name)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE ROLE {name} LOGIN PASSWORD '{name}' NOSUPERUSER"))
        connection.execute(sa.text(f"CREATE DATABASE {name} OWNER {name}"))
        theirs = sa.create_engine(plain, poolclass=sa.NullPool)
        with theirs.begin() as owner:
            owner.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
            assert owner.scalar(sa.text("SELECT similarity('word', 'words')"))
        connection.execute(sa.text(f"DROP DATABASE {name}"))
        connection.execute(sa.text(f"DROP ROLE {name}"))
