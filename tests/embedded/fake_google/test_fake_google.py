"""The Google stand-in by itself: what it gives, to whom, and what it refuses."""

import subprocess
import sys
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from settings import PROJECT_DIR
from tests.embedded.fake_google.served import CLIENT_ID, SECRET, ServedGoogle

BACK = "http://127.0.0.1:8000/back?mine=1"
VERIFIER = "v" * 60
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
ASKED = {
    "client_id": CLIENT_ID,
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid email",
    "state": "s&<1>",
    "nonce": "n1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def page(google: ServedGoogle, **changed: str) -> str:
    return f"{google.url}/authorize?{urlencode({**ASKED, **changed})}"


def code(google: ServedGoogle, email: str = "ada.lovelace@gmail.com") -> str:
    return parse_qs(urlsplit(google.choose(page(google), email)).query)["code"][0]


def exchange(google: ServedGoogle, given: str, **changed: str) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "code": given,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
    }
    return httpx2.post(f"{google.url}/token", data={**form, **changed})


def claims(google: ServedGoogle, answer: httpx2.Response) -> dict[str, Any]:
    keys = KeySet.import_key_set(httpx2.get(f"{google.url}/keys").json())
    return jwt.decode(answer.json()["id_token"], keys, algorithms=["RS256"]).claims


def test_its_document_leads_to_all_it_has(google: ServedGoogle) -> None:
    document = httpx2.get(f"{google.url}/.well-known/openid-configuration").json()
    assert document["issuer"] == google.url
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert document[name].startswith(f"{google.url}/")


def test_whoever_is_chosen_is_who_the_token_is_about(google: ServedGoogle) -> None:
    back = google.choose(page(google), "ada.lovelace@gmail.com")
    query = parse_qs(urlsplit(back).query)
    assert back.startswith("http://127.0.0.1:8000/back?mine=1&")
    assert query["state"] == ["s&<1>"]
    token = claims(google, exchange(google, query["code"][0]))
    assert (token["iss"], token["aud"], token["nonce"]) == (google.url, CLIENT_ID, "n1")
    assert (token["email"], token["email_verified"]) == ("ada.lovelace@gmail.com", True)
    again = claims(google, exchange(google, code(google)))
    other = claims(google, exchange(google, code(google, "eve@example.org")))
    assert again["sub"] == token["sub"] != other["sub"]
    # As long as Google's, and nothing but digits.
    assert len(token["sub"]) == 21
    assert token["sub"].isdigit()


def test_its_keys_are_public_ones(google: ServedGoogle) -> None:
    (key,) = httpx2.get(f"{google.url}/keys").json()["keys"]
    assert {"d", "p", "q"}.isdisjoint(key)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_id": "another"}, "OAuth client was not found"),
        ({"redirect_uri": "https://evil.example/"}, "address to return to"),
        ({"redirect_uri": "http://127.0.0.1@evil.example/"}, "address to return to"),
        ({"response_type": "token"}, "Only codes"),
        ({"scope": "email"}, "Only codes"),
        ({"code_challenge": ""}, "PKCE"),
        ({"code_challenge_method": "plain"}, "PKCE"),
    ],
)
def test_what_a_client_may_not_ask_is_refused_and_nobody_is_sent_back(
    google: ServedGoogle, changed: dict[str, str], words: str
) -> None:
    shown = httpx2.get(page(google, **changed))
    pressed = httpx2.post(
        f"{google.url}/authorize", data={**ASKED, **changed, "email": "ada@example.org"}
    )
    for answer in (shown, pressed):
        assert answer.status_code == 400
        assert words in answer.text
        assert "Location" not in answer.headers


def test_an_address_has_to_be_one(google: ServedGoogle) -> None:
    answer = httpx2.post(f"{google.url}/authorize", data={**ASKED, "email": "nobody"})
    assert answer.status_code == 422
    assert "Please type an e-mail address" in answer.text


def test_who_cancels_goes_back_with_that(google: ServedGoogle) -> None:
    assert "error=access_denied" in google.cancel(page(google))


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "w" * 60},
        {"redirect_uri": "http://127.0.0.1:8000/elsewhere"},
        {"client_secret": "guessed"},
        {"client_id": "another"},
        {"code": "guessed"},
    ],
)
def test_a_code_is_for_who_began(google: ServedGoogle, changed: dict[str, str]) -> None:
    answer = exchange(google, code(google), **changed)
    assert answer.status_code in (400, 401)
    assert "id_token" not in answer.text


def test_a_code_works_once(google: ServedGoogle) -> None:
    given = code(google)
    assert exchange(google, given).status_code == 200
    assert exchange(google, given).json()["error"] == "invalid_grant"


def test_its_pages_run_no_scripts_and_stand_in_no_frame(google: ServedGoogle) -> None:
    for path in ("/authorize", "/nowhere", "/healthz"):
        headers = httpx2.get(f"{google.url}{path}").headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
    assert "<1>" not in httpx2.get(page(google)).text


def test_it_answers_to_its_own_name_alone(google: ServedGoogle) -> None:
    # A page elsewhere may let its own name lead to this machine.
    answer = httpx2.get(page(google), headers={"Host": "evil.example"})
    assert answer.status_code == 421


def test_without_a_secret_it_does_not_start() -> None:
    command = [sys.executable, "-m", "embedded.fake_google", "--port", "0", "--client-id", "x"]
    ended = subprocess.run(command, cwd=PROJECT_DIR, env={}, capture_output=True, check=False)
    assert ended.returncode == 2
    assert b"GOOGLE_CLIENT_SECRET is missing" in ended.stderr
