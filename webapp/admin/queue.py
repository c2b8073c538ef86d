"""The queue, as admins see it: how it does, the jobs in it, and one of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from actions import admin_jobs
from actions.sentences.refusals import sentence_of
from agent import catalogue
from channels import registry
from gateways import values
from models.base import new_id, utc_now
from models.errors import NotFound, Refused
from models.ops import job_list, queue_stats, right_now, switches
from models.ops.admin_actions import Order
from models.ops.job_list import Wanted
from models.people.admin_roles import Permission
from models.schema.chat import WEB
from models.schema.failure_codes import FailureCode
from models.schema.jobs import JobStatus
from settings import get_settings
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.live import hub

pages = Blueprint("admin_queue", __name__)

# After so long the page looks again at what is so right now.
SECONDS = 3
HOURS = {1: "1 hour", 24: "24 hours", 168: "7 days"}
USUAL_HOURS = 24
STEPS = {
    "asked": "Asked",
    "claimed": "Claimed by a worker",
    "call_opened": "Call of the model begins",
    "call_closed": "Call of the model ends",
    "stop_asked": "Asked to stop",
    "completed": "Answered",
    "failed": "Failed",
    "cancelled": "Stopped",
}


@pages.get("/admin/queue")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show how the queue does, and the jobs that are looked for."""
    return render()


def render(*, refused: str = "", refusal: str = "") -> str:
    """Draw the page of the queue; a refusal stands with the action that was refused."""
    hours, looked_for = _hours(), in_query()
    return render_template(
        "admin/queue/page.html",
        queue=right_now.queue_now(db()),
        stats=queue_stats.read(db(), utc_now(), timedelta(hours=hours)),
        hours=hours,
        spans=HOURS,
        sample=queue_stats.SAMPLE,
        labels=_channels(),
        seconds=SECONDS,
        wanted=looked_for,
        page=job_list.find(db(), looked_for),
        states=list(JobStatus),
        codes=list(FailureCode),
        pauses=switches.latest(db()).switches.pauses,
        scopes=_scopes(),
        refused=refused,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
    )


def providers() -> Sequence[str]:
    """List the providers of the models on offer."""
    return sorted({model.provider for model in catalogue.models(get_settings())})


def _scopes() -> Mapping[str, str]:
    """Name what can be paused, by what its form sends."""
    return {
        "all:": "Everything",
        **{f"provider:{name}": f"Models of {name}" for name in providers()},
        **{f"channel:{name}": label for name, label in _channels().items()},
    }


def _channels() -> Mapping[str, str]:
    return {WEB: "The website"} | {one.name: one.label for one in registry.installed()}


def _hours() -> int:
    hours = request.args.get("hours", type=values.integer)
    return hours if hours in HOURS else USUAL_HOURS


@pages.get("/admin/queue/now")
@allowed_to(Permission.READ)
def show_now() -> Answer:
    """Draw how many wait and run, for a page that looks again every few seconds."""
    return render_template(
        "admin/queue/_now.html", queue=right_now.queue_now(db()), seconds=SECONDS
    )


@pages.get("/admin/queue/found")
@allowed_to(Permission.READ)
def show_found() -> Answer:
    """Draw the jobs that are looked for, for a page that looks again every few seconds."""
    looked_for = in_query()
    return render_template(
        "admin/queue/_found.html",
        wanted=looked_for,
        page=job_list.find(db(), looked_for),
        hours=_hours(),
        seconds=SECONDS,
    )


@pages.get("/admin/queue/<uuid:job_id>")
@allowed_to(Permission.READ)
def show_job(job_id: UUID) -> Answer:
    """Show one job: its attempts, calls, costs, worker, and what happened when."""
    return _draw(job_id)


@pages.post("/admin/queue/<uuid:job_id>/retry")
@allowed_to(Permission.ACT)
def retry(job_id: UUID) -> Answer:
    """Have the message of a job that came to nothing answered once more."""

    def _retry(order: Order) -> None:
        admin_jobs.retry(db(), order, job_id, hub())

    return _do(job_id, "retry", _retry, "The message is in the queue again.")


@pages.post("/admin/queue/<uuid:job_id>/stop")
@allowed_to(Permission.ACT)
def stop(job_id: UUID) -> Answer:
    """Stop a job; of one that is over already, say so."""

    def _stop(order: Order) -> None:
        is_stopped = admin_jobs.stop(db(), order, job_id, hub())
        flash_done(
            "The message is stopped."
            if is_stopped
            else "It was over already, so there was nothing to stop."
        )

    return _do(job_id, "stop", _stop, "")


def in_query() -> Wanted:
    """Read which messages are meant by an address."""
    query = request.args
    wanted = filtered(query.get("state"), query.get("code"), query.get("model"))
    return replace(wanted, after=values.uuid_or_none(query.get("after")))


def filtered(state: str | None, code: str | None, model: str | None) -> Wanted:
    """Read a filter; what is none of its values is any."""
    return Wanted(
        state=next((one for one in JobStatus if one == state), None),
        code=next((one for one in FailureCode if one == code), None),
        model=(model or "").strip()[:200] or None,
    )


def _do(job_id: UUID, name: str, verb: Callable[[Order], object], said: str) -> Answer:
    try:
        verb(ordered())
    except NotFound:
        raise
    except Refused as refusal:
        return _draw(job_id, refused=name, refusal=sentence_of(refusal)), 422
    if said:
        flash_done(said)
    return go_to(url_for("admin_queue.show_job", job_id=job_id))


def _draw(job_id: UUID, *, refused: str = "", refusal: str = "") -> str:
    return render_template(
        "admin/queue/job.html",
        found=job_list.read(db(), job_id),
        step_words=STEPS,
        refused=refused,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
    )
