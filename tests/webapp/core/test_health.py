"""What machines ask."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from werkzeug.test import TestResponse

from gateways.s3_files import Storage
from models import database
from models.base import new_id
from models.database import unit_of_work
from models.ops import workers
from settings import Settings
from tests.webapp.browser import Browser
from webapp import create_app
from webapp.core import health

TOKEN = "only monitoring knows this"


@pytest.fixture
def machine(
    settings: Settings,
    emptied: sa.Engine,
    redis_url: str,
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> Browser:
    """Asks a site that is on its own connections: the checks run side by side."""
    assert emptied
    assert redis_url
    assert storage
    health._storage.cache_clear()  # pyright: ignore[reportPrivateUsage]
    health._lately.cache_clear()  # pyright: ignore[reportPrivateUsage]
    known = settings.model_copy(update={"readyz_token": SecretStr(TOKEN)})
    monkeypatch.setattr(health, "get_settings", lambda: known)
    return Browser(create_app(settings))


def _details(machine: Browser) -> TestResponse:
    return machine.get("/readyz", headers={"Authorization": f"Bearer {TOKEN}"})


def _start_worker() -> None:
    with unit_of_work() as db:
        worker = workers.register(db, new_id(), "here")
        workers.report(db, worker.id, sandbox="bwrap", capacity=2, spare=1, hot=0, busy=0)


def test_the_process_says_that_it_is_up(machine: Browser) -> None:
    assert machine.get("/healthz").text == "ok\n"


def test_ready_means_that_everything_is_there(machine: Browser) -> None:
    _start_worker()
    answer = _details(machine)
    assert answer.status_code == 200
    assert answer.json == {"database": True, "redis": True, "storage": True, "engine": True}


def test_without_a_warm_cell_the_engine_is_missing(machine: Browser) -> None:
    answer = _details(machine)
    assert answer.status_code == 503
    assert answer.json == {"database": True, "redis": True, "storage": True, "engine": False}


@pytest.mark.parametrize(
    ("missing", "changed"),
    [
        ("redis", {"redis_url": SecretStr("redis://127.0.0.1:9/0")}),
        ("storage", {"s3_bucket": "no-such-bucket"}),
    ],
)
def test_what_is_missing_is_named(
    machine: Browser,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    changed: dict[str, object],
) -> None:
    _start_worker()
    broken = settings.model_copy(update={**changed, "readyz_token": SecretStr(TOKEN)})
    monkeypatch.setattr(health, "get_settings", lambda: broken)
    answer = _details(machine)
    assert answer.status_code == 503
    assert answer.json
    assert [name for name, there in answer.json.items() if not there] == [missing]


def test_a_lost_database_is_named_and_the_process_stays_up(
    machine: Browser, settings: Settings
) -> None:
    database.connect("postgresql://nobody@127.0.0.1:9/nothing")
    try:
        answer = _details(machine)
        assert answer.status_code == 503
        assert answer.json
        assert not answer.json["database"]
        assert answer.json["redis"]
        assert machine.get("/healthz").status_code == 200
    finally:
        database.connect(settings.database_url.get_secret_value())


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_a_stranger_reads_only_whether_anything_is_missing(machine: Browser, given: str) -> None:
    answer = machine.get("/readyz", headers={"Authorization": given})
    assert answer.status_code == 503
    assert answer.json == {"ready": False}


def test_without_a_token_nobody_reads_more(
    machine: Browser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "get_settings", lambda: settings)
    assert machine.get("/readyz", headers={"Authorization": "Bearer "}).json == {"ready": False}


def test_two_hundred_at_once_cost_what_one_does(machine: Browser) -> None:
    _start_worker()
    looks: list[float] = []

    def _look() -> dict[str, bool]:
        looks.append(time.monotonic())
        return {"database": True}

    lately = health.Lately(_look)
    with ThreadPoolExecutor(50) as crowd:
        asked = [crowd.submit(lately.find) for _ in range(200)]
        found = [one.result() for one in asked]
    assert found == [{"database": True}] * 200
    assert len(looks) <= 2
    assert _details(machine).status_code == 200
