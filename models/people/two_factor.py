"""Two-factor sign-in: besides the password or Google, a code that an app on the phone shows.

A code is taken once, and no older one after it. Recovery codes take its place, each once. After
MOST_WRONG wrong codes none is taken until WRONG_WITHIN has passed: commit what a refusal changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.fernet import InvalidToken
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id, utc_now
from models.email import outbox
from models.email.templates import account
from models.errors import Refused
from models.people import email_tokens, sessions, totp, users
from models.people.email_tokens import Retirement
from models.schema.sessions import UserSession
from models.schema.two_factor import RecoveryCode, TwoFactor
from models.schema.users import User

RECOVERY_CODES = 10
MOST_WRONG = 5
WRONG_WITHIN = timedelta(minutes=15)
# So long has somebody who typed their password to scan what they are shown.
SET_UP_WITHIN = timedelta(minutes=15)
# Nobody types more for a code.
CODE_MAX_LENGTH = 40


class WrongCode(Refused):
    """A code is not right, was used before, or is over."""

    code = "wrong_code"


class TooManyWrongCodes(Refused):
    """Wrong codes came MOST_WRONG times, so none is taken for a while."""

    code = "too_many_wrong_codes"


class TwoFactorOn(Refused):
    """An account has two-factor sign-in already."""

    code = "two_factor_on"


class TwoFactorOff(Refused):
    """An account has no two-factor sign-in, or its set-up is over or another session's."""

    code = "two_factor_off"


@dataclass(frozen=True)
class Standing:
    """Whether a user signs in with two factors."""

    on_since: datetime | None
    codes_left: int

    @property
    def is_on(self) -> bool:
        return self.on_since is not None


@dataclass(frozen=True)
class SetUp:
    """What an app is given: as text, and as the address that a QR code holds."""

    typed: str
    address: str


def is_on(db: Session, user_id: UUID) -> bool:
    """Tell whether this user is asked for a code when they sign in."""
    wanted = TwoFactor.user_id == user_id, TwoFactor.confirmed_at.is_not(None)
    return db.scalar(select(TwoFactor.user_id).where(*wanted)) is not None


def standing(db: Session, user_id: UUID) -> Standing:
    """Say since when it is on, and how many recovery codes are left."""
    since = select(TwoFactor.confirmed_at).where(TwoFactor.user_id == user_id)
    left = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return Standing(db.scalar(since), db.scalar(left) or 0)


def begin(db: Session, session: UserSession, password: str) -> None:
    """Make a secret for an app, which counts once `confirm` has seen a code of it.

    Only this session is shown it and can confirm it, for SET_UP_WITHIN: a thief may have begun one
    elsewhere, and a browser may be left open. What was begun before is dropped.

    Asks for the password, if there is one: whoever finds a browser logged in shuts nobody out.
    """
    user = session.user
    if user.has_password:
        users.check_password(user, password)
    ledger.lock_account(db, user.id)
    if is_on(db, user.id):
        raise TwoFactorOn
    db.execute(delete(TwoFactor).where(TwoFactor.user_id == user.id))
    sealed = totp.seal(totp.new_secret(), session_id=session.id)
    db.add(TwoFactor(user_id=user.id, sealed_secret=sealed))
    db.flush()


def find_set_up(db: Session, session: UserSession) -> SetUp | None:
    """Return what an app is given while this session sets it up, and None as soon as it counts."""
    found = db.get(TwoFactor, session.user_id)
    secret = _set_up_secret(found, session) if found else None
    if secret is None:
        return None
    return SetUp(totp.typed(secret), totp.address(secret, session.user.email))


def confirm(db: Session, session: UserSession, code: str) -> Sequence[str]:
    """Switch it on with the first code of the app; return the recovery codes, which are shown once.

    Every other browser is logged out: it has shown no code. Raises TwoFactorOff unless this session
    began a set-up within SET_UP_WITHIN.
    """
    # A log-in under way ends before, and is logged out, or asks for a code.
    user = ledger.lock_account(db, session.user_id)
    found = _lock(db, user.id)
    if found.confirmed_at is not None:
        raise TwoFactorOn
    secret = _set_up_secret(found, session)
    if secret is None:
        raise TwoFactorOff
    _take(db, found, secret, code)
    found.sealed_secret = totp.seal(secret)
    found.confirmed_at = session.two_factor_at = utc_now()
    db.flush()
    sessions.revoke_others(db, user.id, keep=session.id)
    email_tokens.retire(db, user.id, Retirement.LOGGED_OUT_EVERYWHERE)
    _tell(db, user, is_on=True)
    return _new_codes(db, user.id)


