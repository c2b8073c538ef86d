"""Each user takes each step once: the first time counts, whenever the clock looks."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import ledger
from models.ops import overview, product_events, rollups
from models.ops.overview import Range
from models.schema.channels import ChannelAccount
from models.schema.product_events import FunnelDay, ProductEvent, ProductEventKind
from models.schema.users import User
from tests.models.ops.test_rollups import BEGAN, DAY, HOUR, at, message, newcomer, roll


def gather(db: Session, now: datetime) -> None:
    db.flush()
    while not product_events.gather(db, now):
        pass


def steps(db: Session, user: User) -> Mapping[str, datetime]:
    wanted = sa.select(ProductEvent).where(ProductEvent.user_id == user.id)
    return {one.kind.value: one.happened_at for one in db.scalars(wanted)}


def full_life(db: Session) -> User:
    """Everything happens to Ada, most of it twice."""
    ada = newcomer(db, "ada", BEGAN)
    ada.email_verified_at, ada.onboarded_at = BEGAN + HOUR, BEGAN + 2 * HOUR
    for hours in (3, 30):
        message(db, ada, BEGAN + hours * HOUR, 10)
        with at(BEGAN + hours * HOUR):
            user = ledger.lock_account(db, ada.id)
            ledger.top_up(db, user, 5_000_000, reference=f"payment:{hours}")
    db.add(
        ChannelAccount(
            user_id=ada.id, channel="telegram", account_id="1", address="1", name="Ada",
            linked_at=BEGAN + 4 * HOUR,
        )
    )  # fmt: skip
    db.flush()
    return ada


def test_the_first_time_counts_however_often_it_is_gathered(db: Session) -> None:
    ada = full_life(db)
    eve = newcomer(db, "eve", BEGAN + DAY)
    for now in (BEGAN + 5 * HOUR, BEGAN + 5 * HOUR, BEGAN + 3 * DAY, BEGAN + 3 * DAY):
        gather(db, now)
    found = steps(db, ada)
    assert set(found) == set(ProductEventKind) - {ProductEventKind.FIRST_REMINDER}
    assert found["first_message"] == found["first_top_up"] == BEGAN + 3 * HOUR
    assert found["first_answer"] > found["first_message"]
    assert set(steps(db, eve)) == {"signed_up", "onboarded"}


def test_a_funnel_follows_who_signed_up_to_the_step_they_take_later(db: Session) -> None:
    ada = full_life(db)
    eve = newcomer(db, "eve", BEGAN)
    gather(db, BEGAN + DAY)
    message(db, eve, BEGAN + 20 * DAY, 10)
    gather(db, BEGAN + 21 * DAY)
    day = rollups.day_floor(BEGAN)
    funnel = product_events.read_funnel(db, day, day + DAY)
    assert (funnel[ProductEventKind.SIGNED_UP], funnel[ProductEventKind.VERIFIED]) == (2, 1)
    assert funnel[ProductEventKind.FIRST_ANSWER] == 2
    assert sum(product_events.read_funnel(db, day + DAY, day + 40 * DAY).values()) == 0
    # All is there again when it is made anew, and nobody took a step twice.
    before = db.execute(sa.select(FunnelDay.kind, FunnelDay.users)).all()
    rollups.forget(db)
    gather(db, BEGAN + 21 * DAY)
    again = db.execute(sa.select(FunnelDay.kind, FunnelDay.users)).all()
    assert sorted(again) == sorted(before)
    assert len(steps(db, ada)) == 7


@pytest.mark.parametrize(("wanted", "count"), [(Range.DAY, 6), (Range.WEEK, 42)])
def test_a_range_within_days_is_counted_to_the_hour(db: Session, wanted: Range, count: int) -> None:
    """As its other numbers are: one signed up every four hours for three weeks, the last wrote."""
    now = datetime(2026, 10, 10, 17, 30, tzinfo=UTC)
    came = [newcomer(db, f"user{hours}", now - hours * HOUR) for hours in range(0, 21 * 24, 4)]
    message(db, came[0], now, 10)
    roll(db, now)
    gather(db, now)
    found = overview.read(db, wanted, now)
    assert found.now.sign_ups == found.retention.newcomers == count
    assert found.funnel[ProductEventKind.SIGNED_UP] == count
    assert found.funnel_before[ProductEventKind.SIGNED_UP] == count
    assert found.funnel[ProductEventKind.FIRST_MESSAGE] == found.retention.activated == 1


def test_who_came_back_is_read_by_the_month_of_signing_up(db: Session) -> None:
    ada, eve = newcomer(db, "ada", BEGAN), newcomer(db, "eve", BEGAN)
    for user, days in ((ada, 1), (eve, 1), (ada, 40)):
        message(db, user, BEGAN + timedelta(days=days), 10)
    now = BEGAN + timedelta(days=45)
    roll(db, now)
    gather(db, now)
    found = overview.read(db, Range.YEAR, now)
    march, april = found.cohorts[-2:]
    assert (march.newcomers, march.active) == (2, [2, 1])
    assert (april.newcomers, april.active) == (0, [0])
    assert found.funnel[ProductEventKind.FIRST_MESSAGE] == 2
