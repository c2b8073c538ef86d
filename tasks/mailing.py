"""Sends what the outbox holds. The rows are the truth: a lost wake-up costs a short wait."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

import dramatiq
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from actions import wakeups
from actions.broker import get_broker
from gateways.mail import Mail, Mailer, MailFailed, make_mailer
from models.database import unit_of_work
from models.email import outbox
from models.email.outbox import Outgoing
from models.people import password_reset, sign_ups
from settings import get_settings

log = structlog.get_logger()

# Longer than any server can take: some ten steps, each with a time limit of a minute at most.
LEASE = timedelta(minutes=15)
# A mail server that hangs must not take all threads of a worker.
MOST_AT_ONCE = 2
# So often, with so much patience, is a database that restarts told how a mail went.
PATIENCE_SECONDS = (0.2, 0.5, 1, 2, 4, 8, 16, 0)

_senders = threading.BoundedSemaphore(MOST_AT_ONCE)


@dramatiq.actor(broker=get_broker(), actor_name=wakeups.SEND_MAIL, queue_name=wakeups.MAIL_QUEUE)
def send_mail() -> None:
    """Answer who forgot a password or signed up, then send what is due, one after the other."""
    if not _senders.acquire(blocking=False):
        return
    try:
        for answer_next in (password_reset.answer_next, sign_ups.answer_next):
            while _answers(answer_next):
                pass
        while send_next(_mailer()):
            pass
    finally:
        _senders.release()


def _answers(answer_next: Callable[[Session], bool]) -> bool:
    with unit_of_work() as db:
        return answer_next(db)


def send_next(mailer: Mailer) -> bool:
    """Send the mail that has been due longest; False if there is none."""
    with unit_of_work() as db:
        mail = outbox.claim_next(db, LEASE)
    if mail is None:
        return False
    # No transaction is open while the server is talked to.
    try:
        mailer.send(
            Mail(str(mail.id), mail.recipient, mail.subject, mail.text_body, mail.html_body)
        )
    except MailFailed as failure:
        _put_off(mail, failure)
    else:
        _write_down(lambda db: outbox.mark_sent(db, mail))
        log.info("mail.sent", email_id=str(mail.id), kind=mail.kind, attempt=mail.attempt)
    return True


def _put_off(mail: Outgoing, failure: MailFailed) -> None:
    given_up: list[bool] = []
    _write_down(
        lambda db: given_up.append(
            outbox.put_off(db, mail, str(failure), is_hopeless=failure.is_permanent)
        )
    )
    # What the server said may have the address in it: that stays in the row.
    event = "mail.given_up" if given_up[-1] else "mail.put_off"
    log.warning(event, email_id=str(mail.id), kind=mail.kind, attempt=mail.attempt)


def _write_down(write: Callable[[Session], object]) -> None:
    """Note how it went. What cannot be noted would be sent once more."""
    for seconds in PATIENCE_SECONDS:
        try:
            with unit_of_work() as db:
                write(db)
            return
        except OperationalError:
            if not seconds:
                raise
            time.sleep(seconds)


@lru_cache(maxsize=1)
def _mailer() -> Mailer:
    return make_mailer(get_settings())
