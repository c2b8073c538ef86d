"""Admins of each role, with their browsers.

Olga owns the business, Sam helps users, Vic looks.
"""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from models.people import users
from models.schema.admins import AdminRole
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser


def _admin(db: Session, name: str, role: AdminRole) -> User:
    person = factories.user(db, f"{name}@example.org", name=name.title())
    users.set_admin_role(person, role)
    db.commit()
    return person


@pytest.fixture
def olga(db: Session) -> User:
    """Is an owner."""
    return _admin(db, "olga", AdminRole.OWNER)


@pytest.fixture
def olgas(olga: User, log_in: Callable[[User], Browser]) -> Browser:
    """Olga's browser, logged in."""
    return log_in(olga)


@pytest.fixture
def sams(db: Session, log_in: Callable[[User], Browser]) -> Browser:
    """Sam's browser, logged in."""
    return log_in(_admin(db, "sam", AdminRole.SUPPORT))


@pytest.fixture
def vics(db: Session, log_in: Callable[[User], Browser]) -> Browser:
    """Vic's browser, logged in."""
    return log_in(_admin(db, "vic", AdminRole.VIEWER))
