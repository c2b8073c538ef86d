"""Whatever a stranger has left with somebody's address does not stay with its owner."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import account_erasure
from gateways.s3_files import Storage
from models import jobs, ledger, lists
from models.archives import exports, imported
from models.archives.imported import StoredImport
from models.base import new_id, utc_now
from models.channels import accounts, links
from models.channels.links import LinkGone
from models.errors import Refused
from models.memory import notes
from models.notifications import subscriptions
from models.notifications.subscriptions import Keys
from models.people import (
    email_tokens,
    identities,
    password_reset,
    provider_sign_in,
    sessions,
    sign_ups,
    two_factor,
    users,
)
from models.people.email_tokens import LinkUsedUp
from models.people.identities import ProvenIdentity
from models.people.users import WrongCredentials
from models.reminders import feeds
from models.schema.email_tokens import LinkPurpose
from models.schema.ledger import FreezeReason
from models.schema.memory import NoteAuthor
from models.schema.metadata import metadata
from models.schema.reminders import ReminderKind
from models.schema.uploads import SentFile
from models.schema.users import User
from tests import factories, scanning
from tests.models.reminders.making import made
from tests.payments import bought
from tests.webapp.accounts.test_verification import links as mailed
from tests.webapp.accounts.test_verification import token_of

MARK = "xylograph"
GRACE = "grace@example.org"
NEW = "a whole new sentence"
HERE = "8.8.8.8"
SQUATTERS = ProvenIdentity("666", f"{MARK}@example.org")
# What a new account may have from its first moment on, by its own doing.
OF_ITS_OWN = {
    *("users", "transactions", "free_credit_claims", "free_credit_refusals", "identities"),
    *("sign_ups", "product_events"),
}

Claim = Callable[[Session], User]


@pytest.fixture(autouse=True)
def by_mail(adjust: Callable[..., None]) -> None:
    adjust(VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="true")


@pytest.fixture
def squatter(db: Session, storage: Storage) -> User:
    """Has signed up with Grace's address, and left something of every kind."""
    person = factories.user(db, GRACE, name=MARK)
    person.needs = MARK
    factories.gift(db, person.id, 100_000)
    _talk(db, person, storage)
    notes.add(db, person.id, f"Obeys the {MARK}", author=NoteAuthor.USER)
    lists.add(db, person.id, "Shopping", [MARK])
    made(db, person, MARK)
    made(db, person, MARK, kind=ReminderKind.TASK)
    key = f"imports/{person.id}/{new_id()}"
    storage.put(key, MARK.encode())
    brought = StoredImport(f"{MARK}.md", MARK, "text/plain", 1, key, is_set_aside=False)
    imported.add_files(db, person.id, [brought])
    _archive(db, person, storage)
    storage.put(f"state/{person.id}/1-a.pack", MARK.encode())
    two_factor.begin(db, sessions.open_for(db, person, MARK), factories.PASSWORD)
    db.commit()
    return person


def _talk(db: Session, person: User, storage: Storage) -> None:
    file = SentFile(f"{MARK}.txt", "text/plain", 5, f"uploads/{person.id}/{new_id()}")
    storage.put(file.storage_key, MARK.encode())
    talk = factories.conversation(db, person)
    jobs.ask(db, talk, MARK, model=factories.MODEL, files=[file])
    job = factories.claim(db)
    assert job is not None
    factories.answer(db, job, MARK)
    users.forget_cell(person)
    jobs.ask(db, talk, f"{MARK} waits", model=factories.MODEL)


def _archive(db: Session, person: User, storage: Storage) -> None:
    exports.ask(db, person.id)
    claimed = exports.claim(db, timedelta(minutes=1))
    assert claimed is not None
    key = f"{exports.place(person.id, claimed.id)}1"
    storage.put(key, MARK.encode())
    assert exports.finish(db, claimed, key, 9)


def _by_reset(db: Session) -> User:
    there = db.scalars(sa.select(User).where(User.email == GRACE)).one()
    secret = password_reset.send_link(db, there, reference="reset")
    return password_reset.choose(db, secret, NEW, network_address=HERE)


def _by_google(db: Session) -> User:
    proven = ProvenIdentity("1", GRACE)
    provider_sign_in.send_link(db, proven)
    secret = token_of(mailed(db, GRACE)[-1])
    return provider_sign_in.connect_by_link(db, secret, proven, network_address=HERE)


def _by_sign_up(db: Session) -> User:
    sign_ups.ask(db, GRACE, NEW)
    sign_ups.answer_next(db)
    return sign_ups.confirm_as_own(db, token_of(mailed(db, GRACE)[-1]), NEW, network_address=HERE)


WAYS = pytest.mark.parametrize("claim", [_by_reset, _by_google, _by_sign_up])


@WAYS
def test_the_owner_has_no_row_of_whoever_came_before(
    db: Session, squatter: User, claim: Claim
) -> None:
    before = {
        table.name for table in metadata.sorted_tables if _rows(db, table, squatter)
    } - OF_ITS_OWN
    expected = {"memory_notes", "list_items", "reminders", "exports", "imported_files", "uploads"}
    assert expected <= before
    owner = claim(db)
    db.flush()
    assert (owner.id != squatter.id, owner.email) == (True, GRACE)
    assert (owner.name, owner.needs) == ("", "")
    theirs = {table.name for table in metadata.sorted_tables if _rows(db, table, owner)}
    assert theirs <= OF_ITS_OWN


