"""What somebody must look after: silent workers, lost nudges, late mail, what grows for ever."""

from datetime import timedelta
from functools import lru_cache

import redis
import structlog

from gateways.s3_files import Storage, StorageFailed
from models import alerts, erasures, jobs, ledger, outbox, pruning, resetting, sign_ups, staging
from models.base import utc_now
from models.database import unit_of_work
from models.jobs import Job
from settings import get_settings
from tasks import money_mail, nudges

log = structlog.get_logger()

# What somebody's files are to forget is tried again so long after it failed, for so many at a time.
FORGET_AGAIN = timedelta(minutes=1)
FORGOTTEN_AT_ONCE = 4
STAGED_FOR = timedelta(days=1)
# Of each table; so the lock on what goes is short, and a large backlog takes its time.
PRUNED_AT_ONCE = 500
WAITING_FOR_MAIL = (outbox.has_due, resetting.has_requests, sign_ups.has_requests)


def sweep() -> None:
    """Take jobs back from workers that fell silent, and nudge if anything waits to be claimed."""
    lease = timedelta(seconds=get_settings().job_lease_seconds)
    with unit_of_work() as db:
        released = jobs.release_abandoned(db)
        for job in released:
            if job.is_over:
                money_mail.tell_alerts(db, alerts.raise_absorbed(db, job.user_id))
        jobs.stop_waiting_for_the_dead(db, lease)
    with unit_of_work() as db:
        orphans = ledger.absorb_orphans(db, older_than=2 * lease)
    if orphans:
        log.warning("calls.absorbed", count=orphans)
    for job in released:
        log.warning("job.released", job_id=str(job.id), user_id=str(job.user_id), to=job.status)
        _tell(job)
    with unit_of_work() as db:
        claimable = jobs.count_claimable(db)
        forgetful = erasures.due(db, before=utc_now() - FORGET_AGAIN, limit=FORGOTTEN_AT_ONCE)
        has_mail = any(waits(db) for waits in WAITING_FOR_MAIL)
    for _ in range(min(claimable, 16)):
        nudges.answer()
    if has_mail:
        nudges.mail()
    for person in forgetful:
        nudges.forget(person)
    forget_files()


def prune() -> None:
    """Delete a batch of what is over and was kept long enough."""
    before = utc_now() - timedelta(days=get_settings().kept_days)
    with unit_of_work() as db:
        pruned = pruning.prune(db, before, limit=PRUNED_AT_ONCE)
    if pruned:
        log.info("pruned", **pruned)


def forget_files() -> None:
    """Delete the files of messages that nobody gave the word for within a day."""
    with unit_of_work() as db:
        keys = staging.expire(db, STAGED_FOR)
    for key in keys:
        try:
            _storage().delete(key)
        except StorageFailed as error:
            log.warning("upload.left_behind", key=key, error=str(error))


@lru_cache(maxsize=1)
def _storage() -> Storage:
    return Storage(get_settings())


def _tell(job: Job) -> None:
    kind, data = ("over", {"status": job.status}) if job.is_over else ("waiting", {})
    try:
        nudges.streams().append(job.conversation_id, job.id, job.attempt, kind, **data)
    except redis.RedisError as error:
        log.warning("live.lost", job_id=str(job.id), error=str(error))
