"""Tells a user who is not watching of an answer that took long: it is there, or has failed."""

from datetime import timedelta
from uuid import UUID

import redis
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import notifications, wakeups
from models.database import OUTAGES, clock
from models.email import templates
from models.email.templates import Action
from models.email.templates.content import address_on_site
from models.schema.channels import Delivery, DeliveryKind, DeliveryStatus
from models.schema.chat import Conversation
from models.schema.jobs import Job, JobOrigin, JobStatus
from models.schema.notifications import Topic
from models.schema.users import User
from models.translation import gettext, ngettext, speaking
from settings import get_settings

log = structlog.get_logger()


def is_unwatched(conversation_id: UUID) -> bool:
    """Tell whether no browser has a live stream of a conversation open.

    When that cannot be found out, nobody could be watching. A browser that vanished without a word
    counts as one for some seconds more.
    """
    try:
        return not wakeups.streams().is_heard(conversation_id)
    except redis.RedisError as error:
        log.warning("presence.unread", error=str(error))
        return True


def tell_over(db: Session, job_id: UUID) -> None:
    """Tell that a job is over which took long, once; not where a messenger shows how it ended.

    Nobody loses an answer because that fails: then it is undone and logged, but for an outage.
    """
    try:
        with db.begin_nested():
            _tell_over(db, job_id)
    except OUTAGES:
        raise
    except Exception:
        log.exception("long_work.untold", job_id=str(job_id))


def _tell_over(db: Session, job_id: UUID) -> None:
    job = db.get_one(Job, job_id, populate_existing=True)
    took = clock(db) - job.created_at
    if took < timedelta(seconds=get_settings().long_work_seconds):
        return
    if _has_messenger(db, job.id) or _is_deleted(db, job.conversation_id):
        return
    # What came of a task is told as such.
    if job.origin is JobOrigin.TASK:
        return
    user = db.get_one(User, job.user_id)
    with speaking(user.locale):
        # The title of the conversation is the user's words: others may look at their screen.
        letter = templates.answer_ready(
            _title(job),
            _in_words(took),
            see=Action(gettext("Open it"), address_on_site(f"/chat/{job.conversation_id}")),
            why=gettext("You chose in the settings to be told when an answer took long."),
        )
    notifications.notify(db, user, Topic.LONG_WORK, letter, reference=f"over:{job.id}")


def _title(job: Job) -> str:
    if job.status is JobStatus.COMPLETED:
        return gettext("Your answer is ready")
    return gettext("Your answer could not be finished")


def _in_words(took: timedelta) -> str:
    minutes = round(took.total_seconds() / 60)
    if minutes < 1:
        return gettext("It took less than a minute.")
    if minutes < 120:
        return ngettext("It took a minute.", "It took %(num)s minutes.", minutes)
    return ngettext("It took an hour.", "It took %(num)s hours.", round(minutes / 60))


def _has_messenger(db: Session, job_id: UUID) -> bool:
    """Tell whether a messenger shows the answer, wherever the question was asked."""
    shown = select(Delivery.id).where(
        Delivery.job_id == job_id,
        Delivery.kind == DeliveryKind.ANSWER,
        Delivery.status.in_((DeliveryStatus.WAITING, DeliveryStatus.SENT)),
    )
    return db.scalar(shown.limit(1)) is not None


def _is_deleted(db: Session, conversation_id: UUID) -> bool:
    return db.get_one(Conversation, conversation_id).deleted_at is not None
