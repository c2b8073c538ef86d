"""The books, for admins: what audits found, who may not spend, and what waits for a look.

`webapp.admin.access` lets nobody else near.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models.base import new_id, utc_now
from models.database import after_commit
from models.errors import Refused
from models.ledger import freezes
from models.ops import admin_reports, user_actions
from models.ops.admin_reports import Overview
from models.people.admin_roles import Permission
from models.schema.jobs import Job
from settings import get_settings
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_books", __name__)

# Why, of a freeze of which an audit finds no cause any more.
ENDED = "The audit finds nothing in it."


@pages.get("/admin/books")
@allowed_to(Permission.READ_MONEY)
def show() -> Answer:
    """Show whether the books balance, and all that waits for somebody."""
    return _page()


@pages.post("/admin/accounts/<uuid:user_id>/unfreezing")
@allowed_to(Permission.ACT_MONEY)
def unfreeze(user_id: UUID) -> Answer:
    """Let an account spend again; while the audit finds something only with a reason, by force."""
    reason = request.form.get("reason")
    try:
        account = freezes.find_account(db(), str(user_id))
        order = ordered()
        order = replace(order, reason=order.reason or ENDED) if reason is None else order
        resumed = user_actions.lift_freeze(db(), order, account.id, is_forced=reason is not None)
    except Refused as refusal:
        return _page(user_id, sentence_of(refusal)), 422
    after_commit(db(), lambda: _tell_resumed(resumed))
    flash_done(f"{account.email} may spend again. Messages that waited and go on: {len(resumed)}.")
    return go_to(url_for("admin_books.show", _anchor="frozen"))


def _tell_resumed(resumed: Sequence[Job]) -> None:
    for job in resumed:
        wakeups.resumed(job)


def _page(refused_id: UUID | None = None, refusal: str = "") -> str:
    """Draw the page; a refusal stands beside the account that was not unfrozen."""
    overview = admin_reports.read(db())
    return render_template(
        "admin/books.html",
        overview=overview,
        is_late=_is_late(overview),
        most=admin_reports.MOST,
        refusal=refusal,
        refused_id=refused_id,
        new_key=new_id,
        refused_is_listed=refused_id in {one.user_id for one in overview.frozen.rows},
    )


def _is_late(overview: Overview) -> bool:
    """Whether an audit should have come to its end since the last one."""
    patience = timedelta(seconds=2 * get_settings().audit_seconds)
    return overview.audited_at is not None and utc_now() - overview.audited_at > patience
