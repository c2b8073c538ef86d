"""What somebody must look after: silent workers, lost wake-ups, late mail, what grows for ever."""

from datetime import timedelta

import redis
import structlog

from actions import (
    account_erasure,
    attachments,
    billing_emails,
    bulk_jobs,
    memory,
    notifications,
    wakeups,
)
from actions.archives import ending
from gateways.live_events import JobEnded, RetryScheduled
from models import jobs, ledger
from models.archives import exports
from models.base import utc_now
from models.chat import erasures, pending_uploads, transcriptions
from models.database import unit_of_work
from models.email import outbox
from models.ledger import alerts
from models.memory import notes
from models.notifications import pushes
from models.ops import abuse_scores, product_events, retention, rollups
from models.people import password_reset, sign_ups
from models.schema.jobs import Job
from settings import get_settings

log = structlog.get_logger()

# What somebody's files are to forget is tried again so long after it failed, for so many at a time.
FORGET_AGAIN = timedelta(minutes=1)
FORGOTTEN_AT_ONCE = 4
# In many zones nights end at the same moment; the next sweep takes the others.
TOLD_AT_ONCE = 500
STAGED_FOR = timedelta(days=1)
# Who spoke has sent the words by then, or does not want them.
WORDS_KEPT_FOR = timedelta(days=1)
# Of each table; so the lock on what goes is short, and a large backlog takes its time.
PRUNED_AT_ONCE = 500
WAITING_FOR_MAIL = (outbox.has_due, password_reset.has_requests, sign_ups.has_requests)


def sweep() -> None:
    """Take jobs back from workers that fell silent, and wake a worker if any job can be claimed."""
    lease = timedelta(seconds=get_settings().job_lease_seconds)
    reap_expired()
    with unit_of_work() as db:
        jobs.drop_affinity_of_dead(db, lease)
    absorb_orphans(2 * lease)
    resume_held_up()
    tell_what_was_held()
    with unit_of_work() as db:
        claimable = jobs.count_claimable(db)
        forgetful = erasures.due(db, before=utc_now() - FORGET_AGAIN, limit=FORGOTTEN_AT_ONCE)
        has_mail = any(waits(db) for waits in WAITING_FOR_MAIL)
        has_pushes = pushes.has_due(db)
        has_exports = exports.is_any_waiting(db)
    for _ in range(min(claimable, 16)):
        wakeups.answer()
    if has_mail:
        wakeups.mail()
    if has_pushes:
        wakeups.pushes()
    if has_exports:
        wakeups.export()
    for person in forgetful:
        wakeups.forget(person)
    forget_files()
    bulk_jobs.resume_open()
    with unit_of_work() as db:
        transcriptions.forget(db, WORDS_KEPT_FOR)


def reap_expired() -> None:
    """Take the jobs of silent workers back, each in a transaction of its own.

    A worker that dies leaves dozens: no account stays locked while the others are looked after.
    """
    with unit_of_work() as db:
        silent = jobs.abandoned(db)
    for job_id in silent:
        with unit_of_work() as db:
            job = jobs.reap_expired(db, job_id)
            if job is not None and job.is_over:
                billing_emails.tell_alerts(db, alerts.raise_absorbed(db, job.user_id))
        if job is not None:
            log.warning("job.released", job_id=str(job.id), user_id=str(job.user_id), to=job.status)
            _publish(job)


def absorb_orphans(older_than: timedelta) -> None:
    """Close, at our expense, what was left open by jobs that have been over for so long."""
    with unit_of_work() as db:
        orphans = ledger.orphans(db, older_than)
    for call_id in orphans:
        with unit_of_work() as db:
            ledger.lose_call(db, call_id)
            # What its hold had made run dry goes on.
            resumed = jobs.resume_with_credits(db, ledger.owner_of_call(db, call_id))
        for job in resumed:
            wakeups.resumed(job)
    if orphans:
        log.warning("calls.absorbed", count=len(orphans))


def resume_held_up() -> None:
    """Let messages go on that wait for credits which are there again without a top-up."""
    with unit_of_work() as db:
        users = jobs.held_up(db)
    for user_id in users:
        with unit_of_work() as db:
            resumed = jobs.resume_with_credits(db, user_id)
        for job in resumed:
            wakeups.resumed(job)


def tell_what_was_held() -> None:
    """Tell users whose quiet hours are over what happened meanwhile."""
    for _ in range(TOLD_AT_ONCE):
        with unit_of_work() as db:
            if not notifications.dispatch_next(db):
                return


def prune() -> None:
    """Delete a batch of what is over and was kept long enough."""
    now = utc_now()
    before = now - timedelta(days=get_settings().kept_days)
    with unit_of_work() as db:
        pruned = retention.prune(db, before, limit=PRUNED_AT_ONCE)
        pruned |= retention.prune_channels(db, now, limit=PRUNED_AT_ONCE)
    account_erasure.erase_due()
    if pruned:
        log.info("pruned", **pruned)
    memory.erase_deleted(now - notes.UNDO_TIME, PRUNED_AT_ONCE)


def roll_up() -> None:
    """Add up the numbers of the hours, days and months that are new; a backlog chunk by chunk."""
    for roll in (rollups.roll_hours, rollups.roll_days, rollups.roll_months):
        is_done = False
        while not is_done:
            with unit_of_work() as db:
                is_done = roll(db, utc_now())


def gather_events() -> None:
    """Gather the steps that users have taken since the last time; a backlog chunk by chunk."""
    is_done = False
    while not is_done:
        with unit_of_work() as db:
            is_done = product_events.gather(db, utc_now())


def score_abuse() -> None:
    """Look for what speaks against users, and replace the scores."""
    with unit_of_work() as db:
        abuse_scores.rescore(db, utc_now())


def forget_files() -> None:
    """Delete the files of messages that nobody gave the word for within a day, and old exports.

    What could not go from storage when it was deleted goes too, and what was put there for a
    message or an answer that never came to be.
    """
    with unit_of_work() as db:
        keys = pending_uploads.expire(db, STAGED_FOR) + exports.expire(db, utc_now())
        attachments.drop_after_commit(db, keys)
    attachments.drop_left(utc_now())
    ending.delete_ended()


def _publish(job: Job) -> None:
    event = JobEnded(job.status) if job.is_over else RetryScheduled()
    try:
        wakeups.streams().append(job.conversation_id, job.id, job.attempt, event)
    except redis.RedisError as error:
        log.warning("live.lost", job_id=str(job.id), error=str(error))
