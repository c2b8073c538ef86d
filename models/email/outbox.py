"""The outbox: mails are written in the transaction that causes them, and sent afterwards.

A sender claims a mail for a while (a lease), talks to the network without a transaction, and then
writes down how it went, with its attempt as the proof that the mail is still its own. Who dies in
between leaves it to the next: so a mail is sent at least once, and twice only if the server had
taken it and we could not write that down.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import is_any_of, new_id
from models.database import clock
from models.email.templates import EmailContent
from models.schema.emails import Email, EmailKind, EmailStatus

FIRST_RETRY = timedelta(seconds=20)
LONGEST_RETRY = timedelta(hours=1)
# After this a link in it has expired, and news are old.
GIVEN_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Outgoing:
    """A mail that a sender has claimed; `attempt` proves that it is still theirs."""

    id: UUID
    attempt: int
    kind: EmailKind
    recipient: str
    subject: str
    text_body: str
    html_body: str


@dataclass(frozen=True)
class Written:
    """A letter to somebody; `reference` names what causes it."""

    recipient: str
    letter: EmailContent
    reference: str


def queue(db: Session, recipient: str, letter: EmailContent, *, reference: str) -> None:
    """Write a letter that is sent once `db` has committed; once for each `reference`.

    The caller wakes the senders after the commit, which only saves time.
    """
    queue_all(db, [Written(recipient, letter, reference)])


def queue_all(db: Session, written: Sequence[Written]) -> None:
    """Do as `queue` does, for many at once."""
    now = clock(db)
    rows = [
        {
            "id": new_id(),
            "recipient": one.recipient,
            "kind": one.letter.kind,
            # One line, whatever somebody's name has in it.
            "subject": " ".join(one.letter.subject.split()),
            "text_body": one.letter.as_text(),
            "html_body": one.letter.as_html(),
            "reference": one.reference,
            "status": EmailStatus.QUEUED,
            "next_try_at": now,
        }
        for one in written
    ]
    if rows:
        db.execute(insert(Email).on_conflict_do_nothing(index_elements=[Email.reference]), rows)


def collected_reference(notification_id: UUID) -> str:
    """Name the mail of several notifications by the first of them."""
    return f"collected:{notification_id}"


def withdraw(db: Session, references: Collection[str]) -> None:
    """Do not send those mails that still wait; nothing of their words stays."""
    db.execute(
        update(Email)
        .where(is_any_of(Email.reference, references), Email.status == EmailStatus.QUEUED)
        .values(status=EmailStatus.FAILED, failure="withdrawn", **_EMPTIED)
        .execution_options(synchronize_session=False)
    )


def has_due(db: Session) -> bool:
    """Tell whether a mail waits for somebody to send it now."""
    return db.scalar(select(Email.id).where(*_IS_DUE).limit(1)) is not None


def claim_next(db: Session, lease: timedelta) -> Outgoing | None:
    """Take the mail that has been due longest; for the length of `lease` nobody else gets it."""
    candidate = (
        select(Email.id)
        .where(*_IS_DUE)
        .order_by(Email.next_try_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("candidate")
    )
    claimed = db.execute(
        update(Email)
        .where(Email.id == candidate.c.id)
        .values(attempts=Email.attempts + 1, next_try_at=func.clock_timestamp() + lease)
        .returning(
            Email.id,
            Email.attempts,
            Email.kind,
            Email.recipient,
            Email.subject,
            Email.text_body,
            Email.html_body,
        )
    ).one_or_none()
    return Outgoing(*claimed) if claimed else None


def mark_sent(db: Session, mail: Outgoing) -> None:
    """Write down that the server took a claimed mail; nothing changes if it is another's by now."""
    over = {"status": EmailStatus.SENT, "sent_at": func.clock_timestamp(), "failure": None}
    db.execute(update(Email).where(*_is_still(mail)).values(**over, **_EMPTIED))


def put_off(db: Session, mail: Outgoing, failure: str, *, is_hopeless: bool) -> bool:
    """Try a claimed mail again later, or give it up; return whether it was given up.

    A mail is given up at once if it `is_hopeless`, else a day after it was written. Nothing changes
    if it is another's by now.
    """
    kept = db.scalar(select(Email).where(*_is_still(mail)).with_for_update())
    if kept is None:
        return False
    now = db.scalars(select(func.clock_timestamp())).one()
    kept.failure = failure[:500]
    if is_hopeless or now - kept.created_at > GIVEN_UP_AFTER:
        kept.status, kept.next_try_at = EmailStatus.FAILED, None
        kept.subject = kept.text_body = kept.html_body = ""
    else:
        kept.next_try_at = now + retry_delay(kept.attempts)
    db.flush()
    return kept.status is EmailStatus.FAILED


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: each time twice as long, up to an hour."""
    return min(FIRST_RETRY * 2 ** min(attempts - 1, 20), LONGEST_RETRY)


_IS_DUE = (Email.status == EmailStatus.QUEUED, Email.next_try_at <= func.clock_timestamp())
# A subject has words of its user too: what they are reminded of.
_EMPTIED: dict[str, object] = {
    **dict.fromkeys(("subject", "text_body", "html_body"), ""),
    "next_try_at": None,
}


def _is_still(mail: Outgoing) -> tuple[ColumnElement[bool], ...]:
    return (
        Email.id == mail.id,
        Email.attempts == mail.attempt,
        Email.status == EmailStatus.QUEUED,
    )
