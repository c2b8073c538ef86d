"""The audit log: what admins did, to whom, when and why."""

from flask import Blueprint, render_template, request

from gateways import values
from models.ops import admin_actions
from models.people.admin_roles import Permission
from models.schema.admins import AdminActionKind
from webapp.admin.access import allowed_to
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("admin_log", __name__)

PAGE = 50


@pages.get("/admin/log")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show what admins did, the latest first."""
    kind = next((one for one in AdminActionKind if one == request.args.get("kind")), None)
    after = values.uuid_or_none(request.args.get("after"))
    found = admin_actions.list_recent(db(), limit=PAGE + 1, before=after, kind=kind)
    return render_template(
        "admin/log/page.html",
        actions=found[:PAGE],
        next_after=found[PAGE - 1].id if len(found) > PAGE else None,
        kind=kind,
        kinds=list(AdminActionKind),
    )
