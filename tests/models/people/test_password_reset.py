"""Forgotten and changed passwords."""

import re
from collections.abc import Callable, Generator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.channels import accounts
from models.database import unit_of_work
from models.people import email_change, password_reset, passwords, sessions, users, verification
from models.people.email_tokens import LinkUsedUp
from models.reminders import feeds
from models.schema.email_tokens import EmailToken
from models.schema.emails import Email, EmailKind
from models.schema.users import User
from settings import get_settings
from tests import factories

NEW = "a whole new sentence"


def mails(db: Session, recipient: str) -> list[Email]:
    found = sa.select(Email).where(Email.recipient == recipient).order_by(Email.id)
    return list(db.scalars(found))


def secret_in(mail: Email) -> str:
    found = re.search(r"token=(\S+)", mail.text_body)
    assert found
    return found[1]


def forgotten(db: Session, email: str) -> str:
    password_reset.ask(db, email)
    assert password_reset.answer_next(db)
    return secret_in(mails(db, email)[-1])


def test_a_new_password_replaces_the_old_one_and_every_login(db: Session, ada: User) -> None:
    session = sessions.open_for(db, ada, "Firefox")
    secret = forgotten(db, "ada@example.org")
    password_reset.choose(db, secret, NEW, network_address=None)

    assert users.authenticate(db, ada.email, NEW).id == ada.id
    with pytest.raises(users.WrongCredentials):
        users.authenticate(db, ada.email, factories.PASSWORD)
    assert sessions.find_live(db, session.id) is None
    assert [mail.kind for mail in mails(db, ada.email)] == [
        EmailKind.PASSWORD_RESET,
        EmailKind.PASSWORD_CHANGED,
    ]
    with pytest.raises(LinkUsedUp):
        password_reset.choose(db, secret, NEW, network_address=None)


def test_asking_looks_for_nobody_and_answering_tells_only_who_is_there(
    db: Session, ada: User
) -> None:
    password_reset.ask(db, " NOBODY@example.org ")
    password_reset.ask(db, "Ada@Example.org")
    assert password_reset.has_requests(db)
    assert db.scalars(sa.select(EmailToken)).all() == []

    assert password_reset.answer_next(db)
    assert password_reset.answer_next(db)
    assert not password_reset.answer_next(db)
    assert not password_reset.has_requests(db)
    assert [mail.recipient for mail in db.scalars(sa.select(Email))] == [ada.email]
    with pytest.raises(users.BadAddress):
        password_reset.ask(db, "no address")


def test_a_bad_password_leaves_the_link_as_it_was(db: Session, ada: User) -> None:
    secret = forgotten(db, ada.email)
    with pytest.raises(users.BadPassword):
        password_reset.choose(db, secret, "short", network_address=None)
    password_reset.choose(db, secret, NEW, network_address=None)


