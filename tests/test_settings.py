"""Settings that would leave the product open are refused, in a sentence without the secret."""

from secrets import token_hex, token_urlsafe

import pytest
from pydantic import SecretStr, ValidationError

from settings import Settings

STORES = {
    "database_url": SecretStr("postgresql://nowhere"),
    "redis_url": SecretStr("redis://nowhere"),
}


def _read(**given: str) -> Settings:
    whole = {"secret_key": SecretStr(token_hex(32)), **STORES, **given}
    return Settings(_env_file=None, **whole)  # pyright: ignore[reportCallIssue, reportArgumentType]


@pytest.mark.parametrize(
    "key", ["", "s", "a-secret", "x" * 64, "ab" * 32, "6309f70685cca55ed5b518740dcaa1"]
)
def test_a_key_that_can_be_guessed_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="32 random characters or more") as refused:
        _read(secret_key=key)

    assert not key or f"'{key}'" not in str(refused.value)


def test_a_random_key_is_taken() -> None:
    for key in (token_hex(16), token_hex(32), token_urlsafe(24)):
        assert _read(secret_key=key).secret_key.get_secret_value() == key


@pytest.mark.parametrize(
    "url",
    [
        "https://shellmate.example",
        "http://shellmate.example",
        "https://127.0.0.1:8000",
        "http://192.168.1.5:8000",
        "http://127.0.0.1.example",
        "http://localhost@shellmate.example",
    ],
)
def test_cells_without_walls_are_refused_where_others_come_in(url: str) -> None:
    with pytest.raises(ValidationError, match="SANDBOX=none is for one's own machine"):
        _read(sandbox="none", public_url=url)

    assert _read(sandbox="bwrap", public_url=url).sandbox == "bwrap"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost", "http://[::1]:80"])
def test_on_a_machine_of_ones_own_they_can_be_had(url: str) -> None:
    assert _read(sandbox="none", public_url=url).sandbox == "none"


def test_a_variable_that_is_there_and_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that nobody has filled in would else be one that is offered."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "")

    settings = _read()

    assert settings.anthropic_api_key is None
    assert not settings.sells_credits
