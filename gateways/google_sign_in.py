"""Google as a provider of identities: OpenID Connect with PKCE, by authlib.

Who somebody is comes out of the ID token alone, which is asked for directly and checked whole: its
signature by a key of Google's, its issuer, its audience, its times, and the nonce of this one
attempt. Only the subject and the address leave here; the access token is used for nothing.
"""

import enum
import io
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from cachetools import TTLCache
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from urllib3.exceptions import HTTPError

from gateways import values

log = structlog.get_logger()

DISCOVERY = "/.well-known/openid-configuration"
GOOGLE = "https://accounts.google.com"
# Google signs with this one alone.
ALGORITHMS = ("RS256",)
SCOPE = "openid email"
# Clocks differ.
LEEWAY_SECONDS = 60
# Google changes its keys every few days and announces them before; a key that is not known yet is
# asked for at once.
KEPT_SECONDS = 3600
MOST_BYTES = 64 * 1024
CHUNK_BYTES = 8 * 1024
SUBJECT = re.compile(r"[!-~]{1,255}")

Document = dict[str, Any]


class GoogleFailure(enum.StrEnum):
    """Why nobody has been recognised."""

    UNREACHABLE = "unreachable"
    # What came back does not prove who this is: it is broken, forged, or of another attempt.
    UNTRUSTED = "untrusted"
    UNVERIFIED_ADDRESS = "unverified_address"


class GoogleFailed(Exception):
    """Google was not reached, or its answer does not prove who somebody is."""

    def __init__(self, failure: GoogleFailure) -> None:
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in: where the browser goes, and what it is to bring back and to match."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class GoogleAccount:
    """What Google vouches for. The subject is the account; the address may change."""

    subject: str
    email: str


class _Broken(ValueError):
    """An answer that is too long, too slow, or not what was asked for."""


class GoogleSignIn:
    """Google, or another provider of the same protocol, at `issuer`. Methods raise GoogleFailed."""

    def __init__(self, client_id: str, secret: str, issuer: str, timeout_seconds: float) -> None:
        """Remember what we are known by there; nothing connects yet."""
        self._client_id, self._secret = client_id, secret
        self._issuer, self._timeout = issuer, timeout_seconds
        self._documents = TTLCache[str, Document, float](maxsize=4, ttl=KEPT_SECONDS)
        self._lock = threading.Lock()

    def begin(self, redirect_uri: str) -> Attempt:
        """Make the address of Google's page, on which somebody chooses an account."""
        verifier, nonce = generate_token(64), generate_token(32)
        with _Judged(self._forget), self._session(redirect_uri) as session:
            page = self._endpoint(session, "authorization_endpoint")
            if _origin(page) != _origin(self._issuer):
                raise _Broken("its page is elsewhere")
            url, state = session.create_authorization_url(
                page,
                state=generate_token(32),
                code_verifier=verifier,
                nonce=nonce,
                # Who is logged in at Google with one account may want to use another one here.
                prompt="select_account",
            )
        return Attempt(url, state, nonce, verifier)

    def finish(self, code: str, *, nonce: str, verifier: str, redirect_uri: str) -> GoogleAccount:
        """Return who chose an account on Google's page, by the code that their browser brought."""
        with _Judged(self._forget), self._session(redirect_uri) as session:
            token = session.fetch_token(
                self._endpoint(session, "token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=verifier,
                allow_redirects=False,
            )
            claims = self._verified(session, token, nonce)
        if claims.get("email_verified") is not True:
            raise GoogleFailed(GoogleFailure.UNVERIFIED_ADDRESS)
        with _Judged(self._forget):
            return _account(claims)

    def _verified(self, session: Any, token: Document, nonce: str) -> Document:
        """Return the claims of an ID token of which everything is as it has to be."""
        raw = values.text(token.get("id_token"), most_bytes=MOST_BYTES)
        try:
            read = jwt.decode(raw, self._keys(session), algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            read = jwt.decode(raw, self._keys(session, anew=True), algorithms=ALGORITHMS)
        claims: Any = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "values": self.issuers()},
                "aud": {"essential": True, "value": self._client_id},
            },
            {
                "nonce": nonce,
                "client_id": self._client_id,
                "access_token": token.get("access_token"),
            },
        )
        claims.validate(leeway=LEEWAY_SECONDS)
        return claims

    def issuers(self) -> list[str]:
        """Return the spellings of the issuer that tokens may have: Google says that it has two."""
        return [self._issuer, "accounts.google.com"] if self._issuer == GOOGLE else [self._issuer]

    def _keys(self, session: Any, *, anew: bool = False) -> KeySet:
        address = self._endpoint(session, "jwks_uri")
        keys = self._document(session, address, anew=anew)
        return KeySet.import_key_set(cast(KeySetSerialization, keys))

    def _endpoint(self, session: Any, name: str) -> str:
        found = self._document(session, self._issuer + DISCOVERY)
        if found.get("issuer") != self._issuer:
            raise _Broken("another issuer")
        address = values.text(found.get(name), most_bytes=2000)
        if urlsplit(address).scheme != urlsplit(self._issuer).scheme:
            raise _Broken("not encrypted")
        return address

    def _document(self, session: Any, address: str, *, anew: bool = False) -> Document:
        with self._lock:
            known = None if anew else self._documents.get(address)
        if known is not None:
            return known
        answer = session.request("GET", address, withhold_token=True, allow_redirects=False)
        if answer.status_code != 200:
            raise requests.HTTPError(f"answered {answer.status_code}")
        found: object = answer.json()
        if not isinstance(found, dict):
            raise _Broken("no object")
        with self._lock:
            self._documents[address] = cast(Document, found)
        return cast(Document, found)

    def _forget(self) -> None:
        with self._lock:
            self._documents.clear()

    def _session(self, redirect_uri: str) -> Any:
        session: Any = OAuth2Session(
            self._client_id,
            self._secret,
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=self._timeout,
        )
        # What is packed may be a thousand times as long.
        session.headers["Accept-Encoding"] = "identity"
        session.hooks["response"] = [self._read_whole]
        return session

    def _read_whole(self, answer: requests.Response, **_: object) -> requests.Response:
        """Read an answer within limits of length and of time, before anybody looks into it."""
        ends, read = time.monotonic() + self._timeout, io.BytesIO()
        while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=True):
            read.write(chunk)
            if read.tell() > MOST_BYTES or time.monotonic() > ends:
                answer.close()
                raise _Broken("too long")
        answer.raw.release_conn()
        answer.raw = io.BytesIO(read.getvalue())
        return answer


AWAY = (requests.RequestException, HTTPError, OSError)
# What libraries raise that are given other shapes than they expect.
ODD = (
    *(AuthlibBaseError, JoseError, RecursionError),
    *(ValueError, LookupError, TypeError, AttributeError),
)


class _Judged:
    """Turns whatever goes wrong in between into the one error of this module."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, GoogleFailed):
            return
        if isinstance(error, AWAY):
            failure = GoogleFailure.UNREACHABLE
        elif isinstance(error, ODD):
            failure = GoogleFailure.UNTRUSTED
        else:
            return
        # A document that was false, or has changed, must not be believed for an hour.
        self._forget()
        # Not what it says: that may have an address in it.
        log.warning("google.failed", failure=failure.value, error=type(error).__name__)
        raise GoogleFailed(failure) from error


def _account(claims: Document) -> GoogleAccount:
    subject = values.text(claims.get("sub"), most_bytes=255)
    email = values.address(claims.get("email"))
    if not SUBJECT.fullmatch(subject):
        raise _Broken("an odd subject")
    return GoogleAccount(subject, email)


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc
