"""The outbox: a mail belongs to its transaction, is claimed by one sender, and ends in some way."""

from collections.abc import Sequence
from datetime import timedelta
from queue import SimpleQueue

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.database import unit_of_work
from models.email import outbox, templates
from models.email.outbox import Outgoing
from models.email.templates import EmailContent
from models.schema.emails import Email, EmailStatus
from tests import factories

LEASE = timedelta(minutes=5)


def letter(subject: str = "A word") -> EmailContent:
    return templates.alert(subject, ["Your credits run low."])


def queued(db: Session, reference: str = "alert:1", recipient: str = "ada@example.org") -> Email:
    outbox.queue(db, recipient, letter(), reference=reference)
    return db.scalars(sa.select(Email).where(Email.reference == reference)).one()


def claimed(db: Session) -> Outgoing:
    mail = outbox.claim_next(db, LEASE)
    assert mail is not None
    return mail


def test_a_queued_mail_has_all_it_needs_and_is_due_at_once(db: Session) -> None:
    outbox.queue(db, "ada@example.org", letter("Low\r\nBcc: eve@example.org"), reference="alert:1")

    mail = claimed(db)
    assert (mail.recipient, mail.attempt) == ("ada@example.org", 1)
    assert mail.subject == "Low Bcc: eve@example.org"
    assert "Your credits run low." in mail.text_body
    assert "Your credits run low." in mail.html_body


def test_a_reference_is_mailed_once(db: Session) -> None:
    for subject in ("First", "Second"):
        outbox.queue(db, "ada@example.org", letter(subject), reference="receipt:7")

    assert claimed(db).subject == "First"
    assert outbox.claim_next(db, LEASE) is None


def test_what_is_rolled_back_is_not_mailed(emptied: sa.Engine) -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work() as db:
        queued(db)
        raise ZeroDivisionError
    with unit_of_work() as db:
        assert not outbox.has_due(db)


def test_a_claimed_mail_is_nobody_elses_until_its_lease_ends(db: Session) -> None:
    queued(db)
    assert outbox.has_due(db)
    first = outbox.claim_next(db, timedelta(0))
    assert first is not None

    second = claimed(db)
    assert (second.id, second.attempt) == (first.id, 2)
    assert outbox.claim_next(db, LEASE) is None
    assert not outbox.has_due(db)


def test_the_late_word_of_an_earlier_sender_changes_nothing(db: Session) -> None:
    kept = queued(db)
    late = outbox.claim_next(db, timedelta(0))
    assert late is not None
    claimed(db)

    outbox.mark_sent(db, late)
    assert not outbox.put_off(db, late, "hopeless", is_hopeless=True)
    db.refresh(kept)
    assert (kept.status, kept.attempts, kept.failure) == (EmailStatus.QUEUED, 2, None)


def test_a_sent_mail_keeps_no_words(db: Session) -> None:
    kept = queued(db)
    outbox.mark_sent(db, claimed(db))

    db.refresh(kept)
    assert kept.status is EmailStatus.SENT
    assert kept.sent_at is not None
    assert (kept.subject, kept.text_body, kept.html_body) == ("", "", "")
    with pytest.raises(IntegrityError), db.begin_nested():
        kept.text_body = "https://example.org/?token=secret"
        db.flush()


def test_a_failed_try_is_repeated_after_longer_and_longer_waits(db: Session) -> None:
    kept = queued(db)
    assert not outbox.put_off(db, claimed(db), "451 later", is_hopeless=False)
    assert (kept.status, kept.failure) == (EmailStatus.QUEUED, "451 later")
    assert kept.text_body
    assert not outbox.has_due(db)

    waits = [outbox.retry_delay(attempts) for attempts in (1, 2, 3, 30)]
    assert waits == [
        timedelta(seconds=20),
        timedelta(seconds=40),
        timedelta(seconds=80),
        timedelta(hours=1),
    ]


@pytest.mark.parametrize(("is_hopeless", "age"), [(True, 0), (False, 25)])
def test_a_mail_is_given_up_when_it_is_hopeless_or_old(
    db: Session, is_hopeless: bool, age: int
) -> None:
    kept = queued(db)
    kept.created_at -= timedelta(hours=age)
    assert outbox.put_off(db, claimed(db), "550 no", is_hopeless=is_hopeless)

    db.refresh(kept)
    assert (kept.status, kept.next_try_at) == (EmailStatus.FAILED, None)
    assert (kept.subject, kept.text_body, kept.html_body) == ("", "", "")


def test_many_senders_share_the_mail_and_none_is_claimed_twice(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        for number in range(20):
            queued(db, f"alert:{number}")
    claims: SimpleQueue[Outgoing] = SimpleQueue()

    def _claim_all() -> None:
        while True:
            with unit_of_work() as db:
                mail = outbox.claim_next(db, LEASE)
            if mail is None:
                return
            claims.put(mail)

    assert factories.in_parallel(6, _claim_all) == [None] * 6
    found: Sequence[Outgoing] = [claims.get() for _ in range(claims.qsize())]
    assert len({mail.id for mail in found}) == len(found) == 20


def test_a_sender_does_not_wait_for_another_ones_row(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        queued(db, "alert:1")
        queued(db, "alert:2")
    with Session(emptied) as one, Session(emptied) as other:
        first, second = outbox.claim_next(one, LEASE), outbox.claim_next(other, LEASE)
        assert first is not None
        assert second is not None
        assert first.id != second.id
