"""Signing up by mail: an account begins when the link that was sent to its address is opened.

Whoever signs up is answered before anybody looks whether there is such an account, and reads the
same whatever comes of it: the site only writes the request down, and a task does the rest. So
nobody learns here who has an account, and nobody has one with the address of somebody else.

Anybody may type anybody's address, so opening the mail says only whose the address is. Whose
password counts is a second question: a link begins an account with the password of its sign-up
in the browser that signed up, or where that password is typed. All others choose their own.
"""

import hmac
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id, utc_now
from models.email import outbox
from models.email.templates import account
from models.errors import Refused
from models.people import (
    admission,
    email_tokens,
    free_credit,
    passwords,
    takeover,
    users,
)
from models.people.admission import Newcomer
from models.people.email_tokens import LinkRule, LinkUsedUp, Retirement
from models.people.users import TYPED_MAX_LENGTH, Profile
from models.schema.sign_ups import SignUp
from models.schema.users import User
from settings import get_settings

RULE = LinkRule(timedelta(days=2), frozenset({Retirement.ONE_IS_USED}))


class HasAccount(Refused):
    """The address has an account already."""

    code = "has_account"


class NotItsPassword(Refused):
    """Whoever opened the link typed another password than the sign-up began with."""

    code = "not_its_password"


def is_by_mail() -> bool:
    """Tell whether accounts begin with a mail, or at once."""
    settings = get_settings()
    return settings.verify_email and settings.sign_up_by_mail


def ask(
    db: Session, email: str, password: str, *, code: str = "", network_address: str | None = None
) -> SignUp:
    """Note that somebody wants an account; refuse bad addresses and passwords, not taken ones.

    Refuses whom `admission` does not admit, with the code of an invitation or without.
    """
    address = users.reachable_address(email)
    invitation = admission.admit(db, Newcomer(address, network_address, code))
    sign_up = SignUp(
        invitation_id=invitation.id if invitation else None,
        id=new_id(),
        address=address,
        password_hash=users.hashed_new(password, address),
        expires_at=utc_now() + RULE.lifetime,
    )
    sign_up.secret_hash = _hashed(_secret(sign_up.id))
    db.add(sign_up)
    db.flush()
    return sign_up


def at_once(
    db: Session, email: str, password: str, *, code: str = "", network_address: str | None = None
) -> User:
    """Begin an account without waiting for mail; raise SignUpRefused where there is one.

    The address of an account that is being moved away from it counts as taken for as long as that
    can be undone. Refuses whom `admission` does not admit.
    """
    newcomer = Newcomer(users.reachable_address(email), network_address, code)
    invitation = admission.admit(db, newcomer)
    with db.begin_nested():
        user = users.sign_up(db, email, password)
        if email_tokens.is_reserved(db, user.email):
            raise users.SignUpRefused
        admission.welcome(db, user, invitation.id if invitation else None)
    return user


def tell_owner(db: Session, email: str) -> None:
    """Mail to who has this address that somebody tried to sign up with it."""
    address = users.normal_address(email)
    outbox.queue(db, address, account.sign_up_known(), reference=f"sign-up-known:{new_id()}")


def find(db: Session, sign_up_id: UUID) -> SignUp | None:
    """Find what a browser has asked for, unless its time is over."""
    return db.scalar(select(SignUp).where(SignUp.id == sign_up_id, SignUp.expires_at > utc_now()))


def complete_onboarding(sign_up: SignUp, profile: Profile) -> None:
    """Keep a newcomer's answers for their account to be; raise BadProfile as `users` does."""
    checked = profile.checked()
    sign_up.name, sign_up.timezone, sign_up.needs = checked.name, checked.timezone, checked.needs


def mail_again(sign_up: SignUp) -> None:
    """Let the same mail be sent once more."""
    sign_up.is_mail_due = True


def has_requests(db: Session) -> bool:
    """Tell whether somebody who signed up waits for a mail."""
    return db.scalar(select(SignUp.id).where(SignUp.is_mail_due).limit(1)) is not None


def answer_next(db: Session) -> bool:
    """Mail whoever signed up first a link, or that they have an account; False if nobody did.

    What has expired goes, with the password that was chosen for nothing.
    """
    db.execute(delete(SignUp).where(SignUp.expires_at < utc_now()))
    waits = select(SignUp).where(SignUp.is_mail_due).order_by(SignUp.id).limit(1)
    sign_up = db.scalar(waits.with_for_update(skip_locked=True))
    if sign_up is None:
        return False
    if _has_owner(db, sign_up.address):
        tell_owner(db, sign_up.address)
    elif sign_up.confirmed_at is None:
        letter = account.sign_up(_secret(sign_up.id))
        outbox.queue(db, sign_up.address, letter, reference=f"sign-up:{new_id()}")
    sign_up.is_mail_due = False
    db.flush()
    return True


