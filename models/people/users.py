"""People: who they are, how they prove it, and what they told us at the start."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.errors import Refused
from models.ops import switches
from models.people import common_passwords, passwords
from models.schema.admins import AdminRole
from models.schema.users import User
from settings import get_settings

PASSWORD_MIN_LENGTH = 8
PASSWORD_MAX_LENGTH = 200
# Typed letters may consist of several characters each, until they are brought into one form.
TYPED_MAX_LENGTH = 4 * PASSWORD_MAX_LENGTH
NAME_MAX_LENGTH = 80
# It stands in every prompt.
NEEDS_MAX_LENGTH = 1000


class BadAddress(Refused):
    """What a user typed is no e-mail address."""

    code = "bad_address"


class BadPassword(Refused):
    """A password is too short or too long."""

    code = "bad_password"


class CommonPassword(BadPassword):
    """A password is one of those that others would guess soon."""

    code = "common_password"


class UnreachableAddress(BadAddress):
    """Many mail servers take no mail for the address: its mailbox has letters beyond ASCII."""

    code = "unreachable_address"


class SignUpRefused(Refused):
    """No account was made, without a word on whether the address has one."""

    code = "sign_up_refused"


class WrongCredentials(Refused):
    """Address and password do not belong together."""

    code = "wrong_credentials"


class WrongPassword(Refused):
    """A logged-in user typed another password than theirs."""

    code = "wrong_password"


class NoPassword(WrongPassword):
    """An account that has no password yet is to be proven by one."""

    code = "no_password"


class BadProfile(Refused):
    """A profile lacks a name, or has no such time zone."""

    code = "bad_profile"


class NameTooLong(BadProfile):
    """A name has more characters than `most`."""

    code = "name_too_long"


class NeedsTooLong(BadProfile):
    """What a user wrote about their needs has more characters than `most`."""

    code = "needs_too_long"


@dataclass(frozen=True)
class Profile:
    """What a person says about themselves at onboarding."""

    name: str
    timezone: str
    needs: str

    def checked(self) -> "Profile":
        """Trim it; raise BadProfile when something is missing, unknown or too long."""
        name = " ".join(self.name.split())
        needs = self.needs.strip()
        if not name or self.timezone not in _timezones():
            raise BadProfile
        if len(name) > NAME_MAX_LENGTH:
            raise NameTooLong(most=NAME_MAX_LENGTH)
        if len(needs) > NEEDS_MAX_LENGTH:
            raise NeedsTooLong(most=NEEDS_MAX_LENGTH)
        return Profile(name, self.timezone, needs)


def sign_up(db: Session, email: str, password: str) -> User:
    """Create an account; refuse bad or taken addresses and passwords.

    The sign-up grant comes with it only where addresses are not verified: see `verification`.
    """
    address = reachable_address(email)
    # Hash before looking: a taken address must not answer faster than a free one.
    user = User(email=address, password_hash=hashed_new(password, address))
    try:
        with db.begin_nested():
            db.add(user)
            db.flush()
    except IntegrityError as taken:
        raise SignUpRefused from taken
    grant = switches.current(db).sign_up_grant_micros
    if grant and not get_settings().verify_email:
        ledger.grant(db, user.id, grant, reference=f"sign-up:{user.id}")
    return user


def hashed_new(password: str, address: str) -> str:
    """Return the hash of a password that the person with this address has chosen.

    Raises BadPassword when it is too short or too long, CommonPassword when others would guess it.
    """
    length = len(passwords.one_form(password[:TYPED_MAX_LENGTH]))
    is_too_long = length > PASSWORD_MAX_LENGTH or len(password) > TYPED_MAX_LENGTH
    if length < PASSWORD_MIN_LENGTH or is_too_long:
        raise BadPassword
    mailbox, _, domain = address.rpartition("@")
    about = (address, mailbox, domain, domain.partition(".")[0], get_settings().product_name)
    if common_passwords.is_common(password, about):
        raise CommonPassword
    return passwords.hashed(password)


def check_password(user: User, password: str) -> None:
    """Return if this is the person's password; raise WrongPassword if not, NoPassword if none is.

    Who may be asked for a password is logged in, so they may know that they have none.
    """
    if not user.has_password:
        raise NoPassword
    if not passwords.verify(password[: TYPED_MAX_LENGTH + 1], user.password_hash):
        raise WrongPassword


def authenticate(db: Session, email: str, password: str) -> User:
    """Find who this is, or raise WrongCredentials: the same, and as slow, for unknown addresses."""
    user = match(db, email, password)
    # Meanwhile a new one may have been chosen, which logs out all who are in by then.
    if not still_has(db, user, user.password_hash):
        raise WrongCredentials
    return user


def match(db: Session, email: str, password: str) -> User:
    """Find whose address and password these are, or raise WrongCredentials; it locks nothing.

    The caller has still to see that the password is the account's under a lock.
    """
    try:
        address = normal_address(email)
    except BadAddress:
        address = ""
    user = db.scalar(select(User).where(User.email == address))
    known_hash = user.password_hash if user else None
    if not passwords.verify(password[: TYPED_MAX_LENGTH + 1], known_hash) or user is None:
        raise WrongCredentials
    return user


def still_has(db: Session, user: User, known_hash: str | None) -> bool:
    """Tell whether a proved password is the account's; it stays so until the transaction ends.

    An admin may have suspended signing in meanwhile: `user` says that too.
    """
    fresh = ["password_hash", "sign_in_suspended_at"]
    db.refresh(user, fresh, with_for_update={"read": True})
    return user.password_hash == known_hash


def find_id(db: Session, email: str) -> UUID | None:
    """Return whose address this is; None for nobody's, and for what is no address."""
    try:
        return db.scalar(select(User.id).where(User.email == normal_address(email)))
    except BadAddress:
        return None


