"""What every test may ask for: real PostgreSQL, Valkey and S3, and people with a name.

The services are started once per run; each xdist worker has its own database, Redis number and
bucket in them.

Ada has credits to spend and owns what a test is about.
Eve has an account too, and should never see or change what is Ada's.
"""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from hypothesis import settings as hypothesis_settings
from sqlalchemy.orm import Session

from embedded.fake_google.mischief import Mischief
from embedded.stack import Services, Stack
from gateways.s3_files import Storage
from models import database
from models.database import open_session
from models.ops import switches
from models.schema.users import User
from settings import PROJECT_DIR, Settings, get_settings
from tests import factories
from tests.embedded.fake_google.served import ServedGoogle, served_google
from tests.embedded.fake_stripe.served import ServedStripe, served_stripe
from tests.house import SETTINGS, House, wait_for
from tests.push_service import PushService, served_push_service
from tests.running import SERVICES_ARE_THERE

LONGEST_ID = 80

_services: list[Services] = []


def pytest_configure(config: pytest.Config) -> None:
    """Start the services once, before xdist starts its workers: they inherit the addresses."""
    # No deadline: on a busy machine the first example may take long.
    hypothesis_settings.register_profile("usual", max_examples=25, deadline=None)
    hypothesis_settings.register_profile("long", max_examples=100, deadline=None)
    hypothesis_settings.load_profile("usual" if "not long" in config.option.markexpr else "long")
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    if SERVICES_ARE_THERE not in os.environ:  # noqa: TID251
        services = Services.for_one_run(PROJECT_DIR / ".test-data")
        _services.append(services)
        os.environ.update(services.__enter__().environment())  # noqa: TID251  # as `make run` does
    os.environ.update(  # noqa: TID251
        PASSWORD_MEMORY_KIB="64",
        LOG_FORMAT="console",
        LOGIN_RATE_LIMIT="1000 per minute",
        POST_RATE_LIMIT="10000 per minute",
        SIGNUP_RATE_LIMIT="1000 per minute",
        MAIL_RATE_LIMIT="1000 per minute",
        # Only tests that are about it ask people to verify their address: see `verifying`.
        VERIFY_EMAIL="false",
        # Most of those look at accounts that exist already; the others say so too.
        SIGN_UP_BY_MAIL="false",
    )


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test by the size of what is long: hostile values have up to ten million letters."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return f"{argname}-of-{len(val)}"
    return None


def pytest_unconfigure() -> None:
    while _services:
        _services.pop().__exit__(None, None, None)


def _worker_number(worker_id: str) -> int:
    return int(worker_id.removeprefix("gw")) + 1 if worker_id.startswith("gw") else 0


@pytest.fixture(scope="session")
def settings(worker_id: str) -> Settings:
    """The settings of this test process, with its own database, Redis number and bucket."""
    number = _worker_number(worker_id)
    given = get_settings()
    os.environ.update(  # noqa: TID251
        DATABASE_URL=_own_database(given.database_url.get_secret_value(), f"test_{number}"),
        REDIS_URL=f"{given.redis_url.get_secret_value().removesuffix('/0')}/{number + 1}",
        S3_BUCKET=f"test-{number}",
    )
    get_settings.cache_clear()
    return get_settings()


def _own_database(url: str, name: str) -> str:
    admin = sa.create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def adjust(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., None]]:
    """Changes settings for the rest of a test: `adjust(VERIFY_EMAIL="true")`."""
    assert settings

    def _adjust(**given: str) -> None:
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        get_settings.cache_clear()

    yield _adjust
    monkeypatch.undo()
    get_settings.cache_clear()


@pytest.fixture
def verifying(adjust: Callable[..., None]) -> None:
    """Whoever signs up has to verify their address first, as people do."""
    adjust(VERIFY_EMAIL="true")


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Generator[sa.Engine]:
    """A database of this test process, built by the migrations."""
    engine = database.connect(settings.database_url.get_secret_value())
    with engine.begin() as connection:
        migrations = Config(PROJECT_DIR / "alembic.ini")
        migrations.attributes["connection"] = connection
        command.upgrade(migrations, "head")
    yield engine
    engine.dispose()


