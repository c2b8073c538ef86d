"""Two-factor sign-in: a code of the app, each once; recovery codes, each once; guessing ends."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from cryptography.fernet import InvalidToken
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.base import utc_now
from models.database import unit_of_work
from models.people import (
    email_change,
    email_tokens,
    password_reset,
    provider_sign_in,
    sessions,
    sign_out,
    totp,
    two_factor,
    users,
)
from models.people.identities import ProvenIdentity
from models.people.two_factor import TooManyWrongCodes, TwoFactorOff, TwoFactorOn, WrongCode
from models.people.users import WrongPassword
from models.schema.email_tokens import LinkPurpose
from models.schema.emails import Email, EmailKind
from models.schema.sessions import UserSession
from models.schema.two_factor import RecoveryCode, TwoFactor
from models.schema.users import User
from settings import get_settings
from tests import factories

STEP = timedelta(seconds=totp.STEP_SECONDS)
# The example of RFC 6238, with six digits.
SECRET = b"12345678901234567890"


def secret_of(db: Session, user: User) -> bytes:
    """What the app has, whichever browser has begun to set it up."""
    sealed = db.get_one(TwoFactor, user.id).sealed_secret
    theirs = sa.select(UserSession.id).where(UserSession.user_id == user.id)
    for session_id in (None, *db.scalars(theirs)):
        with suppress(InvalidToken):
            return totp.unseal(sealed, session_id=session_id)
    raise InvalidToken


def shown(db: Session, user: User) -> str:
    """What the app shows now."""
    return totp.code_at(secret_of(db, user), utc_now().timestamp())


def switched_on(db: Session, user: User) -> list[str]:
    """Switch it on for a user, a minute ago; return the recovery codes."""
    with time_machine.travel(utc_now() - 2 * STEP, tick=False):
        here = sessions.open_for(db, user, "Firefox")
        two_factor.begin(db, here, factories.PASSWORD if user.has_password else "")
        found = list(two_factor.confirm(db, here, shown(db, user)))
    db.commit()
    return found


@pytest.fixture
def here(db: Session, ada: User) -> UserSession:
    """The browser in which Ada sets it up."""
    return sessions.open_for(db, ada, "Firefox")


@pytest.fixture
def codes(db: Session, ada: User, here: UserSession) -> list[str]:
    """Ada's recovery codes; she has switched it on a minute ago."""
    with time_machine.travel(utc_now() - timedelta(minutes=1), tick=False):
        two_factor.begin(db, here, factories.PASSWORD)
        return list(two_factor.confirm(db, here, shown(db, ada)))


def test_codes_are_those_of_the_standard() -> None:
    assert totp.code_at(SECRET, 59) == "287082"
    assert totp.code_at(SECRET, 1111111109) == "081804"
    assert totp.step_of(SECRET, "287082", 59) == 1
    assert totp.step_of(SECRET, "287082", 59 + 30) == 1
    assert totp.step_of(SECRET, "287082", 59 + 61) is None


def test_it_counts_once_a_code_was_seen_and_logs_the_others_out(
    db: Session, ada: User, here: UserSession
) -> None:
    other = sessions.open_for(db, ada, "Chrome")
    with pytest.raises(WrongPassword):
        two_factor.begin(db, here, "not hers")
    two_factor.begin(db, here, factories.PASSWORD)
    given = two_factor.find_set_up(db, here)
    assert given
    assert given.address.startswith("otpauth://totp/")
    assert not two_factor.is_on(db, ada.id)
    with pytest.raises(WrongCode):
        two_factor.confirm(db, here, "000000")
    codes = two_factor.confirm(db, here, shown(db, ada))
    assert two_factor.standing(db, ada.id).codes_left == len(set(codes)) == 10
    assert two_factor.find_set_up(db, here) is None
    assert here.two_factor_at
    assert sessions.find_live(db, here.id)
    assert sessions.find_live(db, other.id) is None
    with pytest.raises(TwoFactorOn):
        two_factor.begin(db, here, factories.PASSWORD)
    kinds = db.scalars(sa.select(Email.kind).where(Email.recipient == ada.email)).all()
    assert EmailKind.TWO_FACTOR_CHANGED in kinds


