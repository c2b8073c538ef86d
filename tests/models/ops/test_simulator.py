"""A month once more at other prices: unchanged it is the books, changed it is what one reckons."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.ops import profit, simulator
from models.ops.simulator import Outcome, Rate, Scenario
from models.schema.rollups import UserModelMonth, UserMonth
from models.schema.users import User
from settings import get_settings
from tests.models.ops.test_rollups import BEGAN, DAY, live, roll

MONTH = datetime(2026, 3, 1, tzinfo=UTC)
CHEAP = Rate(Decimal(1), Decimal(2), Decimal("0.1"), Decimal("1.25"))


def replay(db: Session, scenario: Scenario, rates: Mapping[str, Rate] | None = None) -> Outcome:
    db.flush()
    return simulator.replay(db, MONTH, scenario, rates or {})


def month(
    db: Session,
    user: User,
    *,
    bought: int = 60_000,
    granted: int = 0,
    left: int,
    left_granted: int = 0,
) -> UserModelMonth:
    """A user's month: one call, charged at a margin of 40 %, and what they had at its end."""
    db.add(
        UserMonth(
            user_id=user.id, begins_at=MONTH, messages=1, revenue_micros=bought,
            free_credit_micros=granted, cost_micros=36_000, sign_up_granted_micros=granted,
            moved_micros=left, moved_granted_micros=left_granted,
        )
    )  # fmt: skip
    used = UserModelMonth(
        user_id=user.id, begins_at=MONTH, model="a/dear", margin_percent=40, calls=1,
        tokens_in=10_000, tokens_out=2_000, tokens_cache_read=6_000, tokens_cache_write=4_000,
        cost_micros=36_000, charged_micros=bought + granted,
    )  # fmt: skip
    db.add(used)
    return used


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_changes_nothing_has_the_numbers_of_the_books(db: Session, seed: int) -> None:
    live(db, seed, days=40)
    roll(db, BEGAN + 60 * DAY)
    settings = get_settings()
    today = Scenario(
        margin_percent=settings.margin_percent, sign_up_grant_micros=settings.sign_up_grant_micros
    )
    for begins in (MONTH, datetime(2026, 4, 1, tzinfo=UTC)):
        books = profit.read_sums(db, begins).amounts
        assert books.revenue_micros > 0
        for scenario in (Scenario(), today):
            found = simulator.replay(db, begins, scenario, {})
            assert (found.amounts, found.dry_users) == (books, 0)


def test_another_margin_changes_what_is_charged_and_not_what_it_costs(
    db: Session, ada: User
) -> None:
    month(db, ada, left=100_000)
    found = replay(db, Scenario(margin_percent=50))
    assert (found.amounts.revenue_micros, found.amounts.cost_micros) == (72_000, 36_000)
    found = replay(db, Scenario(margin_percent=30))
    # Rounded up, as each charge is.
    assert (found.amounts.revenue_micros, found.dry_users) == (51_429, 0)


def test_who_had_not_had_enough_runs_dry_and_writes_less(db: Session, ada: User, eve: User) -> None:
    month(db, ada, left=5_000)
    month(db, eve, left=12_000)
    found = replay(db, Scenario(margin_percent=50))
    (dry,) = found.dry
    assert (dry.user_id, dry.missing_micros) == (ada.id, 7_000)
    assert (found.dry_users, found.missing_micros) == (1, 7_000)
    assert found.amounts.revenue_micros == 65_000 + 72_000
    # A thirty-sixth and a half of what was asked was not answered: 36,000 * 7 / 72 less.
    assert found.amounts.cost_micros == 32_500 + 36_000


def test_another_default_model_answers_those_who_chose_none(
    db: Session, ada: User, eve: User
) -> None:
    eve.model = "a/dear"
    for user in (ada, eve):
        month(db, user, left=100_000)
    found = replay(db, Scenario(default_model="b/cheap"), {"b/cheap": CHEAP})
    # 10,000 + 2 * 2,000 + 0.1 * 6,000 + 1.25 * 4,000
    assert found.amounts.cost_micros == 19_600 + 36_000
    assert found.amounts.revenue_micros == 32_667 + 60_000
    lost = replay(db, Scenario(default_model="c/unknown"), {"b/cheap": CHEAP})
    assert (lost.unpriced_calls, lost.amounts.cost_micros) == (1, 72_000)


def test_what_no_model_answers_stays_as_it_was(db: Session, ada: User) -> None:
    month(db, ada, left=100_000).model = "searxng/web_search"
    for scenario in (Scenario(default_model="b/cheap"), Scenario(cached_percent=80)):
        db.flush()
        rates = {"b/cheap": CHEAP}
        found = simulator.replay(db, MONTH, scenario, rates, besides=["searxng/web_search"])
        assert (found.amounts.cost_micros, found.unpriced_calls) == (36_000, 0)
        assert found.amounts.revenue_micros == 60_000


def test_another_share_of_input_is_read_from_the_cache(db: Session, ada: User) -> None:
    month(db, ada, left=100_000)
    found = replay(db, Scenario(cached_percent=80), {"a/dear": CHEAP})
    # Of 20,000 are 16,000 read; of the others 4/14 written: 2,858 + 4,000 + 1,600 + 1.25 * 1,142.
    assert found.amounts.cost_micros == 9_886


def test_more_free_credit_is_used_before_bought_credit_and_less_is_missed(
    db: Session, ada: User, eve: User
) -> None:
    month(db, ada, bought=40_000, granted=20_000, left=100_000)
    month(db, eve, left=100_000)
    more = replay(db, Scenario(sign_up_grant_micros=50_000))
    assert (more.amounts.free_credit_micros, more.amounts.revenue_micros) == (50_000, 70_000)
    less = replay(db, Scenario(sign_up_grant_micros=5_000))
    assert (less.amounts.free_credit_micros, less.amounts.revenue_micros) == (5_000, 115_000)


def test_granted_credit_that_is_left_pays_first(db: Session, ada: User) -> None:
    month(db, ada, bought=0, granted=60_000, left=9_000, left_granted=9_000)
    found = replay(db, Scenario(margin_percent=50))
    assert (found.amounts.free_credit_micros, found.amounts.revenue_micros) == (69_000, 0)
    assert found.missing_micros == 3_000
