"""Users, as admins look for them and look at them. What they wrote is never shown."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from gateways import values
from models.base import new_id
from models.ops import adjustment_approvals, user_file, user_search
from models.ops.user_search import Filter, Sorting, Wanted
from models.payments import refund_orders
from models.people import verification
from models.people.admin_roles import Permission
from webapp.admin.access import allowed_to
from webapp.core.browsers import describe
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("admin_people", __name__)

FILTERS = {
    Filter.ALL: "Everybody",
    Filter.PAYING: "Paying",
    Filter.FROZEN: "Frozen",
    Filter.SUSPENDED: "Suspended",
    Filter.UNVERIFIED: "Not verified",
    Filter.ADMINS: "Admins",
}
SORTINGS = {
    Sorting.NEWEST: "Newest first",
    Sorting.OLDEST: "Oldest first",
    Sorting.BALANCE: "Most credits first",
}


@pages.get("/admin/people")
@allowed_to(Permission.READ)
def show_list() -> Answer:
    """List users, or those that are looked for."""
    wanted = Wanted(
        term=request.args.get("q", "").strip()[: user_search.TERM_MAX_LENGTH],
        filter=next((one for one in Filter if one == request.args.get("filter")), Filter.ALL),
        sorting=next((one for one in Sorting if one == request.args.get("sort")), Sorting.NEWEST),
        after=values.uuid_or_none(request.args.get("after")),
    )
    return render_template(
        "admin/people/list.html",
        wanted=wanted,
        page=user_search.find(db(), wanted),
        filters=FILTERS,
        sortings=SORTINGS,
    )


@pages.get("/admin/people/<uuid:user_id>")
@allowed_to(Permission.READ)
def show(user_id: UUID) -> Answer:
    """Show one user: credits, payments, jobs, logins, and what admins did."""
    return render(user_id)


def render(user_id: UUID, *, refused: str = "", refusal: str = "") -> str:
    """Draw a user's page; a refusal stands with the action that was refused."""
    found = user_file.read(db(), user_id)
    return render_template(
        "admin/people/page.html",
        found=found,
        user=found.user,
        refused=refused,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
        describe=describe,
        is_verification_awaited=verification.is_awaited(found.user),
        refunds=refund_orders.list_of_user(db(), user_id),
        refundable={one.id: refund_orders.left_of(db(), one) for one in found.payments},
        approvals=adjustment_approvals.list_open(db(), user_id),
    )


def address_of(user_id: UUID) -> str:
    """Return where a user's page is."""
    return url_for("admin_people.show", user_id=user_id)
