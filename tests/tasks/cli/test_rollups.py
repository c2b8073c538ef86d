"""Numbers that are added up by hand: what is new, or all of it."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.database import unit_of_work
from models.schema.rollups import DayTotals
from settings import get_settings
from tasks.cli import rollups
from tests import factories
from tests.models.ops.test_rollups import assert_equal_to_raw


def test_what_was_spoilt_is_made_anew(emptied: sa.Engine) -> None:
    assert get_settings()
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        factories.charge(db, factories.running(db, ada), 12_345)
    assert rollups.main([]) == 0
    with Session(emptied) as db, db.begin():
        assert_equal_to_raw(db)
        db.execute(sa.update(DayTotals).values(cost_micros=7))
    assert rollups.main(["--rebuild"]) == 0
    with Session(emptied) as db:
        assert_equal_to_raw(db)