def take_code(db: Session, user_id: UUID, code: str) -> None:
    """Take a code of the app, or a recovery code; raise WrongCode, TooManyWrongCodes."""
    found = _lock(db, user_id)
    if found.confirmed_at is None:
        raise TwoFactorOff
    try:
        secret = totp.unseal(found.sealed_secret)
    except InvalidToken as rotated:
        # SECRET_KEY is another: no app's code is right any more, until somebody removes it by hand.
        raise WrongCode from rotated
    _take(db, found, secret, code)


def renew_codes(db: Session, user_id: UUID, code: str) -> Sequence[str]:
    """Replace all recovery codes; asks for a code. Return the new ones, which are shown once."""
    take_code(db, user_id, code)
    return _new_codes(db, user_id)


def turn_off(db: Session, user: User, code: str) -> None:
    """Let the password or Google do from now on; asks for a code, and tells the user by mail."""
    take_code(db, user.id, code)
    _remove(db, user)


def remove_by_hand(db: Session, user: User) -> None:
    """Switch it off for somebody who lost their phone and codes, and log every browser out."""
    ledger.lock_account(db, user.id)
    if not is_on(db, user.id):
        raise TwoFactorOff
    sessions.revoke_others(db, user.id, keep=None)
    email_tokens.retire(db, user.id, Retirement.LOGGED_OUT_EVERYWHERE)
    _remove(db, user)


def forget(db: Session, user_id: UUID, *, since: datetime | None = None) -> None:
    """Drop what somebody else may have set up: all, or only if that was switched on after `since`.

    For an account that goes to the owner of its address.
    """
    on_since = standing(db, user_id).on_since
    if since is None or (on_since is not None and on_since > since):
        for table in (RecoveryCode, TwoFactor):
            db.execute(delete(table).where(table.user_id == user_id))


def _lock(db: Session, user_id: UUID) -> TwoFactor:
    wanted = select(TwoFactor).where(TwoFactor.user_id == user_id).with_for_update()
    found = db.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise TwoFactorOff
    return found


def _set_up_secret(found: TwoFactor, session: UserSession) -> bytes | None:
    is_over = utc_now() - found.created_at >= SET_UP_WITHIN
    if is_over or found.confirmed_at is not None:
        return None
    try:
        return totp.unseal(found.sealed_secret, session_id=session.id)
    except InvalidToken:
        return None


def _take(db: Session, found: TwoFactor, secret: bytes, code: str) -> None:
    if found.wrong_since and utc_now() - found.wrong_since >= WRONG_WITHIN:
        found.wrong_codes, found.wrong_since = 0, None
    if found.wrong_codes >= MOST_WRONG:
        raise TooManyWrongCodes
    if not _is_right(db, found, secret, code[:CODE_MAX_LENGTH].strip()):
        found.wrong_codes += 1
        found.wrong_since = found.wrong_since or utc_now()
        db.flush()
        raise WrongCode
    found.wrong_codes, found.wrong_since = 0, None
    db.flush()


def _is_right(db: Session, found: TwoFactor, secret: bytes, code: str) -> bool:
    plain = "".join(code.split())
    step = totp.step_of(secret, plain, utc_now().timestamp())
    if step is not None and step > found.last_step:
        found.last_step = step
        return True
    used = update(RecoveryCode).where(
        RecoveryCode.user_id == found.user_id,
        RecoveryCode.code_hash == totp.recovery_hash(plain),
        RecoveryCode.used_at.is_(None),
    )
    return db.scalar(used.values(used_at=utc_now()).returning(RecoveryCode.id)) is not None


def _new_codes(db: Session, user_id: UUID) -> Sequence[str]:
    db.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [totp.new_recovery_code() for _ in range(RECOVERY_CODES)]
    db.add_all(RecoveryCode(user_id=user_id, code_hash=totp.recovery_hash(one)) for one in codes)
    db.flush()
    return codes


def _remove(db: Session, user: User) -> None:
    forget(db, user.id)
    # What they were shown for is over.
    shown = update(UserSession).where(UserSession.user_id == user.id)
    db.execute(shown.values(two_factor_at=None))
    _tell(db, user, is_on=False)


def _tell(db: Session, user: User, *, is_on: bool) -> None:
    letter = account.two_factor_changed(is_on=is_on)
    outbox.queue(db, user.email, letter, reference=f"two-factor:{new_id()}")
    db.flush()
