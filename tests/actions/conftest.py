"""The ways on which Ada is told of something."""

import pytest
from sqlalchemy.orm import Session

from models.channels import accounts
from models.notifications import subscriptions
from models.notifications.subscriptions import Keys
from models.people import sessions
from models.schema.channels import ChannelAccount
from models.schema.notifications import PushSubscription
from models.schema.users import User
from tests.push_service import PushService


@pytest.fixture
def phone(db: Session, ada: User, push_service: PushService) -> PushSubscription:
    """Ada's phone, on which notifications are on."""
    session = sessions.open_for(db, ada, "a phone")
    return subscriptions.subscribe(db, session, Keys(**push_service.device().as_form()))


@pytest.fixture
def messenger(db: Session, ada: User) -> ChannelAccount:
    """Ada's messenger."""
    return accounts.link(db, ada.id, "telegram", "4711", "4711", "Ada")
