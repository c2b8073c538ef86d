"""Everybody's browsers on the site in this process."""

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from gateways.s3_files import Storage
from tests.channels.fixtures import pigeon
from tests.channels.pigeon import Pigeon
from tests.embedded.fake_stripe.served import ServedStripe
from tests.fuzz import world
from tests.fuzz.fields import Visitor
from tests.fuzz.site import SETTINGS, visitors_of
from tests.fuzz.world import Role, World
from tests.push_service import VAPID_KEY
from tests.webapp.conftest import app, shared_app

__all__ = ["app", "pigeon", "shared_app"]


@pytest.fixture
def people(
    db: Session,
    adjust: Callable[..., None],
    stripe: ServedStripe,
    storage: Storage,
    pigeon: Pigeon,
) -> World:
    """Everybody, where addresses are verified, credits are sold and nothing is counted."""
    assert stripe
    assert storage
    assert pigeon
    adjust(**{name: SETTINGS[name] for name in SETTINGS if name.endswith("_RATE_LIMIT")})
    adjust(VERIFY_EMAIL="true", VAPID_PRIVATE_KEY=VAPID_KEY)
    built = world.build(db)
    db.commit()
    return built


@pytest.fixture
def visitors(app: Flask, people: World) -> Mapping[Role, Visitor]:
    """Everybody's login, and a stranger's token."""
    assert people
    return visitors_of(app)
