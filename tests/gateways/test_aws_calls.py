"""Which calls of AWS the product makes: `deploy/calls.json` says it to those who allow them."""

import json
import re
from collections import defaultdict
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError

from gateways.ecs_service import EcsFailed, EcsService
from gateways.mail import Mail, MailFailed, make_mailer
from gateways.s3_files import Storage
from settings import PROJECT_DIR, Settings

NOWHERE = "http://127.0.0.1:9"
# Where Amazon runs it the bucket is there.
NOT_THERE = {"s3": {"CreateBucket"}}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Generator[dict[str, set[str]]]:
    """Hears of each call before it is made."""
    heard: dict[str, set[str]] = defaultdict(set)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    # Of SES nobody is there: what matters is that it was asked.
    monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", NOWHERE)
    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION

    def _hear(model: Any, **_: object) -> None:
        heard[str(model.service_model.service_name)].add(str(model.name))

    session.events.register("before-call", _hear)
    yield heard
    boto3.DEFAULT_SESSION = None


def test_what_is_called_is_what_is_recorded(calls: dict[str, set[str]], settings: Settings) -> None:
    storage = Storage(settings)
    storage.ensure_bucket()
    storage.check()
    storage.put("calls/one", b"1")
    assert storage.get("calls/one") == b"1"
    assert storage.list("calls/") == ["calls/one"]
    storage.delete("calls/one")
    away = settings.model_copy(
        update={
            "mail_by_ses": True,
            "ecs_cluster": "c",
            "ecs_worker_service": "s",
            "ecs_endpoint_url": NOWHERE,
        }
    )
    with suppress(MailFailed, BotoCoreError):
        make_mailer(away).send(Mail("r", "ada@example.org", "Hello", "Hello", "<p>Hello</p>"))
    for ask in (lambda: EcsService(away).desired(), lambda: EcsService(away).set_desired(1)):
        with suppress(EcsFailed):
            ask()

    recorded = json.loads((PROJECT_DIR / "deploy" / "calls.json").read_text())
    heard = {name: sorted(made - NOT_THERE.get(name, set())) for name, made in calls.items()}
    assert heard == {name: recorded[name] for name in ("s3", "sesv2", "ecs")}


def test_no_call_is_made_that_the_other_test_does_not_make() -> None:
    """By the clients' methods, as the gateways name them; other parts have no client."""
    recorded = json.loads((PROJECT_DIR / "deploy" / "calls.json").read_text())
    known = {operation.lower() for made in recorded.values() for operation in made}
    for path in (PROJECT_DIR / "gateways").glob("*.py"):
        named = set(re.findall(r"_client\.([a-z0-9_]+)\(", path.read_text()))
        if "boto3" in path.read_text():
            made = {name.replace("_", "") for name in named} - {"createbucket", "getpaginator"}
            assert made <= known, path.name
    own = (PROJECT_DIR / part for part in ("actions", "agent", "models", "tasks", "webapp"))
    assert not [path for part in own for path in part.rglob("*.py") if "boto3" in path.read_text()]