def _rows(db: Session, table: sa.Table, user: User) -> bool:
    if "user_id" not in table.c:
        return False
    return (
        db.execute(sa.select(table).where(table.c.user_id == user.id).limit(1)).first() is not None
    )


@WAYS
def test_no_way_in_is_left(db: Session, squatter: User, claim: Claim) -> None:
    session = sessions.open_for(db, squatter, "Thief")
    subscriptions.subscribe(db, session, Keys("https://push.example/1", "key", "auth"))
    identities.connect(db, squatter.id, SQUATTERS)
    accounts.link(db, squatter.id, "pigeon", "bird", "bird", MARK)
    code = links.make_for_user(db, squatter.id, "telegram")
    reading = feeds.renew(db, squatter.id)
    purposes = (LinkPurpose.ADDRESS_CHANGE, LinkPurpose.PASSWORD_RESET, LinkPurpose.VERIFICATION)
    pending = {
        purpose: email_tokens.make(db, squatter, purpose, address=GRACE, session_id=session.id)
        for purpose in purposes
    }
    waiting = sign_ups.ask(db, GRACE, factories.PASSWORD)

    owner = claim(db)

    assert sessions.find_live(db, session.id) is None
    for user in (owner, squatter):
        assert subscriptions.list_live(db, user.id) == []
        assert accounts.list_own(db, user.id) == []
        assert feeds.find(db, user.id) is None
    assert feeds.reader(db, reading) is None
    assert identities.sign_in(db, SQUATTERS) is None
    assert accounts.find_outside(db, "pigeon", "bird") is None
    with pytest.raises(LinkGone):
        links.use_for_user(db, "telegram", code)
    for purpose, secret in pending.items():
        with pytest.raises(LinkUsedUp):
            email_tokens.find(db, secret, purpose)
    assert sign_ups.go_on(db, waiting.id) is None
    with pytest.raises(WrongCredentials):
        users.authenticate(db, GRACE, factories.PASSWORD)
    assert not two_factor.is_on(db, owner.id)


@WAYS
def test_all_of_it_is_erased_and_nothing_of_the_owner(
    db: Session, squatter: User, claim: Claim, storage: Storage
) -> None:
    assert len(scanning.tables_with(db, [MARK])) >= 8
    owner = claim(db)
    notes.add(db, owner.id, "Likes tea", author=NoteAuthor.USER)
    db.commit()
    assert account_erasure.erase_due() == 1
    db.expire_all()
    assert scanning.tables_with(db, [MARK]) == set()
    assert [key for key in storage.list("") if str(squatter.id) in key] == []
    assert [one.words for one in notes.list_own(db, owner.id)] == ["Likes tea"]
    assert db.get_one(User, squatter.id).deleted_at is not None
    assert db.get_one(User, owner.id).deleted_at is None
    assert not any(ledger.audit(db).values())


def test_what_waits_or_runs_of_it_ends(db: Session, squatter: User) -> None:
    (waiting,) = db.scalars(sa.select(jobs.Job).where(jobs.Job.finished_at.is_(None)))
    _by_reset(db)
    db.refresh(waiting)
    assert waiting.is_over
    assert factories.claim(db) is None
    with pytest.raises(Refused):
        jobs.ask(db, factories.conversation(db, squatter), "Hello?", model=factories.MODEL)


def test_bought_credits_come_along(db: Session) -> None:
    squatter = factories.user(db, GRACE)
    bought(db, squatter)
    paid = squatter.credits_balance_micros - squatter.credits_promotional_micros
    assert paid > 0
    owner = _by_reset(db)
    assert owner.credits_balance_micros - owner.credits_promotional_micros == paid
    assert squatter.credits_balance_micros == squatter.credits_promotional_micros
    assert not any(ledger.audit(db).values())


def test_of_a_frozen_account_nothing_comes_along(db: Session) -> None:
    squatter = factories.user(db, GRACE)
    bought(db, squatter)
    squatter.spending_frozen_at, squatter.spending_frozen_reason = utc_now(), FreezeReason.DISPUTE
    db.flush()
    owner = _by_reset(db)
    assert owner.credits_balance_micros == owner.credits_promotional_micros
    assert not owner.is_frozen


def test_who_has_verified_the_address_keeps_everything(db: Session, squatter: User) -> None:
    squatter.email_verified_at = utc_now()
    db.flush()
    assert _by_reset(db).id == squatter.id
    assert [one.words for one in notes.list_own(db, squatter.id)] == [f"Obeys the {MARK}"]


def test_where_no_address_is_verified_a_reset_takes_nothing(
    db: Session, squatter: User, adjust: Callable[..., None]
) -> None:
    adjust(VERIFY_EMAIL="false")
    assert _by_reset(db).id == squatter.id
    assert notes.list_own(db, squatter.id)
