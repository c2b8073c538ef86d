"""Fixtures for whatever is about channels; each folder's conftest names those that it wants."""

from collections.abc import Generator

import pytest
from sqlalchemy.orm import Session

from channels import registry
from models.schema.users import User
from tests.channels.loft import Hand, Loft
from tests.channels.pigeon import Pigeon


@pytest.fixture
def pigeon() -> Generator[Pigeon]:
    """The only channel of this process."""
    made = Pigeon()
    registry.install([made])
    yield made
    registry.install([])


@pytest.fixture
def loft(db: Session, pigeon: Pigeon, redis_url: str) -> Loft:
    """Where pigeons come in and go out."""
    assert redis_url
    return Loft(db, pigeon)


@pytest.fixture
def adas_bird(loft: Loft, ada: User) -> Hand:
    """Ada's hand on her messenger, which is linked."""
    loft.link(ada, "ada-outside")
    return loft.at("ada-outside")
