"""Verifying an address brings the grant, once; before that nothing is asked of the assistant."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import ledger
from models.database import unit_of_work
from models.email import outbox
from models.people import users, verification
from models.people.email_tokens import LinkUsedUp
from models.schema.emails import Email, EmailKind
from models.schema.ledger import Transaction
from models.schema.users import User
from settings import get_settings
from tests import factories

pytestmark = pytest.mark.usefixtures("verifying")

HERE = "8.8.8.8"


def newcomer(db: Session, email: str = "grace@example.org") -> User:
    user = factories.user(db, email)
    verification.send_link(db, user)
    return user


def secret_for(db: Session, email: str = "grace@example.org") -> str:
    """The secret of the link in the newest mail to somebody."""
    newest = sa.select(Email.text_body).where(Email.recipient == email).order_by(Email.id.desc())
    found = re.search(r"token=(\S+)", db.scalars(newest.limit(1)).one())
    assert found
    return found[1]


def test_a_newcomer_has_nothing_until_their_address_is_verified(db: Session) -> None:
    grace = newcomer(db)
    assert verification.is_awaited(grace)
    assert grace.credits_balance_micros == 0

    verified = verification.verify(db, secret_for(db), network_address=HERE)
    assert verified.id == grace.id
    assert not verification.is_awaited(grace)
    assert grace.credits_balance_micros == get_settings().sign_up_grant_micros
    assert ledger.drift(db, grace.id) == 0


def test_the_mail_says_what_is_promised(db: Session) -> None:
    newcomer(db)
    mail = db.scalars(sa.select(Email)).one()
    assert (mail.recipient, mail.kind) == ("grace@example.org", EmailKind.VERIFICATION)
    assert "$1.00 of credit is yours" in mail.text_body
    assert f"{get_settings().public_url}/verification?token=" in mail.text_body


def test_a_message_before_that_is_refused(db: Session) -> None:
    grace = newcomer(db)
    with pytest.raises(verification.AddressNotVerified):
        factories.job(db, grace)
    verification.verify(db, secret_for(db), network_address=HERE)
    factories.job(db, grace)


def test_who_bought_credit_need_not_wait_for_the_mail(db: Session) -> None:
    grace = newcomer(db)
    ledger.grant(db, grace.id, 5, reference="gift:1")
    factories.job(db, grace)


def test_every_link_that_was_sent_works_until_one_is_used(db: Session) -> None:
    grace = newcomer(db)
    first = secret_for(db)
    verification.send_link(db, grace)
    verification.verify(db, first, network_address=HERE)
    with pytest.raises(LinkUsedUp):
        verification.verify(db, secret_for(db), network_address=HERE)
    verification.send_link(db, grace)
    assert db.scalar(sa.select(sa.func.count()).select_from(Email)) == 2


def test_two_verifications_at_once_give_one_grant(emptied: sa.Engine) -> None:
    secrets: list[str] = []
    with unit_of_work() as db:
        grace = newcomer(db)
        secrets.append(secret_for(db))
        verification.send_link(db, grace)
        secrets.append(secret_for(db))

    def _verify() -> None:
        with unit_of_work() as db:
            verification.verify(db, secrets.pop(), network_address=HERE)

    outcomes = factories.in_parallel(2, _verify)
    assert sorted(str(type(outcome).__name__) for outcome in outcomes) == ["LinkUsedUp", "NoneType"]
    with unit_of_work() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Transaction)) == 1
        assert ledger.drift(db, grace.id) == 0


def test_where_it_is_switched_off_the_grant_comes_with_the_account(
    db: Session, adjust: Callable[..., None]
) -> None:
    adjust(VERIFY_EMAIL="false")
    grace = users.sign_up(db, "grace@example.org", factories.PASSWORD)
    verification.send_link(db, grace)
    assert grace.credits_balance_micros == get_settings().sign_up_grant_micros
    assert not outbox.has_due(db)
