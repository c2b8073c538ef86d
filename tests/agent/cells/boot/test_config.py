"""What OpenClaw is told in a cell."""

import json

import pytest

from agent import catalogue
from agent.catalogue import WIRES
from agent.cells.boot.config import METER_PATHS, Wiring, environment, openclaw_config
from agent.cells.host.sandbox import Inside
from settings import Settings

WIRING = Wiring("gateway-token", "meter-token", 1, 2, "/cell")


@pytest.fixture
def given(settings: Settings) -> Settings:
    keys = dict.fromkeys(("anthropic_api_key", "openai_api_key", "gemini_api_key"), "provider-key")
    return Settings.model_validate(
        settings.model_dump()
        | keys
        | {"compatible_base_url": "http://127.0.0.1:1/v1", "compatible_models": ["local"]}
    )


def test_every_model_goes_through_the_meter_in_its_own_format(given: Settings) -> None:
    models = catalogue.models(given)
    config = openclaw_config(WIRING, models, models[0])

    providers = config["models"]["providers"]
    assert set(providers) == {model.provider for model in models} == set(WIRES)
    for name, provider in providers.items():
        assert provider["baseUrl"].startswith("http://127.0.0.1:2/")
        assert provider["baseUrl"].endswith(METER_PATHS[name])
        assert provider["api"] == WIRES[name]
        assert provider["apiKey"] == "meter-token"
    listed = {f"{name}/{model['id']}" for name in providers for model in providers[name]["models"]}
    assert listed == {model.id for model in models}
    assert config["agents"]["defaults"]["model"]["primary"] == models[0].id


def test_no_key_of_ours_is_in_a_cell(given: Settings) -> None:
    models = catalogue.models(given)
    inside = Inside(
        "/opt/node",
        "/opt/openclaw",
        "/opt/relay.mjs",
        "/cell",
        "/sockets/meter",
        "/sockets/tools",
        "/tmp",
    )
    told = json.dumps(
        [openclaw_config(WIRING, models, models[0]), environment(inside, {"home": "/cell"})]
    )

    secrets = (
        given.secret_key,
        given.database_url,
        given.redis_url,
        given.s3_secret_access_key,
        given.anthropic_api_key,
    )
    for secret in secrets:
        assert secret is not None
        assert secret.get_secret_value() not in told
