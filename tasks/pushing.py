"""Sends the pushes that wait. The rows are the truth: a lost wake-up costs a short wait."""

import threading
from datetime import timedelta
from functools import lru_cache

import dramatiq
import structlog
from sqlalchemy.orm import Session

from actions import wakeups
from actions.broker import get_broker
from gateways.web_push import PushFailed, PushSender, Target
from models.database import unit_of_work
from models.notifications import pushes, subscriptions
from models.notifications.pushes import ClaimedPush
from settings import get_settings

log = structlog.get_logger()

# Longer than any push service can take: it has a minute at most to connect, and one to answer.
LEASE = timedelta(minutes=5)
# A push service that hangs must not take all threads of a worker.
MOST_AT_ONCE = 2

_senders = threading.BoundedSemaphore(MOST_AT_ONCE)


@dramatiq.actor(broker=get_broker(), actor_name=wakeups.SEND_PUSHES, queue_name=wakeups.MAIL_QUEUE)
def send_pushes() -> None:
    """Send what is due, one after the other."""
    if not get_settings().offers_push or not _senders.acquire(blocking=False):
        return
    try:
        while send_next(_sender()):
            pass
    finally:
        _senders.release()


def send_next(sender: PushSender) -> bool:
    """Send the push that has been due longest; False if there is none."""
    with unit_of_work() as db:
        push = pushes.claim_next(db, LEASE)
    if push is None:
        return False
    to = Target(push.to.endpoint, push.to.p256dh, push.to.auth)
    # No transaction is open while the push service is talked to.
    try:
        sender.send(push.id.hex, to, {**push.content, "tag": push.reference})
    except PushFailed as failure:
        with unit_of_work() as db:
            subscriptions.lock(db, push.subscription_id)
            _fail(db, push, failure)
        log.warning("push.failed", push_id=str(push.id), error=str(failure), attempt=push.attempt)
    else:
        with unit_of_work() as db:
            subscriptions.note_success(db, push.subscription_id)
            pushes.mark_sent(db, push)
        log.info("push.sent", push_id=str(push.id), attempt=push.attempt)
    return True


def _fail(db: Session, push: ClaimedPush, failure: PushFailed) -> None:
    """Try it again later, give it up, or forget a browser that is no more."""
    if failure.is_gone:
        subscriptions.remove(db, push.subscription_id)
    elif failure.is_permanent:
        pushes.give_up(db, push, str(failure))
        subscriptions.note_failure(db, push.subscription_id)
    else:
        seconds = failure.retry_after_seconds
        wait = timedelta(seconds=seconds) if seconds else None
        if pushes.put_off(db, push, str(failure), wait):
            subscriptions.note_failure(db, push.subscription_id)


@lru_cache(maxsize=1)
def _sender() -> PushSender:
    return PushSender(get_settings())
