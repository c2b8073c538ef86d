"""Changed addresses: who may change one, what that retires, and how its owner undoes it."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from models.base import utc_now
from models.people import (
    email_change,
    email_tokens,
    free_credit,
    password_reset,
    sessions,
    sign_out,
    sign_ups,
    two_factor,
    users,
)
from models.people.email_tokens import LinkUsedUp
from models.schema.emails import Email, EmailKind
from models.schema.sessions import UserSession
from models.schema.users import User
from tests import factories
from tests.models.people.test_password_reset import NEW, forgotten, mails, secret_in
from tests.models.people.test_two_factor import shown

NEW_ADDRESS = "countess@example.org"
WEEK = timedelta(days=7)


@pytest.fixture
def here(db: Session, ada: User) -> UserSession:
    """The browser in which Ada is logged in."""
    return sessions.open_for(db, ada, "Firefox")


def asked(db: Session, session: UserSession, email: str = NEW_ADDRESS) -> str:
    """The secret of the link that was mailed to a new address."""
    email_change.ask(db, session, password=factories.PASSWORD, email=email)
    return secret_in(mails(db, email)[-1])


def moved(db: Session, session: UserSession, email: str = NEW_ADDRESS) -> None:
    email_change.change(db, asked(db, session, email), session, network_address=None)


def undoing(db: Session, recipient: str) -> list[str]:
    """The secrets of the links that undo it, of all mails to an address, oldest first."""
    return [secret_in(mail) for mail in mails(db, recipient) if "address/undo" in mail.text_body]


def is_used_up(db: Session, session: UserSession, secret: str) -> bool:
    try:
        email_change.change(db, secret, session, network_address=None)
    except LinkUsedUp:
        return True
    return False


def test_a_new_address_counts_when_its_link_is_opened_and_the_old_one_is_told(
    db: Session, ada: User, here: UserSession
) -> None:
    email_change.ask(db, here, password=factories.PASSWORD, email="Countess@Example.org")
    secret = secret_in(mails(db, NEW_ADDRESS)[-1])
    assert ada.email == "ada@example.org"
    (told,) = mails(db, "ada@example.org")
    assert told.kind is EmailKind.ADDRESS_CHANGE_ASKED

    email_change.change(db, secret, here, network_address=None)
    assert ada.email == NEW_ADDRESS
    assert ada.email_verified_at is not None
    assert [mail.kind for mail in mails(db, "ada@example.org")] == [
        EmailKind.ADDRESS_CHANGE_ASKED,
        EmailKind.ADDRESS_CHANGED,
    ]
    for mail in mails(db, "ada@example.org"):
        assert "c…@example.org" in mail.text_body
        assert "countess" not in mail.text_body


def test_changing_the_address_is_refused_where_it_must_be(
    db: Session, ada: User, eve: User, here: UserSession
) -> None:
    for email, refusal in (
        ("nothing", users.BadAddress),
        ("é@example.org", users.UnreachableAddress),
        ("ADA@ＥＸＡＭＰＬＥ.org", email_change.SameAddress),
    ):
        with pytest.raises(refusal):
            email_change.ask(db, here, password=factories.PASSWORD, email=email)
    with pytest.raises(users.WrongPassword):
        email_change.ask(db, here, password="a guess", email=NEW_ADDRESS)
    assert db.scalars(sa.select(Email)).all() == []

    # Whether Eve has an account is told to nobody but her.
    secret = asked(db, here, eve.email)
    with pytest.raises(email_change.AddressTaken):
        email_change.change(db, secret, here, network_address=None)
    assert ada.email == "ada@example.org"


def test_only_the_newest_new_address_is_taken(db: Session, ada: User, here: UserSession) -> None:
    first, second = asked(db, here, "one@example.org"), asked(db, here, "two@example.org")
    assert is_used_up(db, here, first)
    email_change.change(db, second, here, network_address=None)
    assert ada.email == "two@example.org"


def test_a_new_address_brings_no_second_grant(db: Session, ada: User, here: UserSession) -> None:
    before = ada.credits_balance_micros
    email_change.change(db, asked(db, here), here, network_address="8.8.8.8")
    assert ada.credits_balance_micros == before
    assert free_credit.find_refusal(db, ada.id) is None


def test_a_thief_who_knew_the_password_is_shut_out_by_a_new_one(
    db: Session, ada: User, here: UserSession
) -> None:
    thiefs = sessions.open_for(db, ada, "Thief")
    by_reset = asked(db, thiefs, "thief@example.org")
    password_reset.choose(db, forgotten(db, ada.email), NEW, network_address=None)
    assert is_used_up(db, thiefs, by_reset)

    again = sessions.open_for(db, ada, "Ada")
    email_change.ask(db, again, password=NEW, email="thief@example.org")
    by_change = secret_in(mails(db, "thief@example.org")[-1])
    # Even the browser that goes on has to ask again.
    password_reset.change(db, ada, old=NEW, new="another sentence", keep=again.id)
    assert is_used_up(db, again, by_change)
    assert ada.email == "ada@example.org"


def test_the_link_needs_the_session_that_asked(db: Session, ada: User, here: UserSession) -> None:
    phone = sessions.open_for(db, ada, "Phone")
    secret = asked(db, here)
    for other in (phone, None):
        with pytest.raises(email_change.OtherBrowser):
            email_change.change(db, secret, other, network_address=None)
    sessions.revoke(db, ada.id, here.id)
    assert is_used_up(db, here, secret)


def test_logging_out_everywhere_else_retires_what_was_pending(
    db: Session, ada: User, here: UserSession
) -> None:
    thiefs = sessions.open_for(db, ada, "Thief")
    moving, resetting_secret = asked(db, thiefs), forgotten(db, ada.email)
    own = asked(db, here, "own@example.org")
    sign_out.everywhere_else(db, ada.id, keep=here.id)
    assert is_used_up(db, thiefs, moving)
    assert is_used_up(db, here, own)
    with pytest.raises(LinkUsedUp):
        password_reset.choose(db, resetting_secret, NEW, network_address=None)


def test_a_changed_address_retires_links_that_went_to_the_old_one(
    db: Session, ada: User, here: UserSession
) -> None:
    reset = forgotten(db, ada.email)
    moved(db, here)
    moved(db, here, "ada@example.org")
    # It went to this address, but before it was away.
    with pytest.raises(LinkUsedUp):
        password_reset.choose(db, reset, NEW, network_address=None)


@pytest.mark.parametrize("is_moved", [False, True])
def test_the_owner_undoes_it_and_everybody_is_out(
    db: Session, ada: User, here: UserSession, is_moved: bool
) -> None:
    secret = asked(db, here, "thief@example.org")
    if is_moved:
        email_change.change(db, secret, here, network_address=None)
    with time_machine.travel(utc_now() + WEEK - timedelta(minutes=5)):
        new = email_change.undo(db, undoing(db, "ada@example.org")[0])
        assert ada.email == "ada@example.org"
        assert sessions.find_live(db, here.id) is None
        assert is_used_up(db, here, secret)
        with pytest.raises(users.WrongCredentials):
            users.authenticate(db, ada.email, factories.PASSWORD)
        for used in undoing(db, "ada@example.org"):
            with pytest.raises(LinkUsedUp):
                email_change.undo(db, used)

        assert secret_in(mails(db, "ada@example.org")[-1]) == new
        password_reset.choose(db, new, NEW, network_address=None)
        assert users.authenticate(db, ada.email, NEW).id == ada.id


def test_undoing_leaves_one_link_alone_the_new_one(
    db: Session, ada: User, here: UserSession
) -> None:
    asked(db, here)
    before = forgotten(db, ada.email)
    secret = email_change.undo(db, undoing(db, ada.email)[0])
    with pytest.raises(LinkUsedUp):
        password_reset.choose(db, before, NEW, network_address=None)
    password_reset.choose(db, secret, NEW, network_address=None)


def test_it_can_be_undone_for_seven_days(db: Session, ada: User, here: UserSession) -> None:
    moved(db, here)
    with time_machine.travel(utc_now() + WEEK + timedelta(minutes=1)):
        for secret in undoing(db, "ada@example.org"):
            with pytest.raises(LinkUsedUp):
                email_change.undo(db, secret)
    assert ada.email == NEW_ADDRESS


def test_a_thief_who_moves_on_can_neither_retire_the_undoing_nor_undo_it(
    db: Session, ada: User, here: UserSession
) -> None:
    moved(db, here, "thief@example.org")
    moved(db, here, "thief-too@example.org")
    password_reset.change(db, ada, old=factories.PASSWORD, new=NEW, keep=here.id)
    (owners, *_), (thiefs, *later) = (
        undoing(db, "ada@example.org"),
        undoing(db, "thief@example.org"),
    )

    # The thief goes back to the first address of theirs; that must not use up Ada's.
    email_change.undo(db, thiefs)
    assert ada.email == "thief@example.org"
    email_change.undo(db, owners)
    assert ada.email == "ada@example.org"
    for secret in later:
        with pytest.raises(LinkUsedUp):
            email_change.undo(db, secret)


def test_nobody_takes_an_address_that_its_owner_may_want_back(
    db: Session, ada: User, eve: User, here: UserSession
) -> None:
    moved(db, here)
    with pytest.raises(users.SignUpRefused):
        sign_ups.at_once(db, "ada@example.org", factories.PASSWORD)
    assert db.scalar(sa.select(User).where(User.email == "ada@example.org")) is None
    eves = sessions.open_for(db, eve, "Eve")
    with pytest.raises(email_change.AddressTaken):
        moved(db, eves, "ada@example.org")
    email_change.undo(db, undoing(db, "ada@example.org")[0])
    assert ada.email == "ada@example.org"


def test_an_address_that_nobody_verified_gets_no_power_over_the_account(
    db: Session, verifying: None
) -> None:
    mistyped = factories.user(db, "grcae@example.org")
    session = sessions.open_for(db, mistyped, "Firefox")
    moved(db, session, "grace@example.org")
    assert mails(db, "grcae@example.org") == []
    assert not email_tokens.is_reserved(db, "grcae@example.org")


@pytest.mark.parametrize(
    ("on_before", "is_left"), [(timedelta(days=6), False), (timedelta(days=8), True)]
)
def test_two_factors_that_a_thief_set_up_first_do_not_shut_the_owner_out(
    db: Session, ada: User, here: UserSession, on_before: timedelta, *, is_left: bool
) -> None:
    with time_machine.travel(utc_now() - on_before, tick=False):
        two_factor.begin(db, here, factories.PASSWORD)
        two_factor.confirm(db, here, shown(db, ada))
    moved(db, here, "thief@example.org")
    email_change.undo(db, undoing(db, "ada@example.org")[-1])
    assert two_factor.is_on(db, ada.id) is is_left
