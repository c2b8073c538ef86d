"""What came in: once each, in the order of each account, and what is missing is waited for."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.channels import accounts, gaps, groups, updates
from models.channels.updates import NewUpdate
from models.database import unit_of_work
from models.schema.channels import ChannelUpdate, UpdateStatus
from models.schema.users import User
from tests import factories

LEASE = timedelta(minutes=1)


def come(
    db: Session, number: int | None, name: str = "ada", *, group_id: str | None = None
) -> ChannelUpdate:
    known: dict[str, Any] = {"account_id": name, "message_id": None, "payload": {"n": number}}
    external_id = f"{number}" if number is not None else f"{name}-{group_id}"
    new = updates.receive(db, "pigeon", NewUpdate(external_id, number, group_id=group_id, **known))
    assert new
    updates.leave(new)
    db.flush()
    return new


def claim(db: Session) -> list[int]:
    found = updates.claim(db, ["pigeon"], LEASE, most=10)
    rows = [db.get_one(ChannelUpdate, one.id, populate_existing=True) for one in found]
    return sorted(row.number or 0 for row in rows)


def wait(db: Session, seconds: float) -> None:
    """Let so much time pass for all that came."""
    gone = timedelta(seconds=seconds)
    db.execute(
        sa.update(ChannelUpdate).values(
            received_at=ChannelUpdate.received_at - gone, ready_at=ChannelUpdate.ready_at - gone
        )
    )
    db.expire_all()


@pytest.mark.parametrize(
    ("before", "new", "is_missing"),
    [
        ([], 7, False),
        ([6], 7, False),
        ([5], 7, True),
        ([5, 6], 7, False),
        ([4, 6], 7, True),
        ([4], 7, True),
        ([8], 7, False),
        ([5, 8], 7, True),
        ([5, 8], 6, False),
    ],
)
def test_a_number_that_is_missing_is_seen(
    db: Session, before: list[int], new: int, *, is_missing: bool
) -> None:
    for number in before:
        come(db, number, "eve")
    assert gaps.has_gap(db, come(db, new)) is is_missing


def test_what_settled_long_ago_is_waited_for_no_more(db: Session) -> None:
    come(db, 3)
    come(db, 5)
    wait(db, 60)
    assert not gaps.has_gap(db, come(db, 6))
    assert gaps.has_gap(db, come(db, 8))


def test_while_nothing_later_came_what_is_missing_is_waited_for_longer(db: Session) -> None:
    come(db, 3)
    wait(db, 60)
    last = come(db, 5)
    wait(db, 3)
    # The door may have been closed since.
    assert gaps.has_gap(db, last)
    later = come(db, 6)
    assert not gaps.has_gap(db, last)
    assert not gaps.has_gap(db, later)


def test_nothing_is_waited_for_without_end(db: Session) -> None:
    come(db, 3)
    wait(db, 60)
    last = come(db, 5)
    wait(db, 11)
    assert not gaps.has_gap(db, last)


def test_a_messenger_that_counts_anew_is_not_waited_for(db: Session) -> None:
    come(db, 3)
    assert not gaps.has_gap(db, come(db, 5_000_000))


def test_a_channel_without_numbers_has_no_gaps(db: Session) -> None:
    assert not gaps.has_gap(db, come(db, None))


def test_the_same_comes_once_in_each_channel(db: Session) -> None:
    come(db, 1)
    again = NewUpdate("1", 1, "ada", None, None, {})
    assert updates.receive(db, "pigeon", again) is None
    assert updates.receive(db, "telegraph", again) is not None


def test_of_each_account_the_first_is_claimed(db: Session) -> None:
    for number, name in ((1, "ada"), (2, "ada"), (3, "eve")):
        come(db, number, name)
    assert claim(db) == [1, 3]
    assert claim(db) == []
    first = db.scalars(sa.select(ChannelUpdate).where(ChannelUpdate.number == 1)).one()
    updates.close(db, [first], UpdateStatus.DONE)
    assert claim(db) == [2]


def test_a_group_waits_to_become_whole(db: Session) -> None:
    first, second = come(db, 1, group_id="g"), come(db, 2, group_id="g")
    come(db, 3)
    assert claim(db) == []
    assert [one.number for one in groups.group_of(db, first)] == [1, 2]
    assert not groups.has_settled(db, [first, second])
    wait(db, 2)
    assert claim(db) == [1]
    assert groups.has_settled(db, groups.group_of(db, first))


def test_whoever_came_lets_those_go_on_that_waited(db: Session) -> None:
    first = come(db, 1)
    third = come(db, 3, "eve")
    gaps.await_gap(db, third)
    updates.close(db, [first], UpdateStatus.DONE)
    assert claim(db) == []
    second = come(db, 2)
    updates.close(db, [second], UpdateStatus.DONE)
    gaps.hasten(db, second)
    assert claim(db) == [3]


def test_nobody_who_hastens_waits_for_whoever_is_at_work(emptied: Engine) -> None:
    assert emptied
    with unit_of_work() as db:
        first, second = come(db, 1), come(db, 2, "eve")
        gaps.await_gap(db, second)
    with unit_of_work() as at_work, unit_of_work() as other:
        busy = sa.select(ChannelUpdate.id).where(ChannelUpdate.id == second.id)
        at_work.execute(busy.with_for_update())
        # A lock that it waited for would end the test after seconds.
        gaps.hasten(other, first)


def test_each_account_is_one_users_and_each_user_has_one(db: Session, ada: User, eve: User) -> None:
    mine = accounts.link(db, ada.id, "pigeon", "a", "a", "Ada")
    assert accounts.link(db, ada.id, "pigeon", "a", "elsewhere", "Ada L.") is mine
    assert (mine.address, mine.name) == ("elsewhere", "Ada L.")
    with pytest.raises(accounts.LinkedElsewhere):
        accounts.link(db, eve.id, "pigeon", "a", "a", "Eve")
    with pytest.raises(accounts.OtherLinked):
        accounts.link(db, ada.id, "pigeon", "b", "b", "Ada")
    accounts.link(db, eve.id, "telegraph", "a", "a", "Eve")


def test_of_two_who_link_the_same_account_at_once_one_is_refused(emptied: Engine) -> None:
    assert emptied
    with unit_of_work() as db:
        people = [factories.user(db, f"{name}@example.org").id for name in ("ada", "eve")]

    def _link() -> None:
        with unit_of_work() as db:
            accounts.link(db, people.pop(), "pigeon", "a", "a", "")

    failures = [error for error in factories.in_parallel(2, _link) if error]
    assert [type(error) for error in failures] == [accounts.LinkedElsewhere]