def test_a_set_up_is_over_after_a_while(db: Session, ada: User, here: UserSession) -> None:
    """Who finds a browser in which one was left lying does not end it without a password."""
    two_factor.begin(db, here, factories.PASSWORD)
    with time_machine.travel(utc_now() + two_factor.SET_UP_WITHIN, tick=False):
        assert two_factor.find_set_up(db, here) is None
        with pytest.raises(TwoFactorOff):
            two_factor.confirm(db, here, shown(db, ada))
        two_factor.begin(db, here, factories.PASSWORD)
        assert two_factor.confirm(db, here, shown(db, ada))


def test_what_a_thief_has_begun_the_owner_is_not_shown(
    db: Session, ada: User, here: UserSession
) -> None:
    thiefs = sessions.open_for(db, ada, "Thief")
    two_factor.begin(db, thiefs, factories.PASSWORD)
    assert two_factor.find_set_up(db, here) is None
    with pytest.raises(TwoFactorOff):
        two_factor.confirm(db, here, shown(db, ada))
    two_factor.begin(db, here, factories.PASSWORD)
    assert two_factor.find_set_up(db, thiefs) is None
    assert two_factor.confirm(db, here, shown(db, ada))


def reset(db: Session, here: UserSession) -> None:
    secret = password_reset.send_link(db, here.user, reference="reset")
    password_reset.choose(db, secret, "another horse battery", network_address=None)


def change(db: Session, here: UserSession) -> None:
    new = "another horse battery"
    password_reset.change(db, here.user, old=factories.PASSWORD, new=new, keep=here.id)


def undo(db: Session, here: UserSession) -> None:
    address = here.user.email
    undoing = email_tokens.make(db, here.user, LinkPurpose.ADDRESS_UNDO, address=address)
    email_change.undo(db, undoing)


def log_out_others(db: Session, here: UserSession) -> None:
    sign_out.everywhere_else(db, here.user_id, keep=here.id)


@pytest.mark.parametrize("shuts_out", [reset, change, undo, log_out_others])
def test_a_set_up_ends_with_what_shuts_a_thief_out(
    db: Session, ada: User, here: UserSession, shuts_out: Callable[[Session, UserSession], None]
) -> None:
    two_factor.begin(db, here, factories.PASSWORD)
    shuts_out(db, here)
    assert db.scalar(sa.select(TwoFactor.user_id)) is None
    with pytest.raises(TwoFactorOff):
        two_factor.confirm(db, here, "000000")


def test_a_log_in_under_way_ends_before_it_is_switched_on(emptied: sa.Engine) -> None:
    """So it is among those that are logged out: it has shown no code."""
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        here = sessions.open_for(db, ada, "Firefox")
        two_factor.begin(db, here, factories.PASSWORD)
    with unit_of_work() as logging_in:
        user = users.authenticate(logging_in, "ada@example.org", factories.PASSWORD)
        assert not two_factor.is_on(logging_in, user.id)
        with pytest.raises(OperationalError), unit_of_work() as db:
            db.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
            confirm_in(db, here.id)
        other = sessions.open_for(logging_in, user, "Chrome")
    with unit_of_work() as db:
        confirm_in(db, here.id)
    with unit_of_work() as db:
        assert sessions.find_live(db, here.id)
        assert sessions.find_live(db, other.id) is None


def confirm_in(db: Session, session_id: UUID) -> None:
    """Switch it on in a browser, with the right code."""
    found = sessions.find_live(db, session_id)
    assert found
    two_factor.confirm(db, found, shown(db, found.user))


def test_neither_the_secret_nor_a_code_stands_in_the_database(
    db: Session, ada: User, codes: list[str]
) -> None:
    found = db.get_one(TwoFactor, ada.id)
    assert totp.typed(secret_of(db, ada)) not in found.sealed_secret
    hashes = set(db.scalars(sa.select(RecoveryCode.code_hash)))
    assert not hashes & set(codes)


def test_a_code_is_taken_once_and_none_before_it_afterwards(
    db: Session, ada: User, codes: list[str]
) -> None:
    before = totp.code_at(secret_of(db, ada), (utc_now() - STEP).timestamp())
    now = shown(db, ada)
    two_factor.take_code(db, ada.id, f"{now[:3]} {now[3:]}")
    for used in (now, before):
        with pytest.raises(WrongCode):
            two_factor.take_code(db, ada.id, used)
    with time_machine.travel(utc_now() + STEP, tick=False):
        two_factor.take_code(db, ada.id, shown(db, ada))


