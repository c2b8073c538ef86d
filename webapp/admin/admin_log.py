"""The audit log: what admins did, to whom, when and why."""

import json
from collections.abc import Iterator, Sequence

from flask import Blueprint, Response, render_template, request

from gateways import values
from models.ops import admin_actions
from models.ops.admin_actions import Sought
from models.people.admin_roles import Permission
from models.schema.admins import AdminAction, AdminActionKind
from webapp.admin import spreadsheets
from webapp.admin.access import allowed_to
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("admin_log", __name__)

PAGE = 50
TERM_MAX_LENGTH = 200
# More of it is had by looking for less.
MOST_EXPORTED = 50_000
COLUMNS = (
    *("at", "admin", "role", "action", "user_id", "job_id", "reason"),
    *("before", "after", "key"),
)


@pages.get("/admin/log")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show what admins did, the latest first."""
    sought, after = _sought(), values.uuid_or_none(request.args.get("after"))
    found = admin_actions.list_recent(db(), limit=PAGE + 1, before=after, sought=sought)
    return render_template(
        "admin/log/page.html",
        actions=found[:PAGE],
        next_after=found[PAGE - 1].id if len(found) > PAGE else None,
        sought=sought,
        kinds=list(AdminActionKind),
    )


@pages.get("/admin/log.csv")
@allowed_to(Permission.READ_MONEY)
def download() -> Response:
    """Hand out what is looked for as CSV, the latest first."""
    found = admin_actions.list_recent(db(), limit=MOST_EXPORTED, sought=_sought())
    return spreadsheets.answer("log.csv", COLUMNS, _rows(found))


def _sought() -> Sought:
    kind = next((one for one in AdminActionKind if one == request.args.get("kind")), None)
    return Sought(kind, request.args.get("q", "").strip()[:TERM_MAX_LENGTH])


def _rows(found: Sequence[AdminAction]) -> Iterator[Sequence[object]]:
    for one in found:
        changed = (json.dumps(side, sort_keys=True) for side in (one.before, one.after))
        yield (
            *(one.created_at.isoformat(), one.admin_email, one.admin_role, one.kind),
            *(one.user_id, one.job_id, one.reason, *changed, one.key),
        )