@pytest.fixture
def db(engine: sa.Engine) -> Generator[Session]:
    """A session whose every commit is undone when the test ends."""
    with engine.connect() as connection, connection.begin() as outer:
        # Code under test opens sessions of its own: they join this transaction too.
        open_session.configure(bind=connection, join_transaction_mode="create_savepoint")
        with open_session() as session:
            yield session
        outer.rollback()
    open_session.configure(bind=engine, join_transaction_mode="conditional_savepoint")


@pytest.fixture
def emptied(engine: sa.Engine) -> Generator[sa.Engine]:
    """A database for tests that need several connections; empty again afterwards."""
    open_session.configure(bind=engine, join_transaction_mode="conditional_savepoint")
    with engine.begin() as connection:
        # A test that loses a SKIP LOCKED should fail, not hang.
        connection.execute(sa.text(f"ALTER DATABASE {engine.url.database} SET lock_timeout = '5s'"))
    engine.dispose()
    yield engine
    with engine.begin() as connection:
        tables = sa.inspect(connection).get_table_names()
        names = ", ".join(f'"{table}"' for table in tables if table != "alembic_version")
        connection.execute(sa.text(f"TRUNCATE {names} CASCADE"))


@pytest.fixture(autouse=True)
def as_never_switched() -> Generator[None]:
    """No test knows the switches of another."""
    switches.forget()
    yield
    switches.forget()


@pytest.fixture
def ada(db: Session) -> User:
    """Has credits to spend."""
    return factories.user(db, "ada@example.org", name="Ada")


@pytest.fixture
def eve(db: Session) -> User:
    """Should never see what is Ada's."""
    return factories.user(db, "eve@example.org", name="Eve")


@pytest.fixture
def redis_url(settings: Settings) -> Generator[str]:
    """An empty Redis database of this test process."""
    url = settings.redis_url.get_secret_value()
    client: Any = redis.Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]
    client.flushdb()
    yield url
    client.flushdb()
    client.close()


@pytest.fixture(scope="session")
def storage(settings: Settings) -> Storage:
    """A bucket of this test process."""
    storage = Storage(settings)
    storage.ensure_bucket()
    return storage


@pytest.fixture(scope="session")
def stripe_server() -> Generator[ServedStripe]:
    """A stand-in for Stripe that tells nobody anything unless it is aimed."""
    with served_stripe() as running:
        yield running


@pytest.fixture
def stripe(stripe_server: ServedStripe, settings: Settings) -> Generator[ServedStripe]:
    """The same, with settings that lead there; what a test switched goes back."""
    assert settings
    os.environ.update(stripe_server.environment())  # noqa: TID251
    get_settings.cache_clear()
    yield stripe_server
    stripe_server.reset()
    for name in stripe_server.environment():
        del os.environ[name]  # noqa: TID251
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def google_server() -> Generator[ServedGoogle]:
    """A stand-in for Google in which nothing goes wrong unless a test wants that."""
    with served_google() as running:
        yield running


@pytest.fixture
def google(google_server: ServedGoogle, adjust: Callable[..., None]) -> Generator[ServedGoogle]:
    """The same, with settings that lead there; what a test lets go wrong is right again after."""
    adjust(**google_server.environment())
    yield google_server
    google_server.be(Mischief.NONE)


@pytest.fixture(scope="session")
def push_server() -> Generator[PushService]:
    """A push service of browsers that takes all that is signed."""
    with served_push_service() as running:
        yield running


@pytest.fixture
def push_service(push_server: PushService, adjust: Callable[..., None]) -> PushService:
    """The same, with settings that lead there; it has received nothing and refuses nothing."""
    push_server.reset()
    adjust(**push_server.environment())
    return push_server


@pytest.fixture(scope="session")
def project_dir() -> Path:
    return PROJECT_DIR


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[House]:
    """The whole product as `make run` starts it, with a demo model that obeys and remembers."""
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1", DEMO_MODEL_RECORD="1")  # noqa: TID251
    data = tmp_path_factory.mktemp("house")
    with Stack(data, settings=SETTINGS, is_kept=False) as stack:
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        yield house
        house.close()
