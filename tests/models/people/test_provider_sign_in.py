"""Continuing with Google: new people, known addresses, and squatters."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.database import unit_of_work
from models.people import email_tokens, identities, provider_sign_in, sessions, sign_ups, users
from models.people.email_tokens import LinkUsedUp
from models.people.free_credit import find_refusal
from models.people.identities import HasAnotherIdentity, ProvenIdentity
from models.people.provider_sign_in import (
    AddressKnown,
    AddressReserved,
    Entry,
    NotTheBrowserThatAsked,
)
from models.people.users import WrongPassword
from models.schema.email_tokens import LinkPurpose
from models.schema.emails import Email, EmailKind
from models.schema.free_credit import RefusalReason
from models.schema.identities import Identity
from models.schema.ledger import FreezeReason
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.webapp.accounts.test_verification import links, token_of

GRACE = "grace@example.org"
GRACES = ProvenIdentity("2001", GRACE)
HOME = "8.8.8.8"
DOLLAR = 1_000_000


@pytest.fixture(autouse=True)
def by_mail(adjust: Callable[..., None]) -> None:
    adjust(VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="true")


@pytest.fixture
def known(db: Session, ada: User) -> User:
    """Has verified her address and had the free credit with it."""
    ada.email_verified_at = utc_now()
    db.flush()
    return ada


def enter(db: Session, proven: ProvenIdentity, network: str | None = HOME) -> Entry:
    return provider_sign_in.enter(db, proven, network_address=network)


def by_password(db: Session, proven: ProvenIdentity, password: str) -> User:
    return provider_sign_in.connect_by_password(db, proven, password, network_address=HOME)


def mailed(db: Session, proven: ProvenIdentity) -> str:
    provider_sign_in.send_link(db, proven)
    return token_of(links(db, proven.email)[-1])


def by_link(db: Session, secret: str, proven: ProvenIdentity | None) -> User:
    return provider_sign_in.connect_by_link(db, secret, proven, network_address=HOME)


def test_a_new_persons_account_begins_verified_with_the_free_credit_and_no_password(
    db: Session,
) -> None:
    entry = enter(db, ProvenIdentity("2001", "Grace@Example.org"))
    grace = entry.user
    assert entry.is_new
    assert grace.email == GRACE
    assert grace.email_verified_at
    assert not grace.has_password
    assert not grace.is_onboarded
    assert grace.credits_promotional_micros == DOLLAR
    again = enter(db, GRACES)
    assert (again.user, again.is_new) == (grace, False)
    assert grace.credits_balance_micros == DOLLAR
    assert list(db.scalars(sa.select(Email.kind))) == []


@pytest.mark.parametrize("verifies", ["true", "false"])
def test_the_free_credit_is_once_a_mailbox_with_google_too(
    db: Session, adjust: Callable[..., None], verifies: str
) -> None:
    adjust(VERIFY_EMAIL=verifies)
    assert enter(db, ProvenIdentity("1", "g.race@gmail.com")).user.credits_balance_micros == DOLLAR
    again = enter(db, ProvenIdentity("2", "grace+2@googlemail.com")).user
    assert again.credits_balance_micros == 0
    assert find_refusal(db, again.id) is RefusalReason.CLAIMED


def test_throwaway_addresses_and_busy_networks_get_no_credit_with_google_either(
    db: Session, adjust: Callable[..., None]
) -> None:
    throwaway = enter(db, ProvenIdentity("1", "grace@mailinator.com")).user
    assert find_refusal(db, throwaway.id) is RefusalReason.DISPOSABLE
    adjust(FREE_GRANTS_PER_NETWORK="1")
    assert enter(db, ProvenIdentity("2", "a@example.org")).user.credits_balance_micros == DOLLAR
    late = enter(db, ProvenIdentity("3", "b@example.org")).user
    assert find_refusal(db, late.id) is RefusalReason.NETWORK
    assert enter(db, ProvenIdentity("4", "c@example.org"), None).user.credits_balance_micros


@pytest.mark.parametrize("email", ["é@example.org", "no address", "a@b"])
def test_an_address_that_no_account_may_have_is_refused(db: Session, email: str) -> None:
    with pytest.raises(users.BadAddress):
        enter(db, ProvenIdentity("1", email))
    assert db.scalar(sa.select(sa.func.count(User.id))) == 0


def test_whose_address_changed_at_google_comes_in_all_the_same(db: Session, known: User) -> None:
    grace = enter(db, GRACES).user
    # Even if it is somebody else's here by now, or none that an account may have.
    for email in (known.email, "é@example.org"):
        assert enter(db, ProvenIdentity("2001", email)).user == grace
    assert grace.email == GRACE


def test_a_known_address_is_not_connected_by_googles_word_alone(db: Session, known: User) -> None:
    with pytest.raises(AddressKnown):
        enter(db, ProvenIdentity("1", " ADA@example.org"))
    assert db.scalar(sa.select(sa.func.count(Identity.id))) == 0


def test_a_frozen_account_may_be_looked_at_and_stays_frozen(db: Session) -> None:
    grace = enter(db, GRACES).user
    ledger.freeze(grace, FreezeReason.AUDIT)
    assert enter(db, GRACES).user.spendable_micros == 0


def test_an_address_that_may_be_taken_back_is_nobody_elses(db: Session, known: User) -> None:
    email_tokens.make(db, known, LinkPurpose.ADDRESS_UNDO, address=GRACE)
    with pytest.raises(AddressReserved):
        enter(db, GRACES)


def test_it_ends_the_sign_ups_of_that_address(db: Session) -> None:
    waiting = sign_ups.ask(db, GRACE, factories.PASSWORD)
    sign_ups.answer_next(db)
    link = token_of(links(db, GRACE)[0])
    grace = enter(db, GRACES).user
    with pytest.raises(LinkUsedUp):
        sign_ups.confirm(
            db, link, browser=waiting.id, password=factories.PASSWORD, network_address=HOME
        )
    assert sign_ups.go_on(db, waiting.id) is None
    assert not grace.has_password


def test_who_presses_several_times_at_once_has_one_account(
    emptied: sa.Engine, adjust: Callable[..., None]
) -> None:
    assert emptied
    adjust(VERIFY_EMAIL="true", PASSWORD_MEMORY_KIB="64")

    def _enter() -> None:
        with unit_of_work() as db:
            enter(db, GRACES)

    outcomes = factories.in_parallel(6, _enter)
    assert outcomes == [None] * 6
    with unit_of_work() as db:
        assert db.scalar(sa.select(sa.func.count(User.id))) == 1
        assert db.scalar(sa.select(sa.func.count(Identity.id))) == 1
        assert db.scalars(sa.select(User.credits_balance_micros)).one() == DOLLAR


def test_the_accounts_password_connects_it(db: Session, known: User) -> None:
    proven = ProvenIdentity("1", "Ada@example.org")
    with pytest.raises(WrongPassword):
        by_password(db, proven, "guessed")
    assert identities.find(db, known.id) is None
    assert by_password(db, proven, factories.PASSWORD) == known
    assert enter(db, proven).user == known
    assert db.scalars(sa.select(Email.kind)).all() == [EmailKind.GOOGLE_CONNECTED]


def test_no_password_fits_an_account_without_one(db: Session, known: User) -> None:
    known.password_hash = None
    for password in ("", factories.PASSWORD):
        with pytest.raises(WrongPassword):
            by_password(db, ProvenIdentity("1", known.email), password)


def test_an_account_with_another_google_account_is_not_opened_by_a_second(
    db: Session, known: User
) -> None:
    identities.connect(db, known.id, ProvenIdentity("1", known.email))
    second = ProvenIdentity("2", known.email)
    with pytest.raises(HasAnotherIdentity):
        by_password(db, second, factories.PASSWORD)
    secret = mailed(db, second)
    with pytest.raises(HasAnotherIdentity):
        by_link(db, secret, second)


def test_the_password_of_an_unverified_account_verifies_it_with_googles_word(
    db: Session, ada: User
) -> None:
    assert ada.email_verified_at is None
    by_password(db, ProvenIdentity("1", ada.email), factories.PASSWORD)
    assert ada.email_verified_at
    assert ada.has_password


def test_a_mailed_link_connects_it_once_and_keeps_the_password(db: Session, known: User) -> None:
    proven = ProvenIdentity("1", known.email)
    secret = mailed(db, proven)
    assert by_link(db, secret, proven) == known
    with pytest.raises(LinkUsedUp):
        by_link(db, secret, proven)
    assert users.authenticate(db, known.email, factories.PASSWORD) == known


@pytest.mark.parametrize("held", [None, ProvenIdentity("1", "eve@example.org")])
def test_the_link_is_for_the_browser_that_came_from_google(
    db: Session, known: User, held: ProvenIdentity | None
) -> None:
    secret = mailed(db, ProvenIdentity("1", known.email))
    with pytest.raises(NotTheBrowserThatAsked):
        by_link(db, secret, held)
    assert identities.find(db, known.id) is None


def test_the_link_works_for_an_hour(db: Session, known: User) -> None:
    proven = ProvenIdentity("1", known.email)
    secret = mailed(db, proven)
    with time_machine.travel(utc_now() + timedelta(hours=1)), pytest.raises(LinkUsedUp):
        by_link(db, secret, proven)


def test_nobody_is_mailed_who_has_no_account(db: Session) -> None:
    provider_sign_in.send_link(db, GRACES)
    assert db.scalar(sa.select(sa.func.count(Email.id))) == 0


def test_the_link_leaves_nothing_of_who_squatted_on_the_address(db: Session, ada: User) -> None:
    assert ada.email_verified_at is None
    squatters = sessions.open_for(db, ada, "Firefox")
    identities.connect(db, ada.id, ProvenIdentity("666", "mallory@example.org"))
    proven = ProvenIdentity("1", ada.email)
    pending = email_tokens.make(db, ada, LinkPurpose.PASSWORD_RESET, address=ada.email)
    address = ada.email
    owner = by_link(db, mailed(db, proven), proven)
    assert (owner.id != ada.id, owner.email) == (True, address)
    assert owner.email_verified_at
    assert not owner.has_password
    assert sessions.find_live(db, squatters.id) is None
    assert identities.sign_in(db, ProvenIdentity("666", "mallory@example.org")) is None
    with pytest.raises(LinkUsedUp):
        email_tokens.find(db, pending, LinkPurpose.PASSWORD_RESET)


def test_a_mailed_sign_up_leaves_nothing_of_who_squatted_either(db: Session, ada: User) -> None:
    identities.connect(db, ada.id, ProvenIdentity("666", "mallory@example.org"))
    waiting = sign_ups.ask(db, ada.email, "a whole new sentence")
    sign_ups.answer_next(db)
    link = token_of(links(db, ada.email)[-1])
    sign_ups.confirm(db, link, browser=waiting.id, password="", network_address=HOME)
    assert identities.sign_in(db, ProvenIdentity("666", "mallory@example.org")) is None


def test_the_letter_names_the_product_and_the_address(db: Session, known: User) -> None:
    mailed(db, ProvenIdentity("1", known.email))
    letter = db.scalars(sa.select(Email)).one()
    assert letter.kind is EmailKind.GOOGLE_CONNECTION
    assert get_settings().product_name in letter.text_body
    assert "/login/google/confirmation?token=" in letter.text_body
