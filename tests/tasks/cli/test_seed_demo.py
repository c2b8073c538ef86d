"""A made-up year that is made in one go, whole, and the same for the same seed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import ledger
from models.ops import rollups
from models.schema.metadata import metadata
from tasks.cli import seed_demo
from tests.models.ops.test_rollups import assert_equal_to_raw, roll

NOW = datetime(2026, 10, 5, 17, 40, tzinfo=UTC)


def fill(db: Session, seed: int = 1) -> None:
    seed_demo.fill(db, 60, 2_000, seed, NOW)
    db.expire_all()


def sums(db: Session) -> Mapping[str, object]:
    """Sum up each table that has rows."""
    found: dict[str, object] = {}
    for table in metadata.sorted_tables:
        rows = sa.text(
            f"SELECT count(*), md5(string_agg(t::text, ';' ORDER BY t::text)) FROM {table} t"
        )
        count, whole = db.execute(rows).one()
        if count:
            found[table.name] = (count, whole)
    return found


def test_the_books_of_the_year_balance(db: Session) -> None:
    fill(db)
    assert {rule: found for rule, found in ledger.audit(db).items() if found} == {}
    kinds = db.scalars(sa.text("SELECT DISTINCT kind FROM transactions")).all()
    assert {"grant", "charge", "refund", "top_up"} <= set(kinds)
    assert db.scalar(sa.text("SELECT count(*) FROM jobs")) == pytest.approx(2_000, rel=0.1)


def test_every_row_has_what_it_points_to(db: Session) -> None:
    fill(db)
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            lost = sa.text(
                f"SELECT count(*) FROM {table.name} AS here"
                f" LEFT JOIN {key.column.table.name} AS there"
                f" ON there.{key.column.name} = here.{key.parent.name}"
                f" WHERE here.{key.parent.name} IS NOT NULL AND there.{key.column.name} IS NULL"
            )
            assert db.scalar(lost) == 0, key


def test_one_seed_is_one_year(db: Session) -> None:
    found: list[Mapping[str, object]] = []
    for seed in (1, 1, 2):
        with db.begin_nested() as before:
            fill(db, seed)
            found.append(sums(db))
            before.rollback()
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_its_numbers_are_those_of_its_rows(db: Session) -> None:
    fill(db)
    rollups.forget(db)
    roll(db, NOW)
    assert_equal_to_raw(db)


def test_it_is_made_once_and_only_on_ones_own_machine(
    emptied: sa.Engine, adjust: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--people", "8", "--messages", "60"]
    adjust(PUBLIC_URL="https://example.org")
    assert seed_demo.main(small) == 1
    assert "not one" in capsys.readouterr().err
    adjust(PUBLIC_URL="http://127.0.0.1:8000")
    assert seed_demo.main(small) == 0
    assert seed_demo.main(small) == 1
    assert "here already" in capsys.readouterr().err
    with Session(emptied) as db:
        assert db.scalar(sa.text("SELECT count(*) FROM users")) == 8
        assert {rule: found for rule, found in ledger.audit(db).items() if found} == {}
        assert_equal_to_raw(db)