def complete_onboarding(user: User, profile: Profile) -> None:
    """Keep a person's answers of onboarding; refuse an unknown time zone or an empty name."""
    checked = profile.checked()
    user.name, user.timezone, user.needs = checked.name, checked.timezone, checked.needs
    user.onboarded_at = user.onboarded_at or utc_now()


def say_needs(user: User, needs: str) -> None:
    """Keep what a user wants help with; refuse more than `NEEDS_MAX_LENGTH` characters."""
    clean = needs.strip()
    if len(clean) > NEEDS_MAX_LENGTH:
        raise NeedsTooLong(most=NEEDS_MAX_LENGTH)
    user.needs = clean


def set_affinity(user: User, worker_id: UUID, until: datetime) -> None:
    """Note on a locked account that `worker_id` has this person's live files.

    Until `until` it alone may take their next job: it is still saving what the last one changed.
    """
    user.cell_worker_id, user.cell_worker_until = worker_id, until


def forget_cell(user: User) -> None:
    """Note on a locked account that no worker has live files of this person any more."""
    user.cell_worker_id, user.cell_worker_until = None, None


def choose_model(user: User, model_id: str) -> None:
    """Let `model_id` answer this person from now on; the caller has checked that it is offered."""
    user.model = model_id


def set_admin_role(user: User, role: AdminRole | None) -> None:
    """Let a person see the pages of admins in this role, or none of them; no page calls this."""
    user.admin_role = role


def normal_address(email: str) -> str:
    """Bring an address into the one form we store and count by; raise BadAddress if it is none.

    Its domain has many spellings, such as full-width letters: all of them come to one form.
    """
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as invalid:
        raise BadAddress from invalid


def reachable_address(email: str) -> str:
    """Return the normal form of an address that every mail server can be handed.

    Raises BadAddress, and UnreachableAddress for a mailbox of other letters than ASCII: many
    servers, Amazon's among them, take no mail for it.
    """
    address = normal_address(email)
    if not address.rpartition("@")[0].isascii():
        raise UnreachableAddress
    return address


@lru_cache(maxsize=1)
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