def test_two_tasks_answer_a_request_once(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        factories.user(db, "ada@example.org")
        password_reset.ask(db, "ada@example.org")

    with Session(emptied) as one, Session(emptied) as other:
        assert password_reset.answer_next(one)
        assert not password_reset.answer_next(other)
        one.commit()
    with unit_of_work() as db:
        assert len(mails(db, "ada@example.org")) == 1


def test_changing_the_password_needs_the_old_one_and_keeps_this_browser(
    db: Session, ada: User
) -> None:
    here, phone = sessions.open_for(db, ada, "Firefox"), sessions.open_for(db, ada, "Phone")
    forgotten_before = forgotten(db, ada.email)
    with pytest.raises(users.WrongPassword):
        password_reset.change(db, ada, old="a guess", new=NEW, keep=here.id)
    password_reset.change(db, ada, old=factories.PASSWORD, new=NEW, keep=here.id)

    assert sessions.find_live(db, here.id) is not None
    assert sessions.find_live(db, phone.id) is None
    assert users.authenticate(db, ada.email, NEW).id == ada.id
    with pytest.raises(LinkUsedUp):
        password_reset.choose(db, forgotten_before, "something else again", network_address=None)


def test_a_reset_lets_go_of_messengers_and_calendars_and_a_change_does_not(
    db: Session, ada: User
) -> None:
    here = sessions.open_for(db, ada, "Firefox")
    ada.email_verified_at = utc_now()
    accounts.link(db, ada.id, "pigeon", "ada-outside", "ada-outside", "Ada")
    reading = feeds.renew(db, ada.id)

    password_reset.change(db, ada, old=factories.PASSWORD, new=NEW, keep=here.id)
    assert accounts.find_own(db, ada.id, "pigeon") is not None
    assert feeds.reader(db, reading) is not None
    assert "stay so" in mails(db, ada.email)[-1].text_body

    secret = forgotten(db, ada.email)
    password_reset.choose(db, secret, "another sentence", network_address=None)
    assert accounts.find_own(db, ada.id, "pigeon") is None
    assert feeds.reader(db, reading) is None
    assert "linked no more" in mails(db, ada.email)[-1].text_body


def test_whatever_was_set_up_with_somebodys_address_ends_when_its_owner_takes_it(
    db: Session, verifying: None
) -> None:
    # Somebody signs up with an address of Grace's, and waits for her.
    squatter = factories.user(db, "grace@example.org")
    verification.send_link(db, squatter)
    (welcome,) = mails(db, squatter.email)
    session = sessions.open_for(db, squatter, "Thief")
    email_change.ask(db, session, password=factories.PASSWORD, email="thief@example.org")
    (moving,) = mails(db, "thief@example.org")
    reading = feeds.renew(db, squatter.id)

    reset = forgotten(db, squatter.email)
    owner = password_reset.choose(db, reset, NEW, network_address="8.8.8.8")
    assert owner.id != squatter.id
    assert owner.email_verified_at is not None
    assert owner.credits_balance_micros == get_settings().sign_up_grant_micros
    assert sessions.find_live(db, session.id) is None
    assert feeds.reader(db, reading) is None
    with pytest.raises(LinkUsedUp):
        email_change.change(db, secret_in(moving), session, network_address=None)
    with pytest.raises(LinkUsedUp):
        verification.verify(db, secret_in(welcome), network_address=None)


def test_a_reset_is_refused_for_an_address_to_which_nothing_can_be_sent(db: Session) -> None:
    with pytest.raises(users.UnreachableAddress):
        password_reset.ask(db, "é@example.org")


@pytest.mark.parametrize("password", ["password", "ada@example.org", "Shellmate1"])
def test_a_password_that_others_would_guess_is_refused_wherever_it_is_chosen(
    db: Session, ada: User, password: str
) -> None:
    session = sessions.open_for(db, ada, "Firefox")
    with pytest.raises(users.CommonPassword):
        users.sign_up(db, "grace@example.org", password.replace("ada@", "grace@"))
    with pytest.raises(users.CommonPassword):
        password_reset.change(db, ada, old=factories.PASSWORD, new=password, keep=session.id)
    secret = forgotten(db, ada.email)
    with pytest.raises(users.CommonPassword):
        password_reset.choose(db, secret, password, network_address=None)
    password_reset.choose(db, secret, NEW, network_address=None)


@pytest.fixture
def meanwhile() -> Generator[Callable[[Callable[[], None]], None]]:
    """Has something happen once while a password is being computed."""

    def _arrange(happens: Callable[[], None]) -> None:
        def _run(work: Callable[[], Any]) -> Any:
            passwords.set_executor(lambda later: later())
            result = work()
            happens()
            return result

        passwords.set_executor(_run)

    yield _arrange
    passwords.set_executor(lambda work: work())


def test_whoever_logs_in_while_a_new_password_is_set_is_not_in(
    emptied: sa.Engine, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        secret = forgotten(db, ada.email)

    def _reset() -> None:
        with unit_of_work() as db:
            password_reset.choose(db, secret, NEW, network_address=None)

    meanwhile(_reset)
    with unit_of_work() as db, pytest.raises(users.WrongCredentials):
        users.authenticate(db, ada.email, factories.PASSWORD)


def test_whoever_logs_in_while_an_admin_suspends_that_is_not_in(
    emptied: sa.Engine, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")

    def _suspend() -> None:
        with unit_of_work() as db:
            ledger.lock_account(db, ada.id).sign_in_suspended_at = utc_now()

    meanwhile(_suspend)
    with unit_of_work() as db:
        user = users.authenticate(db, "ada@example.org", factories.PASSWORD)
        with pytest.raises(sessions.SignInSuspended):
            sessions.open_for(db, user, "Firefox")


def test_nor_does_a_thief_replace_a_password_that_is_just_replaced(
    emptied: sa.Engine, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        session = sessions.open_for(db, ada, "Thief")
        secret = forgotten(db, ada.email)

    def _reset() -> None:
        with unit_of_work() as db:
            password_reset.choose(db, secret, NEW, network_address=None)

    meanwhile(_reset)
    with unit_of_work() as db, pytest.raises(users.WrongPassword):
        thiefs = db.get_one(User, ada.id)
        password_reset.change(
            db, thiefs, old=factories.PASSWORD, new="a thief was here", keep=session.id
        )
    with unit_of_work() as db:
        assert users.authenticate(db, ada.email, NEW).id == ada.id