def test_a_recovery_code_is_taken_once_and_is_nobody_elses(
    db: Session, ada: User, eve: User, codes: list[str]
) -> None:
    eves = sessions.open_for(db, eve, "Firefox")
    two_factor.begin(db, eves, factories.PASSWORD)
    two_factor.confirm(db, eves, shown(db, eve))
    with pytest.raises(WrongCode):
        two_factor.take_code(db, eve.id, codes[0])
    two_factor.take_code(db, ada.id, codes[0].upper().replace("-", " "))
    assert two_factor.standing(db, ada.id).codes_left == 9
    with pytest.raises(WrongCode):
        two_factor.take_code(db, ada.id, codes[0])
    renewed = two_factor.renew_codes(db, ada.id, codes[1])
    with pytest.raises(WrongCode):
        two_factor.take_code(db, ada.id, codes[2])
    two_factor.take_code(db, ada.id, renewed[0])


def test_guessing_ends_and_a_right_code_too_until_a_while_has_passed(
    db: Session, ada: User, codes: list[str]
) -> None:
    for _ in range(two_factor.MOST_WRONG):
        with pytest.raises(WrongCode):
            two_factor.take_code(db, ada.id, "wrong")
    for right in (shown(db, ada), codes[0]):
        with pytest.raises(TooManyWrongCodes):
            two_factor.take_code(db, ada.id, right)
    with time_machine.travel(utc_now() + two_factor.WRONG_WITHIN, tick=False):
        two_factor.take_code(db, ada.id, shown(db, ada))


def test_switching_it_off_needs_a_code(
    db: Session, ada: User, here: UserSession, codes: list[str]
) -> None:
    with pytest.raises(WrongCode):
        two_factor.turn_off(db, ada, "000000")
    two_factor.turn_off(db, ada, codes[0])
    assert not two_factor.is_on(db, ada.id)
    db.refresh(here)
    assert here.two_factor_at is None
    with pytest.raises(TwoFactorOff):
        two_factor.take_code(db, ada.id, codes[1])


def test_what_a_squatter_has_set_up_goes_with_them(
    db: Session, ada: User, codes: list[str]
) -> None:
    two_factor.forget(db, ada.id, since=utc_now())
    assert two_factor.is_on(db, ada.id)
    two_factor.forget(db, ada.id, since=utc_now() - timedelta(hours=1))
    assert not two_factor.is_on(db, ada.id)


@pytest.mark.parametrize("verifies", ["true", "false"])
def test_where_no_address_is_verified_a_mailbox_alone_opens_nothing(
    db: Session, ada: User, codes: list[str], adjust: Callable[..., None], verifies: str
) -> None:
    """Elsewhere who reads the mail first is the owner, and what was set up before ends."""
    assert codes
    adjust(VERIFY_EMAIL=verifies)
    ada.email_verified_at = None
    secret = password_reset.send_link(db, ada, reference="reset")
    owner = password_reset.choose(db, secret, "another horse battery", network_address=None)
    assert two_factor.is_on(db, owner.id) == (verifies == "false")
    owner.email_verified_at = None
    two_factor.forget(db, owner.id)
    owners = sessions.open_for(db, owner, "Firefox")
    two_factor.begin(db, owners, "another horse battery")
    db.get_one(TwoFactor, owner.id).confirmed_at = utc_now()
    proven = ProvenIdentity("1", owner.email)
    secret = email_tokens.make(db, owner, LinkPurpose.GOOGLE_CONNECTION, address=owner.email)
    again = provider_sign_in.connect_by_link(db, secret, proven, network_address=None)
    assert two_factor.is_on(db, again.id) == (verifies == "false")


def test_by_hand_it_goes_and_every_browser_with_it(
    db: Session, ada: User, here: UserSession, codes: list[str]
) -> None:
    two_factor.remove_by_hand(db, ada)
    assert not two_factor.is_on(db, ada.id)
    assert sessions.find_live(db, here.id) is None
    with pytest.raises(TwoFactorOff):
        two_factor.remove_by_hand(db, ada)


def test_once_the_secret_key_is_another_no_code_is_right(
    db: Session, ada: User, codes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "another-key-of-many-random-characters-abcdefghijklmnop")
    get_settings.cache_clear()
    try:
        with pytest.raises(WrongCode):
            two_factor.take_code(db, ada.id, codes[0])
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
