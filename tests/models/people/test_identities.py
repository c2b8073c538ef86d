"""Accounts at Google that open accounts here: whose they are, and that the last way in stays."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.base import utc_now
from models.database import unit_of_work
from models.people import email_change, email_tokens, identities, password_reset, sessions, users
from models.people.identities import HasAnotherIdentity, IdentityTaken, LastWayIn, ProvenIdentity
from models.people.users import NoPassword, WrongCredentials, WrongPassword
from models.schema.email_tokens import LinkPurpose
from models.schema.emails import Email, EmailKind
from models.schema.identities import Identity
from models.schema.users import User
from tests import factories
from tests.locks import wait_for_waiter

ADAS = ProvenIdentity("1001", "ada@example.org")
OTHER = ProvenIdentity("1002", "countess@example.org")
NEW = "a whole new sentence"


def kinds(db: Session, address: str) -> list[EmailKind]:
    mails = sa.select(Email.kind).where(Email.recipient == address).order_by(Email.id)
    return list(db.scalars(mails))


def google_alone(db: Session, user: User) -> User:
    """Leave a person with Google as the only way in."""
    identities.connect(db, user.id, ADAS)
    user.password_hash = None
    db.flush()
    return user


def test_an_identity_opens_its_account_by_its_subject_whatever_its_address(
    db: Session, ada: User
) -> None:
    assert identities.sign_in(db, ADAS) is None
    identities.connect(db, ada.id, ADAS)
    before = identities.find(db, ada.id)
    assert before
    used_before = before.last_used_at
    moved = ProvenIdentity(ADAS.subject, "lovelace@example.org")
    assert identities.sign_in(db, moved) == ada
    known = identities.find(db, ada.id)
    assert known
    assert (known.email, known.subject) == ("lovelace@example.org", "1001")
    assert known.last_used_at > used_before
    assert identities.sign_in(db, ProvenIdentity("1003", ADAS.email)) is None
    assert kinds(db, ada.email) == [EmailKind.GOOGLE_CONNECTED]


def test_only_subject_and_address_are_kept(db: Session, ada: User) -> None:
    identities.connect(db, ada.id, ADAS)
    row = db.execute(sa.select(sa.text("*")).select_from(Identity)).mappings().one()
    assert set(row) == {"id", "user_id", "kind", "subject", "email", "created_at", "last_used_at"}


def test_one_identity_opens_one_account_and_one_account_has_one_of_a_kind(
    db: Session, ada: User, eve: User
) -> None:
    identities.connect(db, ada.id, ADAS)
    with pytest.raises(IdentityTaken):
        identities.connect(db, eve.id, ADAS)
    with pytest.raises(HasAnotherIdentity):
        identities.connect(db, ada.id, OTHER)
    # Twice is once, and is told once.
    identities.connect(db, ada.id, ADAS)
    assert kinds(db, ada.email) == [EmailKind.GOOGLE_CONNECTED]
    assert identities.find(db, eve.id) is None
    assert kinds(db, eve.email) == []


def test_disconnecting_is_told_and_leaves_nobody_without_a_way_in(db: Session, ada: User) -> None:
    google_alone(db, ada)
    with pytest.raises(LastWayIn):
        identities.disconnect(db, ada.id)
    assert identities.sign_in(db, ADAS) == ada
    users_hash = users.hashed_new(NEW, ada.email)
    ada.password_hash = users_hash
    db.flush()
    identities.disconnect(db, ada.id)
    identities.disconnect(db, ada.id)
    assert identities.sign_in(db, ADAS) is None
    assert kinds(db, ada.email) == [EmailKind.GOOGLE_CONNECTED, EmailKind.GOOGLE_DISCONNECTED]


def test_an_account_is_disconnected_by_its_owner_alone(db: Session, ada: User, eve: User) -> None:
    identities.connect(db, ada.id, ADAS)
    identities.disconnect(db, eve.id)
    assert identities.find(db, ada.id)


@pytest.mark.usefixtures("verifying")
def test_an_address_that_nobody_verified_is_told_nothing(db: Session, ada: User) -> None:
    identities.connect(db, ada.id, ADAS)
    identities.disconnect(db, ada.id)
    assert kinds(db, ada.email) == []


def test_without_a_password_every_password_is_wrong(db: Session, ada: User) -> None:
    google_alone(db, ada)
    for password in ("", factories.PASSWORD):
        with pytest.raises(WrongCredentials):
            users.authenticate(db, ada.email, password)
        with pytest.raises(NoPassword):
            users.check_password(ada, password)
    assert issubclass(NoPassword, WrongPassword)
    session = sessions.open_for(db, ada, "Firefox")
    with pytest.raises(NoPassword):
        email_change.ask(db, session, password="", email="new@example.org")


def test_changing_the_password_chooses_a_first_one_where_there_is_none(
    db: Session, ada: User
) -> None:
    google_alone(db, ada)
    here = sessions.open_for(db, ada, "Firefox")
    there = sessions.open_for(db, ada, "Chrome")
    with pytest.raises(users.BadPassword):
        password_reset.change(db, ada, old="", new="short", keep=here.id)
    password_reset.change(db, ada, old="whatever", new=NEW, keep=here.id)
    assert users.authenticate(db, ada.email, NEW) == ada
    assert sessions.find_live(db, here.id)
    assert sessions.find_live(db, there.id) is None
    with pytest.raises(WrongPassword):
        password_reset.change(db, ada, old="", new="another whole sentence", keep=here.id)
    # The mail says that Google opens it as well.
    told = db.scalars(sa.select(Email).where(Email.kind == EmailKind.PASSWORD_CHANGED)).one()
    assert "or your Google account ada@example.org" in told.text_body


def test_undoing_a_change_of_address_lets_no_identity_in(db: Session, ada: User) -> None:
    # Whoever has the password and connects an account of theirs would come back by it.
    identities.connect(db, ada.id, OTHER)
    undo = email_tokens.make(db, ada, LinkPurpose.ADDRESS_UNDO, address="before@example.org")
    email_change.undo(db, undo)
    assert identities.sign_in(db, OTHER) is None
    db.refresh(ada)
    assert not ada.has_password


@pytest.mark.parametrize("is_verified", [False, True])
def test_a_reset_ends_an_identity_where_nobody_had_verified_the_address(
    db: Session, ada: User, is_verified: bool
) -> None:
    ada.email_verified_at = utc_now() if is_verified else None
    identities.connect(db, ada.id, OTHER)
    secret = email_tokens.make(db, ada, LinkPurpose.PASSWORD_RESET, address=ada.email)
    password_reset.choose(db, secret, NEW, network_address=None)
    assert (identities.sign_in(db, OTHER) == ada) is is_verified


def test_of_two_accounts_at_once_one_gets_the_identity(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        people = [factories.user(db, f"{name}@example.org").id for name in ("ada", "eve")]

    def _connect(of: int) -> None:
        with unit_of_work() as db:
            identities.connect(db, people[of], ADAS)

    with ThreadPoolExecutor(2) as pool:
        errors = [one.exception(10) for one in [pool.submit(_connect, of) for of in range(2)]]
    assert sorted(type(error).__name__ for error in errors) == ["IdentityTaken", "NoneType"]


def test_signing_in_waits_for_who_disconnects(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org").id
        identities.connect(db, ada, ADAS)

    def _sign_in() -> User | None:
        with unit_of_work() as db:
            return identities.sign_in(db, ADAS)

    with Session(emptied) as first, ThreadPoolExecutor(1) as pool:
        identities.disconnect(first, ada)
        late = pool.submit(_sign_in)
        wait_for_waiter(emptied)
        first.commit()
        assert late.result(10) is None
