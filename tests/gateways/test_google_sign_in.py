"""Google over a socket: what proves who somebody is, and everything else, which proves nothing."""

import time
from collections.abc import Callable
from contextlib import closing
from socket import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs

from embedded.fake_google.mischief import Mischief
from gateways.google_sign_in import (
    Attempt,
    GoogleAccount,
    GoogleFailed,
    GoogleFailure,
    GoogleSignIn,
)
from tests.embedded.fake_google.served import CLIENT_ID, SECRET, ServedGoogle

ADA = "ada.lovelace@gmail.com"
BACK = "http://127.0.0.1:8000/login/google/return"
TIMEOUT = 0.8
UNTRUSTED, UNREACHABLE = GoogleFailure.UNTRUSTED, GoogleFailure.UNREACHABLE


@pytest.fixture
def gateway(google: ServedGoogle) -> GoogleSignIn:
    """One that knows no document of the stand-in yet."""
    return gateway_to(google.url)


def gateway_to(url: str, *, client_id: str = CLIENT_ID, secret: str = SECRET) -> GoogleSignIn:
    return GoogleSignIn(client_id, secret, url, TIMEOUT)


def code_of(google: ServedGoogle, attempt: Attempt, email: str = ADA) -> str:
    """Choose an account in a browser; return the code that it brings back."""
    back = parse_qs(urlsplit(google.choose(attempt.url, email)).query)
    return back["code"][0]


def finish(gateway: GoogleSignIn, code: str, attempt: Attempt, **other: str) -> GoogleAccount:
    kept = {"nonce": attempt.nonce, "verifier": attempt.verifier, "redirect_uri": BACK, **other}
    return gateway.finish(code, **kept)


def failure(act: Callable[[], object]) -> GoogleFailure:
    with pytest.raises(GoogleFailed) as raised:
        act()
    return raised.value.failure


def test_who_chooses_an_account_is_known_by_its_subject_and_address(
    google: ServedGoogle, gateway: GoogleSignIn
) -> None:
    attempt = gateway.begin(BACK)
    found = finish(gateway, code_of(google, attempt), attempt)
    assert found.email == ADA
    assert found.subject.isdigit()
    again = gateway.begin(BACK)
    assert finish(gateway, code_of(google, again), again) == found
    other = gateway.begin(BACK)
    assert finish(gateway, code_of(google, other, "eve@example.org"), other) != found


def test_the_page_is_asked_for_with_pkce_a_state_and_a_nonce_of_one_attempt(
    gateway: GoogleSignIn, google: ServedGoogle
) -> None:
    attempt, other = gateway.begin(BACK), gateway.begin(BACK)
    asked = {name: one[0] for name, one in parse_qs(urlsplit(attempt.url).query).items()}
    assert attempt.url.startswith(f"{google.url}/authorize?")
    assert asked["state"] == attempt.state
    assert asked["nonce"] == attempt.nonce
    assert (asked["code_challenge_method"], asked["scope"]) == ("S256", "openid email")
    assert asked["code_challenge"] not in ("", attempt.verifier)
    assert attempt.verifier not in attempt.url
    assert {attempt.state, attempt.nonce, attempt.verifier}.isdisjoint(
        {other.state, other.nonce, other.verifier}
    )
    assert min(map(len, (attempt.state, attempt.nonce, attempt.verifier))) >= 32


