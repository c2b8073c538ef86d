"""An erased account: nothing that its user wrote, sent or is known by is left anywhere."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import account_erasure
from gateways.s3_files import Storage, StorageFailed
from models import jobs, ledger
from models.archives import exports
from models.base import new_id, utc_now
from models.channels import accounts
from models.email import outbox
from models.email.templates import account as letters
from models.jobs.closures import AccountClosing
from models.people import account_deletion, email_tokens, sessions, two_factor, users
from models.people.account_deletion import (
    AdminsAreNotDeleted,
    DeletionBegun,
    DeletionOrdered,
    NoDeletionOrdered,
)
from models.schema.admins import AdminRole
from models.schema.email_tokens import LinkPurpose
from models.schema.emails import Email, EmailStatus
from models.schema.invitations import WaitingAddress
from models.schema.jobs import JobStatus
from models.schema.metadata import metadata
from models.schema.model_calls import ModelCall
from models.schema.reset_requests import ResetRequest
from models.schema.uploads import SentFile
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.channels.fixtures import pigeon
from tests.payments import bought

__all__ = ["pigeon"]

MARK = "Quetzalcoatlus"


@pytest.fixture
def noted(db: Session, storage: Storage) -> User:
    """Somebody who has left their mark everywhere."""
    person = factories.user(db, f"{MARK.lower()}@example.org", name=MARK)
    person.needs = MARK
    bought(db, person)
    file = SentFile(f"{MARK}.txt", "text/plain", 5, f"uploads/{person.id}/{new_id()}")
    places = [f"{place}/{person.id}/1-00" for place in ("state", "answers", "imports", "exports")]
    for key in (file.storage_key, *places):
        storage.put(key, MARK.encode())
    talk = factories.conversation(db, person)
    jobs.ask(db, talk, MARK, model=factories.MODEL, files=[file])
    job = factories.claim(db)
    assert job
    call_id = factories.charge(db, job, 5_000)
    db.get_one(ModelCall, call_id).detail = f"No {MARK} here."
    factories.answer(db, job, MARK, f"<p>{MARK}</p>")
    users.forget_cell(person)
    two_factor.begin(db, sessions.open_for(db, person, MARK), factories.PASSWORD)
    # They moved to an address that was on the list before.
    db.add(WaitingAddress(address=person.email))
    accounts.link(db, person.id, "pigeon", "bird", "bird", MARK)
    db.commit()
    return person


def let_days_pass(db: Session, user: User) -> None:
    """The time to change one's mind is over."""
    assert user.deletion_due_at
    assert user.deletion_due_at > utc_now() + timedelta(days=13)
    user.deletion_due_at = utc_now()
    db.commit()


def traces(db: Session) -> dict[str, int]:
    """How many rows of each table still know the mark."""
    found = {
        table.name: db.scalar(
            sa.select(sa.func.count())
            .select_from(table)
            .where(sa.func.lower(sa.cast(table.table_valued(), sa.Text)).contains(MARK.lower()))
        )
        for table in metadata.sorted_tables
    }
    return {name: count for name, count in found.items() if count}


def test_after_the_days_nothing_is_left_but_the_books(
    db: Session, noted: User, storage: Storage
) -> None:
    assert len(traces(db)) >= 7
    account_deletion.order(db, noted)
    db.commit()
    assert account_erasure.erase_due() == 0
    assert traces(db)
    let_days_pass(db, noted)
    assert account_erasure.erase_due() == 1
    assert account_erasure.erase_due() == 0
    db.expire_all()
    assert traces(db) == {}
    assert [key for key in storage.list("") if str(noted.id) in key] == []
    gone = db.get_one(User, noted.id)
    assert (gone.deleted_at is not None, gone.password_hash) == (True, None)
    assert not any(ledger.audit(db, noted.id).values())
    assert sessions.list_live(db, noted.id) == []


