"""Signing up by mail: nobody is looked up, and an account begins when its link is opened."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import event
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.database import unit_of_work
from models.ops import switches
from models.people import password_reset, sessions, sign_ups, users, verification
from models.people.email_tokens import LinkUsedUp
from models.people.sign_ups import NotItsPassword
from models.people.users import Profile
from models.schema.emails import EmailKind
from models.schema.sign_ups import SignUp
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.models.people.test_password_reset import NEW, forgotten, mails, secret_in

GRACE = "grace@example.org"
HERE = "8.8.8.8"
SQUATTERS = "somebody elses sentence"


@pytest.fixture(autouse=True)
def by_mail(adjust: Callable[..., None]) -> None:
    adjust(VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="true")


def asked(db: Session, email: str = GRACE, password: str = factories.PASSWORD) -> SignUp:
    sign_up = sign_ups.ask(db, email, password)
    while sign_ups.answer_next(db):
        pass
    return sign_up


def secret_for(db: Session, email: str = GRACE) -> str:
    return secret_in(mails(db, email)[-1])


def confirm(
    db: Session, secret: str, password: str = factories.PASSWORD, *, browser: UUID | None = None
) -> User:
    """Open a link in a browser that has signed up for that, and type a password there."""
    return sign_ups.confirm(db, secret, browser=browser, password=password, network_address=HERE)


def find(db: Session, email: str = GRACE) -> User | None:
    return db.scalar(sa.select(User).where(User.email == email))


def verified(db: Session, email: str) -> User:
    user = factories.user(db, email)
    user.email_verified_at = utc_now()
    db.flush()
    return user


def test_an_account_begins_when_its_link_is_opened(db: Session) -> None:
    sign_up = asked(db, " Grace@ＥＸＡＭＰＬＥ.org ")
    sign_ups.complete_onboarding(sign_up, Profile("Grace", "Europe/Berlin", "Ships"))
    assert find(db) is None
    assert [mail.kind for mail in mails(db, GRACE)] == [EmailKind.SIGN_UP]

    confirm(db, secret_for(db))
    grace = find(db)
    assert grace
    assert (grace.name, grace.timezone, grace.needs) == ("Grace", "Europe/Berlin", "Ships")
    assert grace.is_onboarded
    assert grace.credits_balance_micros == get_settings().sign_up_grant_micros
    assert users.authenticate(db, GRACE, factories.PASSWORD).id == grace.id
    assert ledger.drift(db, grace.id) == 0
    with pytest.raises(LinkUsedUp):
        confirm(db, secret_for(db))


def test_who_has_an_account_is_told_so_by_mail_and_keeps_it(db: Session) -> None:
    ada = verified(db, "ada@example.org")
    before = ada.password_hash
    asked(db, ada.email, "a whole new sentence")
    (mail,) = mails(db, ada.email)
    assert mail.kind is EmailKind.SIGN_UP_KNOWN
    assert "token=" not in mail.text_body
    assert "/password/reset" in mail.text_body
    assert ada.password_hash == before


def test_the_same_is_written_for_every_address(db: Session, engine: sa.Engine) -> None:
    ada = verified(db, "ada@example.org")
    # What is read now and then is read now.
    switches.current(db)
    seen: list[list[str]] = []
    for email in (ada.email, GRACE):
        statements: list[str] = []

        def _note(*given: object, statements: list[str] = statements) -> None:
            statements.append(str(given[2]))

        event.listen(engine, "before_cursor_execute", _note)
        sign_ups.ask(db, email, factories.PASSWORD)
        event.remove(engine, "before_cursor_execute", _note)
        seen.append(statements)
    assert seen[0] == seen[1]
    assert not any("users" in statement for statement in seen[0])


def test_every_mail_of_a_sign_up_has_the_same_link(db: Session) -> None:
    sign_up = asked(db)
    first = secret_for(db)
    sign_ups.mail_again(sign_up)
    assert sign_ups.has_requests(db)
    assert sign_ups.answer_next(db)
    assert not sign_ups.has_requests(db)
    assert len(mails(db, GRACE)) == 2
    assert secret_for(db) == first
    kept = db.execute(sa.select(sa.cast(sa.text("sign_ups"), sa.Text)).select_from(SignUp))
    assert first not in str(kept.all())


def test_a_link_that_was_opened_retires_all_others_of_its_address_for_good(db: Session) -> None:
    squatters = asked(db, password=SQUATTERS)
    squatters_secret = secret_for(db)
    asked(db)
    grace = confirm(db, secret_for(db))
    assert sign_ups.go_on(db, squatters.id) is None
    # Not even when the account leaves the address to others, and the mail is asked for again.
    grace.email = "countess@example.org"
    sign_ups.mail_again(squatters)
    before = len(mails(db, GRACE))
    assert sign_ups.answer_next(db)
    assert len(mails(db, GRACE)) == before
    with pytest.raises(LinkUsedUp):
        confirm(db, squatters_secret, SQUATTERS)
    assert users.authenticate(db, grace.email, factories.PASSWORD)


@pytest.mark.parametrize("waits_for_own", [False, True])
def test_somebody_elses_sign_up_does_not_win_the_click_of_who_reads_the_mail(
    db: Session, waits_for_own: bool
) -> None:
    squatters = asked(db, password=SQUATTERS)
    secret = secret_for(db)
    own = asked(db)
    for typed in ("", factories.PASSWORD):
        with pytest.raises(NotItsPassword):
            confirm(db, secret, typed, browser=own.id if waits_for_own else None)
    assert find(db) is None
    assert sign_ups.go_on(db, squatters.id) is None


def test_the_browser_that_signed_up_needs_no_password_for_its_own_link(db: Session) -> None:
    sign_up = asked(db)
    assert confirm(db, secret_for(db), "", browser=sign_up.id) == find(db)


def test_who_reads_the_mail_chooses_their_own_password_and_nothing_else_counts(
    db: Session,
) -> None:
    squatters = asked(db, password=SQUATTERS)
    sign_ups.complete_onboarding(squatters, Profile("Mallory", "Europe/Berlin", "Everything"))
    with pytest.raises(users.CommonPassword):
        sign_ups.confirm_as_own(db, secret_for(db), "password", network_address=HERE)
    assert find(db) is None
    grace = sign_ups.confirm_as_own(db, secret_for(db), NEW, network_address=HERE)
    assert (grace.name, grace.needs, grace.is_onboarded) == ("", "", False)
    assert grace.credits_balance_micros == get_settings().sign_up_grant_micros
    assert users.authenticate(db, GRACE, NEW).id == grace.id
    with pytest.raises(users.WrongCredentials):
        users.authenticate(db, GRACE, SQUATTERS)
    assert sign_ups.go_on(db, squatters.id) is None


def test_the_browser_that_signed_up_does_not_go_on_with_the_same_password_chosen_elsewhere(
    db: Session,
) -> None:
    squatters = asked(db)
    sign_ups.confirm_as_own(db, secret_for(db), factories.PASSWORD, network_address=HERE)
    assert sign_ups.go_on(db, squatters.id) is None
    assert not squatters.password_hash


def test_what_somebody_had_set_up_with_the_address_ends(db: Session) -> None:
    squatter = factories.user(db, GRACE)
    verification.send_link(db, squatter)
    old_link = secret_for(db)
    session = sessions.open_for(db, squatter, "Thief")
    asked(db, password=NEW)
    confirm(db, secret_for(db), NEW)
    assert sessions.find_live(db, session.id) is None
    with pytest.raises(users.WrongCredentials):
        users.authenticate(db, GRACE, factories.PASSWORD)
    assert users.authenticate(db, GRACE, NEW).id != squatter.id
    with pytest.raises(LinkUsedUp):
        verification.verify(db, old_link, network_address=HERE)


def test_the_browser_that_signed_up_goes_on_once(db: Session) -> None:
    sign_up = asked(db)
    assert sign_ups.go_on(db, sign_up.id) is None
    confirm(db, secret_for(db))
    user = sign_ups.go_on(db, sign_up.id)
    assert user
    assert user.email == GRACE
    assert sign_ups.go_on(db, sign_up.id) is None


def test_it_does_not_go_on_after_the_owner_chose_another_password(db: Session) -> None:
    sign_up = asked(db)
    confirm(db, secret_for(db))
    password_reset.choose(db, forgotten(db, GRACE), NEW, network_address=None)
    assert sign_ups.go_on(db, sign_up.id) is None


def test_a_sign_up_expires_and_goes(db: Session) -> None:
    sign_up = asked(db)
    with time_machine.travel(utc_now() + sign_ups.RULE.lifetime + timedelta(seconds=1)):
        assert sign_ups.find(db, sign_up.id) is None
        with pytest.raises(LinkUsedUp):
            confirm(db, secret_for(db))
        sign_ups.answer_next(db)
        assert db.scalars(sa.select(SignUp)).all() == []


def test_bad_addresses_and_passwords_are_refused_at_once(db: Session) -> None:
    for email, password, refusal in (
        ("nothing", factories.PASSWORD, users.BadAddress),
        ("é@example.org", factories.PASSWORD, users.UnreachableAddress),
        (GRACE, "short", users.BadPassword),
        (GRACE, "password", users.CommonPassword),
    ):
        with pytest.raises(refusal):
            sign_ups.ask(db, email, password)
    assert not sign_ups.has_requests(db)


def test_two_who_open_it_at_once_begin_one_account(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        asked(db)
        secret = secret_for(db)
        asked(db)
        secrets = [secret, secret_for(db)]

    def _confirm() -> None:
        with unit_of_work() as db:
            confirm(db, secrets.pop())

    outcomes = factories.in_parallel(2, _confirm)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LinkUsedUp", "NoneType"]
