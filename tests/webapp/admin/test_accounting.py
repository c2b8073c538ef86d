"""A month's money as admins see it: by user, cohort, day, model and channel, and as CSV."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.ops import accounting, profit
from models.schema.rollups import DayTotals, SplitDay, UserMonth
from models.schema.users import User
from tests.webapp.browser import Browser

GIGABYTE = 1 << 30


@pytest.fixture
def month(db: Session, ada: User, eve: User) -> None:
    """What `test_profit_is_what_is_worked_out_by_hand` works out."""
    since, until = profit.month_of(utc_now(), 0)
    ada.created_at = eve.created_at = since
    db.add_all(
        (
            UserMonth(
                user_id=ada.id, begins_at=since, messages=10, revenue_micros=2_000_000,
                cost_micros=1_200_000, busy_ms=1_800_000, topped_up_micros=20_000_000, top_ups=2,
                stored_bytes=2 * GIGABYTE,
            ),
            UserMonth(
                user_id=eve.id, begins_at=since, revenue_micros=9_000_000, cost_micros=5_000_001,
                gone_micros=1_000_000, busy_ms=1, stored_bytes=1,
            ),
            UserMonth(user_id=eve.id, begins_at=until, revenue_micros=77),
            UserMonth(user_id=ada.id, begins_at=since - timedelta(days=20), revenue_micros=77),
        )
    )  # fmt: skip
    db.commit()


def test_profit_is_what_is_worked_out_by_hand(
    db: Session, ada: User, eve: User, month: None
) -> None:
    """By hand, in micro-dollars, at $0.06 an hour, $0.023 a gigabyte and 2.9 % + $0.30.

    Ada: 2,000,000 revenue, 1,200,000 providers; 30 minutes are 30,000; two gigabytes 46,000; two
    top-ups of $10 are 580,000 + 600,000 in fees: 2,000,000 - 1,200,000 - 30,000 - 46,000 -
    1,180,000 = -456,000.
    Eve: 9,000,000 revenue, 5,000,001 providers, 1 ms and 1 byte round to 0, no fees, and 1,000,000
    went back: 2,999,999.
    """
    since, _ = profit.month_of(utc_now(), 0)
    winners, losers = profit.read_best_and_worst(db, since).values()
    assert [(one.user_id, one.amounts.profit_micros) for one in winners] == [
        (eve.id, 2_999_999),
        (ada.id, -456_000),
    ]
    assert [one.user_id for one in losers] == [ada.id, eve.id]
    adas = losers[0].amounts
    assert (adas.fees_micros, adas.compute_micros, adas.storage_micros) == (
        1_180_000,
        30_000,
        46_000,
    )
    sums = profit.read_sums(db, since)
    assert (sums.users, sums.active_users, sums.amounts.profit_micros) == (2, 1, 2_543_999)
    (cohort,) = profit.read_cohorts(db, since)
    assert (cohort.users, cohort.active_users, cohort.amounts) == (2, 1, sums.amounts)
    assert profit.sums_of([cohort]) == sums
    assert profit.sums_of([cohort, cohort]).amounts.profit_micros == 2 * 2_543_999
    units = accounting.units_of(sums)
    assert units.per_user(units.profit_micros) == 2_543_999
    assert units.per_message(units.profit_micros) == 254_399


def test_days_models_and_channels_are_those_of_the_month(
    db: Session, olgas: Browser, ada: User
) -> None:
    since, until = profit.month_of(utc_now(), 0)
    for at in (since - timedelta(days=1), since, since + timedelta(days=1), until):
        db.add(DayTotals(begins_at=at, revenue_micros=3_000_000, cost_micros=1_000_000))
        for channel, model in (("web", "a/one"), ("telegram", "a/one"), ("web", "b/two")):
            db.add(
                SplitDay(
                    begins_at=at, channel=channel, model=model,
                    revenue_micros=1_000_000, cost_micros=333_333,
                )
            )  # fmt: skip
    db.commit()
    days = accounting.read_days(db, since, until)
    assert [one.amounts.profit_micros for one in days] == [2_000_000, 2_000_000]
    assert days[0].name == f"{since:%Y-%m-%d}"
    models = {
        one.name: one.amounts.revenue_micros for one in accounting.read_models(db, since, until)
    }
    assert models == {"a/one": 4_000_000, "b/two": 2_000_000}
    channels = {one.name: one.amounts for one in accounting.read_channels(db, since, until)}
    assert channels["telegram"].profit_micros == 2 * 666_667
    page = olgas.read("/admin/accounting")
    for words in ("Telegram", "b/two", "Profit by day"):
        assert words in page


def test_a_day_stands_beside_the_same_day_of_the_month_before(db: Session, olgas: Browser) -> None:
    """Also where the month before has not all of its days."""
    with time_machine.travel(datetime(2027, 1, 20, 12, tzinfo=UTC)):
        for month, day in ((12, 15), (12, 16), (1, 1), (1, 15)):
            begins_at = datetime(2027 if month == 1 else 2026, month, day, tzinfo=UTC)
            db.add(DayTotals(begins_at=begins_at, revenue_micros=(day + month) * 1_000_000))
        db.commit()
        page = olgas.read("/admin/accounting")
    rows = re.findall(
        r'<th scope="row">(\d+ Jan)</th>\s*<td>(.*?)</td>\s*<td[^>]*>(.*?)</td>', page
    )
    assert rows == [("15 Jan", "$16.00", "$27.00"), ("1 Jan", "$2.00", "$0.00")]


def test_what_free_credit_is_to_cost_is_reckoned_from_the_days_before(
    db: Session, ada: User
) -> None:
    now = utc_now()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for back, used in ((0, 777), (1, 400_000), (28, 200_000), (29, 777)):
        db.add(
            DayTotals(
                begins_at=today - timedelta(days=back), sign_ups=2, free_credit_micros=used,
                sign_up_granted_micros=2_000_000, moved_granted_micros=1_000_000,
            )
        )  # fmt: skip
    db.flush()
    found = accounting.forecast(db, now)
    assert (found.sign_ups, found.granted_micros, found.used_micros) == (4, 4_000_000, 600_000)
    assert (found.outstanding_micros, found.cost_micros) == (4_000_000, 360_000)


def test_all_is_handed_out_as_csv(olgas: Browser, db: Session, ada: User) -> None:
    since, _ = profit.month_of(utc_now(), 0)
    ada.email = "=cmd@example.org"
    db.add(UserMonth(user_id=ada.id, begins_at=since, revenue_micros=1_234_567))
    db.add(DayTotals(begins_at=since, cost_micros=5))
    db.commit()
    assert "$1.23" in olgas.read("/admin/accounting")
    answer = olgas.get("/admin/accounting/people.csv")
    assert answer.mimetype == "text/csv"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["revenue_usd"] == row["profit_usd"] == "1.234567"
    assert row["email"] == "'=cmd@example.org"
    (day,) = csv.DictReader(io.StringIO(olgas.get("/admin/accounting/days.csv").text))
    assert (day["day"], day["profit_usd"]) == (f"{since:%Y-%m-%d}", "-0.000005")
    for what in ("models", "channels", "cohorts"):
        assert olgas.get(f"/admin/accounting/{what}.csv").status_code == 200
    assert olgas.get("/admin/accounting/secrets.csv").status_code == 404
    assert "There was nothing." in olgas.read("/admin/accounting?back=3")
    assert ledger.drift(db, ada.id) == 0
