"""A database of an earlier house moves in: nothing is lost, the books balance, people go on.

The dump was made by the code of 747b782 itself: people, conversations, jobs that ended in every
way, payments, a refund, a dispute that froze an account, a snapshot.
"""

import gzip
from collections.abc import Generator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from models import jobs, ledger
from models.chat import conversations, history
from models.database import open_session
from models.schema.chat import Conversation
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import FreezeReason
from models.schema.snapshots import StateSnapshot
from models.schema.users import User
from settings import PROJECT_DIR, Settings
from tests import factories
from tests.webapp.browser import Browser
from webapp import create_app
from webapp.core import security

# Restoring it takes longer than the tests.
pytestmark = pytest.mark.xdist_group("old_house")
DUMP = Path(__file__).parent.parent / "models" / "old_house" / "house_747b782.sql.gz"


@pytest.fixture(scope="module")
def old_house(settings: Settings) -> Generator[sa.Engine]:
    """The old database, restored and migrated, apart from that of other tests."""
    url = sa.make_url(settings.database_url.get_secret_value())
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = f"{url.database}_old_house"
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine = sa.create_engine(url.set(database=name), poolclass=NullPool)
    with engine.begin() as connection:
        connection.connection.cursor().execute(gzip.decompress(DUMP.read_bytes()))
    with engine.begin() as connection:
        connection.execute(sa.text("SET search_path TO public"))
        migrations = Config(PROJECT_DIR / "alembic.ini")
        migrations.attributes["connection"] = connection
        command.upgrade(migrations, "head")
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def db(old_house: sa.Engine) -> Generator[Session]:
    with old_house.connect() as connection, connection.begin() as outer:
        open_session.configure(bind=connection, join_transaction_mode="create_savepoint")
        with open_session() as session:
            yield session
        outer.rollback()


@pytest.fixture
def browser(settings: Settings, db: Session, redis_url: str) -> Generator[Browser]:
    assert db
    assert redis_url
    before = dict(vars(security.limiter))
    app = create_app(settings)
    yield Browser(app)
    app.extensions["hub"].close()
    vars(security.limiter).update(before)


def person(db: Session, name: str) -> User:
    return db.scalars(sa.select(User).where(User.email == f"{name}@example.com")).one()


def test_the_books_balance(db: Session) -> None:
    assert {rule: found for rule, found in ledger.audit(db).items() if found} == {}
    assert person(db, "ada").credits_balance_micros == 7_934_310


def test_sentences_became_codes(db: Session) -> None:
    frozen = person(db, "eve")
    assert frozen.spending_frozen_reason is FreezeReason.DISPUTE
    failed = db.scalars(
        sa.select(Job.failure_code).where(Job.status == JobStatus.FAILED).order_by(Job.id)
    ).all()
    assert failed == [
        FailureCode.NO_CREDIT,
        FailureCode.PROVIDER_DOWN,
        FailureCode.MESSAGE_LIMIT,
        FailureCode.CELL_DIED,
        FailureCode.WORKER_LOST,
    ]


def test_snapshots_are_still_there(db: Session) -> None:
    kept = db.scalars(sa.select(StateSnapshot)).one()
    assert (kept.user_id, kept.version) == (person(db, "ada").id, 1)


def talk_of(db: Session, owner: User) -> Conversation:
    """The conversation about her dog."""
    mine = conversations.list_own(db, owner.id)
    return next(one for one in mine if one.title == "My dog is called Rex.")


def test_a_conversation_goes_on(db: Session, browser: Browser) -> None:
    ada = person(db, "ada")
    talk = talk_of(db, ada)
    browser.log_in(ada.email)
    page = browser.get(f"/chat/{talk.id}").text
    assert page.index("What is my dog called?") < page.index("<p>Rex.</p>")
    answer = browser.post(f"/chat/{talk.id}/messages", {"text": "How old is he?"})
    assert answer.status_code == 303

    waiting = factories.claim(db)
    assert waiting is not None
    factories.answer(db, waiting, "No idea.")
    asked = factories.claim(db)
    assert asked is not None
    factories.charge(db, asked, 10_000)
    factories.answer(db, asked, "Four.", "<p>Four.</p>\n")

    found = history.exchanges_of(db, talk, [asked.id])
    assert [run.answer.text for one in found for run in one.runs if run.answer] == ["Four."]
    assert jobs.find_own(db, ada.id, asked.id).status is JobStatus.COMPLETED
    assert not any(ledger.audit(db).values())
