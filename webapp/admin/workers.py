"""The workers, as admins see them, and drain them."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from actions.sentences import scaling
from actions.sentences.refusals import sentence_of
from models.base import new_id, utc_now
from models.errors import NotFound, Refused
from models.ops import fleet, right_now, worker_list, worker_orders
from models.people.admin_roles import Permission
from settings import get_settings
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_workers", __name__)

DECISIONS = 8
# After so long the page looks again.
SECONDS = 3


@pages.get("/admin/workers")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show the workers that were heard of within a day, and their cells."""
    return _page()


@pages.post("/admin/workers/<uuid:worker_id>/drain")
@allowed_to(Permission.ACT)
def drain(worker_id: UUID) -> Answer:
    """Have a worker claim nothing more, end its turns and stop."""
    try:
        worker_orders.drain(db(), ordered(), worker_id)
    except NotFound:
        raise
    except Refused as refusal:
        return _page(refused=f"drain-{worker_id}", refusal=sentence_of(refusal)), 422
    flash_done("It drains from its next report on: within seconds.")
    return go_to(url_for("admin_workers.show"))


@pages.get("/admin/workers/now")
@allowed_to(Permission.READ)
def show_now() -> Answer:
    """Draw the workers, for a page that looks again every few seconds."""
    return render_template("admin/workers/_live.html", **_now())


def _page(*, refused: str = "", refusal: str = "") -> str:
    return render_template(
        "admin/workers/page.html",
        **_now(),
        refused=refused,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
    )


def _now() -> Mapping[str, object]:
    seen, decisions = fleet.read(db()), fleet.last_decisions(db(), DECISIONS)
    return {
        "now": right_now.workers_now(db()),
        "states": worker_list.read(db(), utc_now()),
        "orphans": worker_list.count_orphans(db()),
        "running": len(seen.active),
        "wanted": decisions[0].wanted if decisions else None,
        "standing": scaling.standing(seen, get_settings()),
        "decisions": [(one, scaling.decided(one)) for one in decisions],
        "seconds": SECONDS,
    }
