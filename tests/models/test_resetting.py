"""Forgotten and changed passwords, and changed addresses."""

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import free_credit, readdressing, resetting, sessions, users
from models.database import unit_of_work
from models.letters import LetterKind
from models.mailed_links import LinkUsedUp, MailedLink
from models.outbox import Email
from models.users import User
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
    resetting.ask(db, email)
    assert resetting.answer_next(db)
    return secret_in(mails(db, email)[-1])


def test_a_new_password_replaces_the_old_one_and_every_login(db: Session, ada: User) -> None:
    session = sessions.open_for(db, ada, "Firefox")
    secret = forgotten(db, "ada@example.org")
    resetting.choose(db, secret, NEW, network_address=None)

    assert users.authenticate(db, ada.email, NEW).id == ada.id
    with pytest.raises(users.WrongCredentials):
        users.authenticate(db, ada.email, factories.PASSWORD)
    assert sessions.find_live(db, session.id) is None
    assert [mail.kind for mail in mails(db, ada.email)] == [
        LetterKind.PASSWORD_RESET,
        LetterKind.PASSWORD_CHANGED,
    ]
    with pytest.raises(LinkUsedUp):
        resetting.choose(db, secret, NEW, network_address=None)


def test_asking_looks_for_nobody_and_answering_tells_only_who_is_there(
    db: Session, ada: User
) -> None:
    resetting.ask(db, " NOBODY@example.org ")
    resetting.ask(db, "Ada@Example.org")
    assert resetting.has_requests(db)
    assert db.scalars(sa.select(MailedLink)).all() == []

    assert resetting.answer_next(db)
    assert resetting.answer_next(db)
    assert not resetting.answer_next(db)
    assert not resetting.has_requests(db)
    assert [mail.recipient for mail in db.scalars(sa.select(Email))] == [ada.email]
    with pytest.raises(users.BadAddress):
        resetting.ask(db, "no address")


def test_a_bad_password_leaves_the_link_as_it_was(db: Session, ada: User) -> None:
    secret = forgotten(db, ada.email)
    with pytest.raises(users.BadPassword):
        resetting.choose(db, secret, "short", network_address=None)
    resetting.choose(db, secret, NEW, network_address=None)


def test_two_tasks_answer_a_request_once(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        factories.user(db, "ada@example.org")
        resetting.ask(db, "ada@example.org")

    with Session(emptied) as one, Session(emptied) as other:
        assert resetting.answer_next(one)
        assert not resetting.answer_next(other)
        one.commit()
    with unit_of_work() as db:
        assert len(mails(db, "ada@example.org")) == 1


def test_changing_the_password_needs_the_old_one_and_keeps_this_browser(
    db: Session, ada: User
) -> None:
    here, phone = sessions.open_for(db, ada, "Firefox"), sessions.open_for(db, ada, "Phone")
    forgotten_before = forgotten(db, ada.email)
    with pytest.raises(users.WrongPassword):
        resetting.change(db, ada, old="a guess", new=NEW, keep=here.id)
    resetting.change(db, ada, old=factories.PASSWORD, new=NEW, keep=here.id)

    assert sessions.find_live(db, here.id) is not None
    assert sessions.find_live(db, phone.id) is None
    assert users.authenticate(db, ada.email, NEW).id == ada.id
    with pytest.raises(LinkUsedUp):
        resetting.choose(db, forgotten_before, "something else again", network_address=None)


def test_a_new_address_counts_when_its_link_is_opened_and_the_old_one_is_told(
    db: Session, ada: User
) -> None:
    readdressing.ask(db, ada, password=factories.PASSWORD, email="Countess@Example.org")
    assert ada.email == "ada@example.org"
    (mail,) = mails(db, "countess@example.org")

    readdressing.change(db, secret_in(mail), network_address=None)
    assert ada.email == "countess@example.org"
    assert ada.email_verified_at is not None
    (told,) = mails(db, "ada@example.org")
    assert "c…@example.org" in told.text_body
    assert "countess" not in told.text_body


def test_changing_the_address_is_refused_where_it_must_be(
    db: Session, ada: User, eve: User
) -> None:
    with pytest.raises(users.WrongPassword):
        readdressing.ask(db, ada, password="a guess", email="countess@example.org")
    with pytest.raises(users.BadAddress):
        readdressing.ask(db, ada, password=factories.PASSWORD, email="nothing")
    with pytest.raises(readdressing.SameAddress):
        readdressing.ask(db, ada, password=factories.PASSWORD, email="ADA@example.org")
    assert db.scalars(sa.select(Email)).all() == []

    # Whether Eve has an account is told to nobody but her.
    readdressing.ask(db, ada, password=factories.PASSWORD, email=eve.email)
    (mail,) = mails(db, eve.email)
    with pytest.raises(readdressing.AddressTaken):
        readdressing.change(db, secret_in(mail), network_address=None)
    assert ada.email == "ada@example.org"


def test_only_the_newest_new_address_is_taken(db: Session, ada: User) -> None:
    for address in ("one@example.org", "two@example.org"):
        readdressing.ask(db, ada, password=factories.PASSWORD, email=address)
    with pytest.raises(LinkUsedUp):
        readdressing.change(db, secret_in(mails(db, "one@example.org")[0]), network_address=None)
    readdressing.change(db, secret_in(mails(db, "two@example.org")[0]), network_address=None)
    assert ada.email == "two@example.org"


def test_a_new_address_brings_no_second_grant(db: Session, ada: User) -> None:
    before = ada.credits_balance_micros
    readdressing.ask(db, ada, password=factories.PASSWORD, email="countess@example.org")
    secret = secret_in(mails(db, "countess@example.org")[0])
    readdressing.change(db, secret, network_address="8.8.8.8")
    assert ada.credits_balance_micros == before
    assert free_credit.find_refusal(db, ada.id) is None
