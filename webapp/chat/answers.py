"""Stopping an answer, and asking for it again."""

from uuid import UUID

from flask import Blueprint, url_for

from actions import answers
from models.chat import history
from models.schema.chat import Conversation
from models.schema.jobs import Job
from webapp.chat import rendering, views
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to, is_partial
from webapp.core.live import hub

pages = Blueprint("chat_jobs", __name__)
pages.add_app_template_global(views.moment)
pages.add_app_template_global(rendering.imported_html)


@pages.post("/jobs/<uuid:job_id>/cancellation")
@member_required
def stop(job_id: UUID) -> Answer:
    """Stop a job: at once if it waits, else as soon as its worker hears of it."""
    return _done(answers.stop(db(), current_user(), job_id, hub()))


@pages.post("/jobs/<uuid:job_id>/retry")
@member_required
def retry(job_id: UUID) -> Answer:
    """Ask again for the answer of a job that failed or was stopped; refuse any other."""
    return _done(answers.retry(db(), current_user(), job_id, hub()))


@pages.post("/jobs/<uuid:job_id>/continuation")
@member_required
def go_on(job_id: UUID) -> Answer:
    """Let a message that reached its limit cost more than that; refuse any other."""
    return _done(answers.go_on(db(), current_user(), job_id, hub()))


def render_exchange(conversation: Conversation, job: Job) -> str:
    """Draw the exchange of a job of the conversation as it stands now."""
    found = history.exchanges_of(db(), conversation, [job.id])
    return "".join(rendering.render(view) for view in views.show(db(), found, {}))


def _done(job: Job) -> Answer:
    # The stream shows it, in its order with the words of the answer.
    if is_partial():
        return "", 204
    return go_to(url_for("chat.show", conversation_id=job.conversation_id))