def test_an_address_of_before_goes_too_and_what_is_anothers_stays(
    db: Session, noted: User, eve: User
) -> None:
    asked_for = "stranger@example.org"
    for purpose, address in (
        (LinkPurpose.ADDRESS_UNDO, "before@example.org"),
        (LinkPurpose.ADDRESS_UNDO, eve.email),
        (LinkPurpose.ADDRESS_CHANGE, asked_for),
    ):
        email_tokens.make(db, noted, purpose, address=address)
        letter = letters.password_changed("", is_reset=False)
        outbox.queue(db, address, letter, reference=f"letter:{address}")
        db.add(WaitingAddress(address=address))
        db.add(ResetRequest(address=address))
    db.flush()
    words = {"text_body": "", "html_body": "", "next_try_at": None, "sent_at": utc_now()}
    db.execute(sa.update(Email).values(status=EmailStatus.SENT, **words))
    account_deletion.order(db, noted)
    let_days_pass(db, noted)
    assert account_erasure.erase_due() == 1
    assert set(db.scalars(sa.select(Email.recipient))) == {eve.email}
    # Somebody else may be on the list with what was only asked for.
    for column in (WaitingAddress.address, ResetRequest.address):
        assert set(db.scalars(sa.select(column))) == {eve.email, asked_for}


def test_an_archive_that_is_put_together_meanwhile_is_thrown_away(db: Session, noted: User) -> None:
    exports.ask(db, noted.id)
    claimed = exports.claim(db, timedelta(minutes=20))
    assert claimed
    account_deletion.order(db, noted)
    let_days_pass(db, noted)
    assert account_deletion.close(db, noted.id)
    assert not exports.finish(db, claimed, f"exports/{noted.id}/late", 5)


def test_until_then_nothing_is_sent_and_all_of_it_can_be_undone(db: Session, noted: User) -> None:
    waiting = factories.job(db, noted)
    account_deletion.order(db, noted)
    db.refresh(waiting)
    assert waiting.status is JobStatus.CANCELLED
    with pytest.raises(AccountClosing):
        factories.job(db, noted)
    with pytest.raises(DeletionOrdered):
        account_deletion.order(db, noted)
    account_deletion.undo(noted)
    db.commit()
    assert account_erasure.erase_due() == 0
    assert factories.job(db, noted)
    with pytest.raises(NoDeletionOrdered):
        account_deletion.undo(noted)


def test_once_its_files_may_have_gone_nobody_keeps_it_or_orders_it_again(
    db: Session, noted: User
) -> None:
    account_deletion.order(db, noted)
    let_days_pass(db, noted)
    assert account_deletion.close(db, noted.id)
    with pytest.raises(DeletionBegun):
        account_deletion.undo(noted)
    assert account_erasure.erase_due() == 1
    db.refresh(noted)
    with pytest.raises(DeletionOrdered):
        account_deletion.order(db, noted)


def test_it_waits_for_a_turn_that_runs_and_for_storage(
    db: Session, noted: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = factories.running(db, noted)
    account_deletion.order(db, noted)
    let_days_pass(db, noted)
    assert account_erasure.erase_due() == 0
    db.refresh(running)
    assert running.stop_requested_at
    jobs.stop(db, running)
    db.commit()

    def _away(*_: object) -> list[str]:
        raise StorageFailed("away")

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "list", _away)
        assert account_erasure.erase_due() == 0
    assert traces(db)
    assert account_erasure.erase_due() == 1
    assert traces(db) == {}


def test_others_keep_what_they_have(db: Session, noted: User, ada: User) -> None:
    job = factories.running(db, ada, "Mine")
    factories.answer(db, job)
    account_deletion.order(db, noted)
    let_days_pass(db, noted)
    assert account_erasure.erase_due() == 1
    db.refresh(ada)
    assert ada.email == "ada@example.org"
    assert jobs.find_own(db, ada.id, job.id).message_id


def test_no_admin_is_deleted(db: Session, ada: User, adjust: Callable[..., None]) -> None:
    users.set_admin_role(ada, AdminRole.VIEWER)
    with pytest.raises(AdminsAreNotDeleted):
        account_deletion.order(db, ada)
    assert get_settings().account_deletion_days == 14
