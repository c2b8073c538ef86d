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


RATES = sorted(name for name in Settings.model_fields if name.endswith("_rate_limit"))


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("words", ["3 per minut", "three per minute", "3 per minute; x", "-1/hour"])
def test_a_rate_that_nobody_can_read_is_refused(name: str, words: str) -> None:
    """It would be passed over when somebody asks, and all guesses were heard."""
    with pytest.raises(ValidationError, match='like "10 per minute; 60 per hour"'):
        _read(**{name: words})

    assert getattr(_read(**{name: "3/minute; 5 per 2 days"}), name) == "3/minute; 5 per 2 days"


def test_every_rate_is_looked_at() -> None:
    assert len(RATES) == 8


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("trusted_proxies", "-1"), ("trusted_proxies", "100")),
        *(("sweep_seconds", "0"), ("sweep_seconds", "86400")),
        *(("job_lease_seconds", "0"), ("job_lease_seconds", "86400")),
        *(("job_max_attempts", "0"), ("job_max_attempts", "1000")),
    ],
)
def test_a_number_by_which_nothing_would_work_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        _read(**{name: value})


def test_a_lease_that_ends_before_the_next_heartbeat_is_refused() -> None:
    with pytest.raises(ValidationError, match="JOB_LEASE_SECONDS must be twice"):
        _read(job_lease_seconds="9")


def test_a_variable_that_is_there_and_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that nobody has filled in would else be one that is offered."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "")

    settings = _read()

    assert settings.anthropic_api_key is None
    assert not settings.sells_credits
