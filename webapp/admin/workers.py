"""The workers, as admins see them."""

from flask import Blueprint, render_template

from models.base import utc_now
from models.ops import right_now, worker_list
from models.people.admin_roles import Permission
from webapp.admin.access import allowed_to
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("admin_workers", __name__)


@pages.get("/admin/workers")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show the workers that were heard of within a day, and their cells."""
    return render_template(
        "admin/workers/page.html",
        now=right_now.workers_now(db()),
        states=worker_list.read(db(), utc_now()),
    )
