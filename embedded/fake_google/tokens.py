"""ID tokens: what they claim, and the keys that sign them."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any, cast

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry

from embedded.fake_google.accounts import Account
from embedded.fake_google.mischief import Mischief

LIFETIME_SECONDS = 3600
KEY_BITS = 2048

Claims = dict[str, Any]


class Signer:
    """A key of the provider's, and one of a forger's under the same name."""

    def __init__(self) -> None:
        self._own = _new_key("of-the-provider")
        self._forgers = _new_key("of-the-provider")
        self._unknown = _new_key("of-nobody")

    def change_key(self) -> None:
        """Sign with a new key from now on, as providers do every few days."""
        self._own = _new_key(f"of-the-provider-{time.monotonic_ns()}")

    def published(self) -> Claims:
        """Return the keys that anybody may check signatures with."""
        return cast(Claims, KeySet([self._own]).as_dict(private=False))

    def signed(self, claims: Claims, mischief: Mischief) -> str:
        """Sign claims, or do with the signature what mischief wants."""
        key: Any = {
            Mischief.BAD_SIGNATURE: self._forgers,
            Mischief.FOREIGN_KEY: self._unknown,
        }.get(mischief, self._own)
        header = {"alg": "RS256", "kid": key.kid, "typ": "JWT"}
        if mischief is Mischief.UNSIGNED:
            header["alg"] = "none"
        if mischief is Mischief.SIGNED_WITH_THE_PUBLIC_KEY:
            return _by_hand({**header, "alg": "HS256"}, claims, self._own.as_pem(private=False))
        registry = JWSRegistry(algorithms=["RS256", "none"])
        return jwt.encode(header, claims, key, registry=registry)


def claims_of(
    account: Account, *, issuer: str, client_id: str, nonce: str, mischief: Mischief
) -> Claims:
    """Say who somebody is, or something false."""
    now = int(time.time())
    claims: Claims = {
        "iss": issuer,
        "aud": client_id,
        "azp": client_id,
        "sub": account.subject,
        "email": account.email,
        "email_verified": True,
        "nonce": nonce,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
    }
    claims |= _falsehoods(now, client_id).get(mischief, {})
    return {name: value for name, value in claims.items() if value is not None}


def _by_hand(header: Claims, claims: Claims, key: bytes) -> str:
    """Sign with a secret that is none, as joserfc would not."""
    signed = ".".join(_packed(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{_packed(hmac.digest(key, signed.encode(), 'sha256'))}"


def _packed(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")


def _falsehoods(now: int, client_id: str) -> dict[Mischief, Claims]:
    day = 86_400
    return {
        Mischief.UNVERIFIED_ADDRESS: {"email_verified": False},
        Mischief.NO_ADDRESS: {"email": None},
        Mischief.WRONG_AUDIENCE: {"aud": "somebody-else", "azp": "somebody-else"},
        Mischief.TWO_AUDIENCES: {"aud": [client_id, "somebody-else"], "azp": "somebody-else"},
        Mischief.WRONG_ISSUER: {"iss": "https://accounts.google.example"},
        Mischief.NO_NONCE: {"nonce": None},
        Mischief.EXPIRED: {"iat": now - day, "exp": now - day + LIFETIME_SECONDS},
        Mischief.FROM_THE_FUTURE: {"iat": now + day, "exp": now + day + LIFETIME_SECONDS},
        Mischief.ODD_SUBJECT: {"sub": "1\x002"},
    }


def _new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(KEY_BITS, {"kid": name, "use": "sig", "alg": "RS256"})
