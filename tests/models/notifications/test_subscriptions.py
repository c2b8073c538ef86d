"""Browsers that show notifications: whose they are, and when they are so no more."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.notifications import subscriptions
from models.notifications.subscriptions import MOST, MOST_FAILURES, Keys, SubscriptionTaken
from models.people import sessions
from models.schema.notifications import PushSubscription
from models.schema.sessions import UserSession
from models.schema.users import User


def login(db: Session, user: User) -> UserSession:
    return sessions.open_for(db, user, "Firefox on Linux")


def keys(name: str, secret: str = "s") -> Keys:
    return Keys(f"https://push.example/{name}", f"key-of-{name}", f"{secret}-of-{name}")


def endpoints(db: Session, user: User) -> list[str]:
    return [device.subscription.endpoint[21:] for device in subscriptions.list_live(db, user.id)]


def test_a_browser_shows_notifications_until_its_login_ends(db: Session, ada: User) -> None:
    phone, laptop = login(db, ada), login(db, ada)
    subscriptions.subscribe(db, phone, keys("phone"))
    subscriptions.subscribe(db, laptop, keys("laptop"))
    assert endpoints(db, ada) == ["laptop", "phone"]

    sessions.revoke(db, ada.id, phone.id)
    assert endpoints(db, ada) == ["laptop"]
    laptop.expires_at = laptop.created_at
    db.flush()
    assert endpoints(db, ada) == []


def test_a_login_has_one_subscription(db: Session, ada: User) -> None:
    phone = login(db, ada)
    for name in ("old", "new", "new"):
        subscriptions.subscribe(db, phone, keys(name))
    assert endpoints(db, ada) == ["new"]


def test_nobody_takes_over_an_endpoint_without_its_keys(db: Session, ada: User, eve: User) -> None:
    subscriptions.subscribe(db, login(db, ada), keys("phone"))
    with pytest.raises(SubscriptionTaken):
        subscriptions.subscribe(db, login(db, eve), keys("phone", secret="guessed"))
    with pytest.raises(SubscriptionTaken):
        mixed = Keys(keys("phone").endpoint, "another", keys("phone").auth)
        subscriptions.subscribe(db, login(db, eve), mixed)
    assert endpoints(db, ada) == ["phone"]
    assert endpoints(db, eve) == []


def test_a_shared_browser_shows_what_is_of_whoever_switched_it_on_last(
    db: Session, ada: User, eve: User
) -> None:
    subscriptions.subscribe(db, login(db, ada), keys("library"))
    subscriptions.subscribe(db, login(db, eve), keys("library"))
    assert endpoints(db, ada) == []
    assert endpoints(db, eve) == ["library"]


def test_nobody_removes_the_browsers_of_others(db: Session, ada: User, eve: User) -> None:
    hers = subscriptions.subscribe(db, login(db, ada), keys("phone"))
    subscriptions.remove_own(db, eve.id, hers.id)
    assert endpoints(db, ada) == ["phone"]
    subscriptions.remove_own(db, ada.id, hers.id)
    assert endpoints(db, ada) == []


def test_there_are_only_so_many(db: Session, ada: User, eve: User) -> None:
    subscriptions.subscribe(db, login(db, eve), keys("eves"))
    for number in range(MOST + 2):
        subscriptions.subscribe(db, login(db, ada), keys(f"{number}"))
    assert len(endpoints(db, ada)) == MOST
    assert f"{MOST + 1}" in endpoints(db, ada)
    assert endpoints(db, eve) == ["eves"]


def test_one_that_is_refused_again_and_again_goes(db: Session, ada: User) -> None:
    phone = subscriptions.subscribe(db, login(db, ada), keys("phone"))
    for _ in range(MOST_FAILURES - 1):
        subscriptions.note_failure(db, phone.id)
    subscriptions.note_success(db, phone.id)
    for _ in range(MOST_FAILURES - 1):
        subscriptions.note_failure(db, phone.id)
    assert endpoints(db, ada) == ["phone"]
    subscriptions.note_failure(db, phone.id)
    assert db.scalars(sa.select(PushSubscription)).all() == []