@pytest.mark.parametrize(
    ("mischief", "expected"),
    [
        (Mischief.UNVERIFIED_ADDRESS, GoogleFailure.UNVERIFIED_ADDRESS),
        (Mischief.NO_ADDRESS, UNTRUSTED),
        (Mischief.WRONG_AUDIENCE, UNTRUSTED),
        (Mischief.TWO_AUDIENCES, UNTRUSTED),
        (Mischief.WRONG_ISSUER, UNTRUSTED),
        (Mischief.NO_NONCE, UNTRUSTED),
        (Mischief.REPLAYED_NONCE, UNTRUSTED),
        (Mischief.EXPIRED, UNTRUSTED),
        (Mischief.FROM_THE_FUTURE, UNTRUSTED),
        (Mischief.ODD_SUBJECT, UNTRUSTED),
        (Mischief.BAD_SIGNATURE, UNTRUSTED),
        (Mischief.FOREIGN_KEY, UNTRUSTED),
        (Mischief.UNSIGNED, UNTRUSTED),
        (Mischief.SIGNED_WITH_THE_PUBLIC_KEY, UNTRUSTED),
        (Mischief.NO_ID_TOKEN, UNTRUSTED),
        (Mischief.HANGS_UP, UNREACHABLE),
        (Mischief.FAILS, UNREACHABLE),
        (Mischief.SLOW, UNREACHABLE),
        (Mischief.TRICKLES, UNTRUSTED),
        (Mischief.HUGE, UNTRUSTED),
        (Mischief.NO_JSON, UNTRUSTED),
        (Mischief.DEEP_JSON, UNTRUSTED),
        (Mischief.REDIRECTS, UNTRUSTED),
        (Mischief.NO_KEYS, UNREACHABLE),
    ],
)
def test_an_answer_that_proves_nothing_is_refused(
    google: ServedGoogle, gateway: GoogleSignIn, mischief: Mischief, expected: GoogleFailure
) -> None:
    # The nonce that is replayed has to be another one.
    code_of(google, gateway.begin(BACK))
    attempt = gateway.begin(BACK)
    code = code_of(google, attempt)
    google.be(mischief)
    began = time.monotonic()
    with capture_logs() as lines:
        assert failure(lambda: finish(gateway, code, attempt)) is expected
    assert time.monotonic() - began < 5 * TIMEOUT
    assert ADA not in str(lines)


def test_every_mischief_is_tried(google: ServedGoogle) -> None:
    marks: list[Any] = test_an_answer_that_proves_nothing_is_refused.pytestmark  # pyright: ignore[reportFunctionMemberAccess]
    tried = {mischief for mischief, _ in marks[0].args[1]}
    documents = {Mischief.NO_DISCOVERY, Mischief.ANOTHER_ISSUER, Mischief.PAGE_ELSEWHERE}
    # The site compares states.
    assert tried | documents == {*Mischief} - {Mischief.NONE, Mischief.WRONG_STATE}


@pytest.mark.parametrize(
    ("mischief", "expected"),
    [
        (Mischief.NO_DISCOVERY, UNREACHABLE),
        (Mischief.ANOTHER_ISSUER, UNTRUSTED),
        (Mischief.PAGE_ELSEWHERE, UNTRUSTED),
    ],
)
def test_nobody_is_sent_where_a_false_document_leads(
    google: ServedGoogle, gateway: GoogleSignIn, mischief: Mischief, expected: GoogleFailure
) -> None:
    google.be(mischief)
    assert failure(lambda: gateway.begin(BACK)) is expected
    google.be(Mischief.NONE)
    assert gateway.begin(BACK).url


def test_a_code_works_once_and_with_its_own_verifier_nonce_and_address(
    google: ServedGoogle, gateway: GoogleSignIn
) -> None:
    for other in (
        {"verifier": "x" * 64},
        {"redirect_uri": "http://127.0.0.1:8000/elsewhere"},
        {"nonce": "of another attempt"},
    ):
        attempt = gateway.begin(BACK)
        code = code_of(google, attempt)
        assert failure(lambda: finish(gateway, code, attempt, **other)) is UNTRUSTED  # noqa: B023
    attempt = gateway.begin(BACK)
    code = code_of(google, attempt)
    finish(gateway, code, attempt)
    assert failure(lambda: finish(gateway, code, attempt)) is UNTRUSTED
    assert failure(lambda: finish(gateway, "guessed", attempt)) is UNTRUSTED


def test_a_key_that_is_new_is_asked_for(google: ServedGoogle, gateway: GoogleSignIn) -> None:
    for _ in range(2):
        attempt = gateway.begin(BACK)
        assert finish(gateway, code_of(google, attempt), attempt).email == ADA
        google.change_key()


def test_a_secret_that_is_wrong_signs_nobody_in(google: ServedGoogle) -> None:
    gateway = gateway_to(google.url, secret="guessed")
    attempt = gateway.begin(BACK)
    assert failure(lambda: finish(gateway, code_of(google, attempt), attempt)) is UNTRUSTED


def test_nobody_there_is_said_at_once() -> None:
    with closing(socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        gateway = gateway_to(f"http://127.0.0.1:{taken.getsockname()[1]}")
        assert failure(lambda: gateway.begin(BACK)) is UNREACHABLE


def test_googles_own_tokens_may_name_it_in_either_spelling() -> None:
    assert gateway_to("https://accounts.google.com").issuers() == [
        "https://accounts.google.com",
        "accounts.google.com",
    ]
