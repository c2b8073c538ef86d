"""Accounts, their sessions, and what people say about themselves."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from models.base import utc_now
from models.people import sessions, users
from models.people.users import Profile
from models.schema.users import User
from settings import get_settings
from tests import factories


def test_a_new_account_has_the_grant_and_is_found_again(db: Session) -> None:
    created = users.sign_up(db, " Grace@Example.org ", factories.PASSWORD)

    assert created.email == "grace@example.org"
    assert created.credits_balance_micros == get_settings().sign_up_grant_micros
    found = users.authenticate(db, "GRACE@example.org", factories.PASSWORD)
    assert found.id == created.id


def test_the_password_itself_is_not_kept(db: Session, ada: User) -> None:
    assert ada.password_hash
    assert factories.PASSWORD not in ada.password_hash
    assert ada.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize("address", ["", "ada", "ada@", "@example.org", "ada@example", "a b@c.de"])
def test_bad_addresses_are_refused(db: Session, address: str) -> None:
    with pytest.raises(users.BadAddress):
        users.sign_up(db, address, factories.PASSWORD)


@pytest.mark.parametrize("password", ["", "seven77", "x" * 201])
def test_bad_passwords_are_refused(db: Session, password: str) -> None:
    with pytest.raises(users.BadPassword):
        users.sign_up(db, "grace@example.org", password)


@pytest.mark.parametrize(
    ("spelled", "normal"),
    [
        (" Ada@ＥＸＡＭＰＬＥ.org ", "ada@example.org"),
        ("ADA@example。org", "ada@example.org"),
        ("ada@xn--bcher-kva.example", "ada@bücher.example"),
        ("ada@BÜCHER.example", "ada@bücher.example"),
        ("E\u0301@example.org", "é@example.org"),
        ("ada@faß.example", "ada@faß.example"),
    ],
)
def test_an_address_has_one_form_however_it_is_spelled(spelled: str, normal: str) -> None:
    assert users.normal_address(spelled) == normal
    assert users.normal_address(normal) == normal


@pytest.mark.parametrize("address", ["é@example.org", "ａda@example.org", "почта@example.org"])
def test_an_address_that_many_servers_do_not_know_is_refused(db: Session, address: str) -> None:
    with pytest.raises(users.UnreachableAddress):
        users.sign_up(db, address, factories.PASSWORD)


def test_a_taken_address_is_refused_without_saying_so(db: Session, ada: User) -> None:
    with pytest.raises(users.SignUpRefused) as refusal:
        users.sign_up(db, ada.email.upper(), factories.PASSWORD)
    assert "taken" not in str(refusal.value)


def test_unknown_addresses_and_wrong_passwords_get_the_same_answer(db: Session, ada: User) -> None:
    with pytest.raises(users.WrongCredentials) as wrong:
        users.authenticate(db, ada.email, "wrong password")
    with pytest.raises(users.WrongCredentials) as unknown:
        users.authenticate(db, "nobody@example.org", factories.PASSWORD)
    with pytest.raises(users.WrongCredentials) as malformed:
        users.authenticate(db, "not an address", factories.PASSWORD)
    assert str(wrong.value) == str(unknown.value) == str(malformed.value)


@pytest.mark.parametrize(
    "profile",
    [
        Profile("", "Europe/Berlin", ""),
        Profile("Ada", "Europe/Atlantis", ""),
        Profile("A" * 81, "Europe/Berlin", ""),
        Profile("Ada", "Europe/Berlin", "x" * 2001),
    ],
)
def test_bad_profiles_are_refused_and_change_nothing(
    db: Session, ada: User, profile: Profile
) -> None:
    with pytest.raises(users.BadProfile):
        users.complete_onboarding(ada, profile)
    assert ada.name == "Ada"


def test_a_session_lives_until_it_is_revoked(db: Session, ada: User, eve: User) -> None:
    session = sessions.open_for(db, ada, "Firefox")
    assert sessions.find_live(db, session.id) is not None

    sessions.revoke(db, eve.id, session.id)
    assert sessions.find_live(db, session.id) is not None
    sessions.revoke(db, ada.id, session.id)
    assert sessions.find_live(db, session.id) is None


def test_nobody_is_shown_the_browsers_of_others(db: Session, ada: User, eve: User) -> None:
    session = sessions.open_for(db, ada, "Firefox")

    assert sessions.list_live(db, ada.id) == [session]
    assert sessions.list_live(db, eve.id) == []


def test_a_session_expires(db: Session, ada: User) -> None:
    session = sessions.open_for(db, ada, "Firefox")

    with time_machine.travel(utc_now() + timedelta(days=get_settings().session_days + 1)):
        assert sessions.find_live(db, session.id) is None
        assert sessions.list_live(db, ada.id) == []
