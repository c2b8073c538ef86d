"""PostgreSQL, Valkey and S3 start, keep what they were given, and stop."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
import redis
from botocore.config import Config

from embedded import postgres, postgres_home
from embedded.data_folder import DataFolder
from embedded.errors import CannotStart
from embedded.stack import Services
from tests.embedded.stand_ins import processes_naming, wait_until

ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")


@pytest.fixture
def place(tmp_path: Path) -> Generator[Path]:
    """A data folder; what its database left elsewhere goes too."""
    yield tmp_path / "data"
    postgres.forget(DataFolder(tmp_path / "data"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Services]:
    """Services that several tests look at: to start them takes seconds."""
    place = tmp_path_factory.mktemp("running") / "data"
    with Services(place) as services:
        yield services
    postgres.forget(DataFolder(place))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """The folder of services that have run; whatever a test breaks in it, it mends again."""
    place = tmp_path_factory.mktemp("stopped") / "data"
    with Services(place):
        pass
    yield place
    postgres.forget(DataFolder(place))


def test_what_was_stored_is_there_after_a_restart_and_no_process_is_left(place: Path) -> None:
    with Services(place) as services:
        first = services.environment()
        with psycopg.connect(first["DATABASE_URL"]) as database:
            database.execute("CREATE TABLE notes AS SELECT 'kept' AS text")
        _redis(first).set("note", "kept")
        _bucket(first).put_object(Key="a/note", Body=b"kept")
        homes = [str(place), str((place / "postgres").resolve())]
        assert all(processes_naming(home) for home in homes)
        records = services.folder.processes
        wait_until(records.exists)
    assert not any(processes_naming(home) for home in homes)
    assert not records.exists()

    with Services(place) as services:
        again = services.environment()
        assert again == first
        with psycopg.connect(again["DATABASE_URL"]) as database:
            assert database.execute("SELECT text FROM notes").fetchone() == ("kept",)
        assert _redis(again).get("note") == b"kept"
        assert _bucket(again).Object("a/note").get()["Body"].read() == b"kept"


def test_nobody_gets_in_without_the_password(running: Services) -> None:
    given = running.environment()
    wrong = given["DATABASE_URL"].replace(running.folder.secret("database_password"), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)
    with pytest.raises(redis.AuthenticationError):
        _redis({"REDIS_URL": given["REDIS_URL"].replace("redis://:", "redis://:x")}).ping()
    stranger = _bucket({**given, "S3_SECRET_ACCESS_KEY": "guess"})
    with pytest.raises(stranger.meta.client.exceptions.ClientError, match="SignatureDoesNotMatch"):
        stranger.put_object(Key="a", Body=b"")


def test_a_database_that_was_killed_comes_back_by_itself(running: Services) -> None:
    child = running.supervisor.child("postgres")
    first = child.pid
    child.kill()
    wait_until(lambda: child.pid not in {None, first} and child.program.is_ready())
    with psycopg.connect(running.environment()["DATABASE_URL"]) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)


def test_a_stale_pid_file_does_not_stop_the_database_from_starting(stopped: Path) -> None:
    stale = (stopped / "postgres").resolve() / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n")
    with Services(stopped) as services:
        psycopg.connect(services.environment()["DATABASE_URL"]).close()


def test_a_database_without_its_credentials_is_refused_and_kept(stopped: Path) -> None:
    credentials = stopped / "credentials.json"
    kept = credentials.rename(stopped.with_name("credentials"))
    with pytest.raises(CannotStart, match=r"credentials\.json is missing"), Services(stopped):
        pass
    assert (stopped / "postgres" / "PG_VERSION").exists()
    kept.replace(credentials)


def test_a_database_of_another_version_is_refused_and_kept(stopped: Path) -> None:
    version = stopped / "postgres" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("12\n")
    with pytest.raises(CannotStart, match="made by PostgreSQL 12"), Services(stopped):
        pass
    assert version.read_text() == "12\n"
    version.write_text(ours)


def test_programs_can_be_named_from_outside(
    place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("APP_PG_BIN", str(tmp_path / "nothing"))
    with (
        pytest.raises(CannotStart, match=r"PostgreSQL in .*nothing cannot be run"),
        Services(place),
    ):
        pass


def test_a_run_of_tests_leaves_nothing_behind(tmp_path: Path) -> None:
    with Services.for_one_run(tmp_path) as services:
        home = (services.folder.path / "postgres").resolve()
        assert home.exists()
    assert list(tmp_path.iterdir()) == []
    assert not home.exists()


def test_what_a_killed_run_of_tests_left_goes_at_the_next(tmp_path: Path) -> None:
    left = tmp_path / "run-1"
    (left / "s3").mkdir(parents=True)
    Services.for_one_run(tmp_path)
    assert not left.exists()


@ONLY_ROOT
def test_a_folder_that_others_may_not_enter_has_its_database_elsewhere(place: Path) -> None:
    place.parent.chmod(0o700)
    with Services(place):
        home = (place / "postgres").resolve()
        assert home.is_relative_to(postgres_home.REACHABLE_ROOT)
        assert home.stat().st_uid != 0
    postgres.forget(DataFolder(place))
    assert not home.parent.exists()


@ONLY_ROOT
@pytest.mark.long
def test_programs_that_others_may_not_reach_are_run_from_a_copy(
    place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgres_home.Account, "can_reach", _reaches_nothing)
    monkeypatch.setattr(postgres_home, "REACHABLE_ROOT", Path("/var/tmp") / tmp_path.name)
    try:
        with Services(place) as services:
            child = services.supervisor.child("postgres")
            assert child.program.command[0].startswith(f"/var/tmp/{tmp_path.name}/programs-")
            psycopg.connect(services.environment()["DATABASE_URL"]).close()
    finally:
        postgres.forget(DataFolder(place))
        postgres_home.shutil.rmtree(postgres_home.REACHABLE_ROOT)


def _reaches_nothing(*_: object) -> bool:
    return False


def _redis(given: dict[str, str]) -> Any:
    return redis.Redis.from_url(given["REDIS_URL"])  # pyright: ignore[reportUnknownMemberType]


def _bucket(given: dict[str, str]) -> Any:
    store: Any = boto3.resource(  # pyright: ignore[reportUnknownMemberType]
        "s3",
        endpoint_url=given["S3_ENDPOINT_URL"],
        aws_access_key_id=given["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=given["S3_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    return store.Bucket(given["S3_BUCKET"])
