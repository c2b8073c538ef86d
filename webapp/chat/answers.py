"""Stopping an answer, and asking for it again."""

from uuid import UUID

from flask import Blueprint, url_for

from actions import offers, wakeups
from gateways.live_events import JobEnded, JobQueued, StopRequested
from models import jobs
from models.chat import conversations, history
from models.database import after_commit
from models.jobs.cancellation import cancel
from models.schema.chat import Conversation
from models.schema.jobs import Job
from webapp.chat import rendering, views
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to, is_partial
from webapp.core.live import hub

pages = Blueprint("chat_jobs", __name__)
pages.add_app_template_global(views.moment)


@pages.post("/jobs/<uuid:job_id>/cancellation")
@member_required
def stop(job_id: UUID) -> Answer:
    """Stop a job: at once if it waits, else as soon as its worker hears of it."""
    job = cancel(db(), current_user().id, job_id)
    after_commit(db(), lambda: tell_cancelled(job))
    return _done(job)


@pages.post("/jobs/<uuid:job_id>/retry")
@member_required
def retry(job_id: UUID) -> Answer:
    """Ask again for the answer of a job that failed or was stopped; refuse any other."""
    failed = jobs.find_own(db(), current_user().id, job_id)
    conversations.find_own(db(), current_user().id, failed.conversation_id)
    job = jobs.ask_again(db(), failed, model=offers.current(current_user()).id)
    after_commit(db(), lambda: publish_asked(job))
    return _done(job)


@pages.post("/jobs/<uuid:job_id>/continuation")
@member_required
def go_on(job_id: UUID) -> Answer:
    """Let a message that reached its limit cost more than that; refuse any other."""
    failed = jobs.find_own(db(), current_user().id, job_id)
    conversations.find_own(db(), current_user().id, failed.conversation_id)
    job = jobs.go_on(db(), failed, model=offers.current(current_user()).id)
    after_commit(db(), lambda: publish_asked(job))
    return _done(job)


def publish_asked(job: Job) -> None:
    """After the commit: wake a worker, and show it wherever the conversation is open."""
    wakeups.answer(job.preferred_worker_id)
    hub().announce(job.conversation_id, job.id, JobQueued())


def tell_cancelled(job: Job) -> None:
    """After the commit: tell the worker that runs it, or the pages that show it waiting."""
    if job.is_over:
        hub().announce(job.conversation_id, job.id, JobEnded(job.status))
        wakeups.answer()
    else:
        wakeups.stop(job.id)
        hub().announce(job.conversation_id, job.id, StopRequested())


def render_exchange(conversation: Conversation, job: Job) -> str:
    """Draw the exchange of a job of the conversation as it stands now."""
    found = history.exchanges_of(db(), conversation, [job.id])
    return "".join(rendering.render(view) for view in views.show(db(), found, {}))


def _done(job: Job) -> Answer:
    # The stream shows it, in its order with the words of the answer.
    if is_partial():
        return "", 204
    return go_to(url_for("chat.show", conversation_id=job.conversation_id))
