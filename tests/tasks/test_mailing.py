"""Sending: what is due goes out once, whoever is asked, and failures are written down."""

from collections.abc import Generator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from actions import wakeups
from embedded.ports import free_port
from gateways.mail import Mailer, make_mailer
from models.database import unit_of_work
from models.email import outbox, templates
from models.people import password_reset
from models.schema.emails import Email, EmailStatus
from models.schema.users import User
from settings import Settings
from tasks import mailing, upkeep
from tests import factories
from tests.mailbox import Mailbox, own_mailbox


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings
) -> Generator[tuple[Mailbox, Mailer]]:
    with own_mailbox(tmp_path_factory.mktemp("mail")) as (box, url):
        yield box, make_mailer(settings.model_copy(update={"smtp_url": SecretStr(url)}))


def queue(db: Session, number: int, recipient: str) -> None:
    letter = templates.alert(f"Alert {number}", ["A secret: token=hush-hush"])
    outbox.queue(db, recipient, letter, reference=f"alert:{number}")


def only_mail(db: Session) -> Email:
    return db.scalars(sa.select(Email).execution_options(populate_existing=True)).one()


def test_what_is_due_is_sent_and_then_nothing_is(
    db: Session, served: tuple[Mailbox, Mailer]
) -> None:
    box, mailer = served
    queue(db, 1, "ada-due@example.org")
    with capture_logs() as lines:
        assert mailing.send_next(mailer)
        assert not mailing.send_next(mailer)

    assert [mail.subject for mail in box.mails("ada-due@example.org")] == ["Alert 1"]
    assert only_mail(db).status is EmailStatus.SENT
    assert [line["event"] for line in lines] == ["mail.sent"]
    assert "ada-due" not in str(lines)
    assert "hush-hush" not in str(lines)


def test_a_refused_mail_is_given_up_and_the_log_says_so(
    db: Session, served: tuple[Mailbox, Mailer]
) -> None:
    box, mailer = served
    queue(db, 1, "nobody@example.org")
    box.be("refuse")
    with capture_logs() as lines:
        mailing.send_next(mailer)
    box.be("well")

    kept = only_mail(db)
    assert kept.status is EmailStatus.FAILED
    assert kept.failure == "550 There is nobody of that name here"
    assert [(line["event"], line["log_level"]) for line in lines] == [("mail.given_up", "warning")]
    assert "nobody@" not in str(lines)


def test_a_server_that_was_away_gets_the_mail_later(
    db: Session, settings: Settings, tmp_path: Path
) -> None:
    port = free_port()
    url = SecretStr(f"smtp+plain://127.0.0.1:{port}")
    mailer = make_mailer(settings.model_copy(update={"smtp_url": url}))
    queue(db, 1, "ada-later@example.org")
    assert mailing.send_next(mailer)
    assert only_mail(db).status is EmailStatus.QUEUED
    assert not mailing.send_next(mailer)

    db.execute(sa.update(Email).values(next_try_at=sa.func.now()))
    with own_mailbox(tmp_path, smtp_port=port) as (box, _):
        assert mailing.send_next(mailer)
        assert len(box.mails("ada-later@example.org")) == 1
    assert only_mail(db).attempts == 2


def test_many_senders_send_each_mail_once(
    emptied: sa.Engine, served: tuple[Mailbox, Mailer]
) -> None:
    box, mailer = served
    with unit_of_work() as db:
        for number in range(12):
            queue(db, number, "ada-many@example.org")

    def _send_all() -> None:
        while mailing.send_next(mailer):
            pass

    assert factories.in_parallel(4, _send_all) == [None] * 4
    subjects = [mail.subject for mail in box.mails("ada-many@example.org")]
    assert sorted(subjects) == sorted(f"Alert {number}" for number in range(12))


def test_a_server_that_vanishes_before_it_says_yes_may_get_the_mail_twice(
    db: Session, served: tuple[Mailbox, Mailer]
) -> None:
    box, mailer = served
    queue(db, 1, "ada-twice@example.org")
    box.be("vanish")
    mailing.send_next(mailer)
    box.be("well")
    assert only_mail(db).status is EmailStatus.QUEUED

    db.execute(sa.update(Email).values(next_try_at=sa.func.now()))
    mailing.send_next(mailer)
    assert len(box.mails("ada-twice@example.org")) == 2
    assert only_mail(db).status is EmailStatus.SENT


def test_the_clock_tells_the_workers_of_mail_that_waits(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(wakeups, "mail", lambda: told.append("mail"))
    upkeep.sweep()
    assert told == []
    queue(db, 1, "ada-lost@example.org")
    upkeep.sweep()
    password_reset.ask(db, "nobody@example.org")
    mailing.send_mail()
    upkeep.sweep()
    assert told == ["mail"]


def test_the_actor_answers_who_forgot_their_password(db: Session, ada: User) -> None:
    password_reset.ask(db, ada.email)
    mailing.send_mail()
    assert only_mail(db).status is EmailStatus.SENT
    assert not password_reset.has_requests(db)


def test_the_actor_does_nothing_where_enough_threads_send_already(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(db, 1, "ada-busy@example.org")
    for _ in range(mailing.MOST_AT_ONCE):
        assert mailing._senders.acquire(blocking=False)  # pyright: ignore[reportPrivateUsage]
    try:
        mailing.send_mail()
        assert only_mail(db).attempts == 0
    finally:
        for _ in range(mailing.MOST_AT_ONCE):
            mailing._senders.release()  # pyright: ignore[reportPrivateUsage]
    mailing.send_mail()
    assert only_mail(db).status is EmailStatus.SENT
