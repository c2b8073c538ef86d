"""One-time codes of authenticator apps (RFC 6238), and the secrets that they come from."""

import base64
import hmac
import secrets
from functools import lru_cache
from uuid import UUID

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from settings import get_settings

STEP_SECONDS = 30
DIGITS = 6
# The clock of a phone may be so many steps off, either way.
STEPS_OFF = 1
_SECRET_BYTES = 20
_RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LENGTH = 12


def new_secret() -> bytes:
    """Make what an app and we share."""
    return secrets.token_bytes(_SECRET_BYTES)


def seal(secret: bytes, *, session_id: UUID | None = None) -> str:
    """Encrypt a secret for the database, under a key made from SECRET_KEY.

    With `session_id` only `unseal` with the same decrypts it.
    """
    return _box(get_settings().secret_key.get_secret_value(), session_id).encrypt(secret).decode()


def unseal(sealed: str, *, session_id: UUID | None = None) -> bytes:
    """Decrypt what `seal` made.

    Raises InvalidToken once SECRET_KEY is another, and for another `session_id` than it had.
    """
    return _box(get_settings().secret_key.get_secret_value(), session_id).decrypt(sealed.encode())


def typed(secret: bytes) -> str:
    """Write a secret as people type it into an app."""
    return base64.b32encode(secret).decode().rstrip("=")


def address(secret: bytes, account: str) -> str:
    """Write a secret as apps read it from a QR code."""
    return _totp(secret).get_provisioning_uri(account, get_settings().product_name)


def step_of(secret: bytes, code: str, at: float) -> int | None:
    """Return the time step that a code is of, if that is now or STEPS_OFF from it; else None."""
    now = int(at) // STEP_SECONDS
    found = None
    for step in range(now - STEPS_OFF, now + STEPS_OFF + 1):
        right = _totp(secret).generate(step * STEP_SECONDS)
        if hmac.compare_digest(right, code.encode()):
            found = step
    return found


def code_at(secret: bytes, at: float) -> str:
    """Return the code that an app shows at a moment."""
    return _totp(secret).generate(int(at)).decode()


def new_recovery_code() -> str:
    """Make a code to keep on paper: `abcd-efgh-jkmn`, of 59 bits."""
    drawn = "".join(secrets.choice(_RECOVERY_LETTERS) for _ in range(_RECOVERY_LENGTH))
    return "-".join(drawn[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4))


def recovery_hash(code: str) -> str:
    """Hash a recovery code, however it is typed; without SECRET_KEY a hash is worth nothing."""
    key = get_settings().secret_key.get_secret_value().encode()
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hmac.new(key, b"recovery-code:" + plain.encode(), "sha256").hexdigest()


def _totp(secret: bytes) -> TOTP:
    # What apps know; in an HMAC it is still sound.
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303


@lru_cache(maxsize=64)
def _box(secret_key: str, session_id: UUID | None) -> Fernet:
    info = b"two-factor" + (session_id.bytes if session_id else b"")
    made = HKDF(SHA256(), length=32, salt=None, info=info).derive(secret_key.encode())
    return Fernet(base64.urlsafe_b64encode(made))