def find_link(db: Session, secret: str) -> SignUp:
    """Find what a mailed link confirms; raise LinkUsedUp. Finding it uses nothing up."""
    wanted = select(SignUp).where(
        SignUp.secret_hash == _hashed(secret),
        SignUp.confirmed_at.is_(None),
        SignUp.expires_at > utc_now(),
    )
    found = db.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise LinkUsedUp
    return found


def confirm(
    db: Session, secret: str, *, browser: UUID | None, password: str, network_address: str | None
) -> User:
    """Begin the account that a mailed link stands for, and decide about the free credit.

    `browser` is what the browser in which the link was opened has signed up for. If that is
    something else, `password` has to be the sign-up's, or NotItsPassword is raised: the mail may
    be of somebody who only typed this address. Raises LinkUsedUp, and HasAccount.
    """
    found = find_link(db, secret)
    if found.id != browser:
        _prove(found, password)
    sign_up = _lock_link(db, secret, found.address)
    user = _begin(db, sign_up, sign_up.password_hash)
    if sign_up.is_introduced:
        users.complete_onboarding(user, Profile(sign_up.name, sign_up.timezone, sign_up.needs))
    free_credit.decide(db, user, network_address)
    return user


def confirm_as_own(db: Session, secret: str, password: str, *, network_address: str | None) -> User:
    """Begin the account with a password that the reader of the mail chooses where they read it.

    Nothing that was typed when signing up counts, as a stranger may have typed it, and the browser
    that signed up does not go on: it waits, and learns nothing of it. Raises BadPassword,
    LinkUsedUp, and HasAccount.
    """
    address = find_link(db, secret).address
    chosen = users.hashed_new(password, address)
    sign_up = _lock_link(db, secret, address)
    user = _begin(db, sign_up, chosen)
    sign_up.password_hash = ""
    db.flush()
    free_credit.decide(db, user, network_address)
    return user


def go_on(db: Session, sign_up_id: UUID) -> User | None:
    """Return whose account has begun, once, for the browser that signed up; None before and after.

    A password that was changed since then ends this too.
    """
    sign_up = db.get(SignUp, sign_up_id)
    if sign_up is None or sign_up.user_id is None:
        return None
    user = ledger.lock_account(db, sign_up.user_id)
    db.refresh(sign_up)
    is_over = sign_up.continued_at is not None or sign_up.expires_at <= utc_now()
    if is_over or user.password_hash != sign_up.password_hash:
        return None
    sign_up.continued_at = utc_now()
    db.flush()
    return user


def lock_address(db: Session, address: str) -> None:
    """Lock all sign-ups of an address, in one order: an account of it begins by one at a time."""
    same = select(SignUp.id).where(SignUp.address == address).order_by(SignUp.id)
    db.execute(same.with_for_update())


def retire(db: Session, address: str) -> None:
    """End all sign-ups of an address whose account has begun; their browsers learn nothing."""
    pending = SignUp.address == address, SignUp.confirmed_at.is_(None)
    db.execute(update(SignUp).where(*pending).values(confirmed_at=utc_now()))


def _prove(sign_up: SignUp, password: str) -> None:
    if not passwords.verify(password[: TYPED_MAX_LENGTH + 1], sign_up.password_hash):
        raise NotItsPassword


def _lock_link(db: Session, secret: str, address: str) -> SignUp:
    """Lock a link with all others of its address, in one order; raise LinkUsedUp, HasAccount."""
    lock_address(db, address)
    # Whoever had the lock before may have used it up.
    sign_up = find_link(db, secret)
    if _has_owner(db, address):
        raise HasAccount
    return sign_up


def _begin(db: Session, sign_up: SignUp, password_hash: str) -> User:
    """Make the account the newcomer's, with this password, and retire all links to it.

    Raises InvitationOver if somebody else has used up the invitation meanwhile.
    """
    user = _account_for(db, sign_up)
    user.password_hash, user.email_verified_at = password_hash, utc_now()
    admission.welcome(db, user, sign_up.invitation_id)
    retire(db, sign_up.address)
    sign_up.user_id = user.id
    db.flush()
    return user


def _has_owner(db: Session, address: str) -> bool:
    owned = select(User.id).where(User.email == address, User.email_verified_at.is_not(None))
    return db.scalar(owned) is not None or email_tokens.is_reserved(db, address)


def _account_for(db: Session, sign_up: SignUp) -> User:
    """Make a locked account for an address that has no owner, whoever has set one up with it."""
    there = db.scalar(select(User.id).where(User.email == sign_up.address))
    if there is not None:
        squatted = ledger.lock_account(db, there)
        if not takeover.is_due(squatted):
            raise HasAccount
        return takeover.begin_anew(db, squatted)
    user = User(email=sign_up.address, password_hash=sign_up.password_hash)
    try:
        with db.begin_nested():
            db.add(user)
            db.flush()
    except IntegrityError as taken:
        raise HasAccount from taken
    return ledger.lock_account(db, user.id)


def _secret(sign_up_id: UUID) -> str:
    key = get_settings().secret_key.get_secret_value().encode()
    return hmac.new(key, b"sign-up:" + sign_up_id.bytes, "sha256").hexdigest()


def _hashed(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
