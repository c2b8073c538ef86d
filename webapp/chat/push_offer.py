"""When a user is offered notifications: after an answer that took long, and never before.

Until then nobody knows what they would be good for. The browser asks for leave in the settings
alone.
"""

from datetime import timedelta

from models.notifications import subscriptions
from models.schema.jobs import Job, JobStatus
from settings import get_settings
from webapp.chat.views import ExchangeView
from webapp.core.auth import current_session, current_user
from webapp.core.db import db


def is_due(view: ExchangeView) -> bool:
    """Tell whether to offer notifications in a browser that has them off, below this exchange."""
    if not get_settings().offers_push or not any(_took_long(run.job) for run in view.runs):
        return False
    session = current_session().id
    devices = subscriptions.list_live(db(), current_user().id)
    return all(device.session.id != session for device in devices)


def _took_long(job: Job) -> bool:
    if job.status is not JobStatus.COMPLETED or job.finished_at is None:
        return False
    return job.finished_at - job.created_at >= timedelta(seconds=get_settings().long_work_seconds)
