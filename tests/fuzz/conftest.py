"""Everybody's browsers on the site in this process."""

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.embedded.stripe_stand_in.served import ServedStripe
from tests.fuzz import world
from tests.fuzz.fields import Visitor
from tests.fuzz.world import ADDRESSES, ROLES, Role, World
from tests.webapp.browser import Browser
from tests.webapp.conftest import app

__all__ = ["app"]

OFTEN = "1000000 per minute"


@pytest.fixture
def people(
    db: Session,
    adjust: Callable[..., None],
    stripe: ServedStripe,
) -> World:
    """Everybody, where addresses are verified, credits are sold and nothing is counted."""
    assert stripe
    limits = ("LOGIN", "SIGNUP", "MAIL", "PAYMENT", "POST")
    adjust(VERIFY_EMAIL="true", **{f"{name}_RATE_LIMIT": OFTEN for name in limits})
    built = world.build(db)
    db.commit()
    return built


@pytest.fixture
def visitors(app: Flask, people: World) -> Mapping[Role, Visitor]:
    """Everybody's login, and a stranger's."""
    assert people
    found: dict[Role, Visitor] = {}
    for role in ROLES:
        browser = Browser(app)
        if role != "stranger":
            assert browser.log_in(ADDRESSES[role]).status_code == 303
        token = browser.token()
        cookie = browser.client.get_cookie("session")
        assert cookie
        found[role] = Visitor(f"session={cookie.value}", token)
    return found
