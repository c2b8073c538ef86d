"""What the provider knows: for whom it signs people in, what was asked, and the codes it gave."""

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from embedded.fake_google.accounts import Account
from embedded.fake_google.mischief import Mischief
from embedded.fake_google.tokens import Signer, claims_of
from embedded.ports import LOCALHOST

CODE_SECONDS = 60
ASKED = (
    *("client_id", "redirect_uri", "response_type", "scope", "state"),
    *("nonce", "code_challenge", "code_challenge_method"),
)


class Refusal(Exception):
    """What was asked is not what a client may ask; `code` is the protocol's word for it."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True)
class Client:
    """The one site that may ask who somebody is."""

    id: str
    secret: str


@dataclass(frozen=True)
class Asked:
    """What a browser brought from the client."""

    client_id: str
    redirect_uri: str
    response_type: str
    scope: str
    state: str
    nonce: str
    code_challenge: str
    code_challenge_method: str


@dataclass(frozen=True)
class _Given:
    asked: Asked
    account: Account
    expires: float


class Provider:
    """Signs people in for one client. `url` is its issuer."""

    def __init__(self, url: str, client: Client) -> None:
        self.url, self.client, self.signer = url, client, Signer()
        self.mischief = Mischief.NONE
        self._codes: dict[str, _Given] = {}
        self._first_nonce = ""

    def read(self, given: Mapping[str, str]) -> Asked:
        """Read what a client asks; refuse what it may not, as Google does."""
        asked = Asked(**{name: given.get(name, "") for name in ASKED})
        if asked.client_id != self.client.id:
            raise Refusal("invalid_client", "The OAuth client was not found.")
        # Codes go to this machine alone.
        if urlsplit(asked.redirect_uri).hostname not in (LOCALHOST, "localhost"):
            raise Refusal("redirect_uri_mismatch", "The address to return to is not known.")
        if asked.response_type != "code" or "openid" not in asked.scope.split():
            raise Refusal("invalid_request", "Only codes for openid are given.")
        if asked.code_challenge_method != "S256" or not asked.code_challenge:
            raise Refusal("invalid_request", "PKCE by S256 is missing.")
        return asked

    def give_code(self, asked: Asked, account: Account) -> str:
        """Return where the browser of who chose an account goes, with a code."""
        self._first_nonce = self._first_nonce or asked.nonce
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Given(asked, account, time.monotonic() + CODE_SECONDS)
        state = "forged" if self.mischief is Mischief.WRONG_STATE else asked.state
        return _with(asked.redirect_uri, {"code": code, "state": state})

    def refuse(self, asked: Asked) -> str:
        """Return where the browser of who does not want to goes."""
        return _with(asked.redirect_uri, {"error": "access_denied", "state": asked.state})

    def exchange(self, form: Mapping[str, str], client: Client) -> dict[str, Any]:
        """Exchange a code for tokens, once, for the client that knows the verifier of its PKCE."""
        if not _same(client.id, self.client.id) or not _same(client.secret, self.client.secret):
            raise Refusal("invalid_client", "This is not the client's secret.")
        given = self._codes.pop(form.get("code", ""), None)
        if given is None or given.expires < time.monotonic():
            raise Refusal("invalid_grant", "This code is used or over.")
        if form.get("redirect_uri") != given.asked.redirect_uri:
            raise Refusal("invalid_grant", "This code was for another address.")
        if not _same(_challenge(form.get("code_verifier", "")), given.asked.code_challenge):
            raise Refusal("invalid_grant", "The verifier does not fit.")
        tokens = {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": given.asked.scope,
        }
        if self.mischief is not Mischief.NO_ID_TOKEN:
            tokens["id_token"] = self._id_token(given)
        return tokens

    def _id_token(self, given: _Given) -> str:
        is_replayed = self.mischief is Mischief.REPLAYED_NONCE
        claims = claims_of(
            given.account,
            issuer=self.url,
            client_id=self.client.id,
            nonce=self._first_nonce if is_replayed else given.asked.nonce,
            mischief=self.mischief,
        )
        return self.signer.signed(claims, self.mischief)


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _with(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"
