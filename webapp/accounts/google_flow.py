"""Attempts to sign in with Google: they begin in a browser and come back to that browser.

What an attempt has to match is kept in the browser's signed cookie, as is what Google vouched for
while the account of that address is still to be proven.
"""

import enum
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from flask import session, url_for

from gateways.google_sign_in import GoogleAccount, GoogleFailed, GoogleFailure, GoogleSignIn
from models.errors import NotFound, Refused
from models.people.identities import ProvenIdentity
from settings import get_settings
from webapp.core.db import commit_and_release

ATTEMPTS = "google_attempts"
PROVEN = "google_proven"
# A cookie holds 4 KB, and an attempt is begun in each of several tabs.
MOST_ATTEMPTS = 3
LONGEST_NEXT = 300
ATTEMPT_SECONDS = 600
# As long as the link in the mail works.
PROVEN_SECONDS = 3600


class GoogleAway(Refused):
    """Google cannot be reached just now."""

    code = "google_away"


class GoogleUntrusted(Refused):
    """Google's answer did not prove who somebody is."""

    code = "google_untrusted"


class GoogleAddressUnverified(Refused):
    """Google has not verified the address of the account there."""

    code = "google_address_unverified"


class AttemptOver(Refused):
    """The attempt is over, or it began in another browser."""

    code = "attempt_over"


REFUSALS: dict[GoogleFailure, type[Refused]] = {
    GoogleFailure.UNREACHABLE: GoogleAway,
    GoogleFailure.UNTRUSTED: GoogleUntrusted,
    GoogleFailure.UNVERIFIED_ADDRESS: GoogleAddressUnverified,
}


class Purpose(enum.StrEnum):
    LOG_IN = "log_in"
    SIGN_UP = "sign_up"
    CONNECT = "connect"


@dataclass(frozen=True)
class Attempt:
    """What a browser set out for, and what its way back has to match."""

    purpose: Purpose
    nonce: str
    verifier: str
    began_at: float
    # Where it wanted to go afterwards.
    next_page: str
    # The logged-in browser that connects; empty otherwise.
    session_id: str


def offered(purpose: Purpose) -> str:
    """Return what the button on a page is for; empty, and no button, where there is no Google."""
    return purpose.value if get_settings().offers_google else ""


def begin(purpose: Purpose, *, next_page: str = "", session_id: str = "") -> str:
    """Begin an attempt in this browser; return the address of Google's page for it.

    It waits for the network, so nothing may be locked or changed before. Raises GoogleAway and
    GoogleUntrusted, and NotFound where there is no Google.
    """
    gateway = _gateway()
    commit_and_release()
    try:
        made = gateway.begin(redirect_uri())
    except GoogleFailed as failed:
        raise REFUSALS[failed.failure] from failed
    kept = next_page if next_page.isascii() and len(next_page) <= LONGEST_NEXT else ""
    latest = list(_attempts().items())[-MOST_ATTEMPTS + 1 :]
    attempt = [purpose.value, made.nonce, made.verifier, time.time(), kept, session_id]
    session[ATTEMPTS] = dict([*latest, (made.state, attempt)])
    return made.url


def take(state: str) -> Attempt:
    """Return the attempt that has come back, once; raise AttemptOver if it is none of here."""
    attempts = _attempts()
    kept = attempts.pop(state, None)
    session[ATTEMPTS] = attempts
    if kept is None:
        raise AttemptOver
    attempt = Attempt(Purpose(kept[0]), *kept[1:])
    if time.time() - attempt.began_at > ATTEMPT_SECONDS:
        raise AttemptOver
    return attempt


def finish(attempt: Attempt, code: str) -> ProvenIdentity:
    """Ask Google who chose an account in this attempt.

    It waits for the network, so nothing may be locked or changed before. Raises GoogleAway,
    GoogleUntrusted and GoogleAddressUnverified.
    """
    gateway = _gateway()
    commit_and_release()
    try:
        found: GoogleAccount = gateway.finish(
            code, nonce=attempt.nonce, verifier=attempt.verifier, redirect_uri=redirect_uri()
        )
    except GoogleFailed as failed:
        raise REFUSALS[failed.failure] from failed
    return ProvenIdentity(found.subject, found.email)


def hold(proven: ProvenIdentity, next_page: str) -> None:
    """Keep in this browser what Google vouched for, until the account of its address is proven."""
    session[PROVEN] = [proven.subject, proven.email, time.time(), next_page]


def find_held() -> tuple[ProvenIdentity, str] | None:
    """Return what Google vouched for in this browser lately, and where it wanted to go."""
    kept = cast(list[Any] | None, session.get(PROVEN))
    if kept is None or time.time() - kept[2] > PROVEN_SECONDS:
        return None
    return ProvenIdentity(kept[0], kept[1]), kept[3]


def redirect_uri() -> str:
    """Return the address that Google sends browsers back to, which it has to know."""
    return get_settings().public_url.rstrip("/") + url_for("google.come_back")


def _attempts() -> dict[str, list[Any]]:
    return dict(cast(dict[str, list[Any]], session.get(ATTEMPTS) or {}))


def _gateway() -> GoogleSignIn:
    settings = get_settings()
    if settings.google_client_id is None or settings.google_client_secret is None:
        raise NotFound
    return _known_gateway(
        settings.google_client_id,
        settings.google_client_secret.get_secret_value(),
        settings.google_issuer,
        settings.google_timeout_seconds,
    )


# One keeps Google's documents, so they are not asked for each time.
@lru_cache(maxsize=1)
def _known_gateway(client_id: str, secret: str, issuer: str, seconds: float) -> GoogleSignIn:
    return GoogleSignIn(client_id, secret, issuer, seconds)
