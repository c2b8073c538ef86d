"""Invitations and the waiting list, as admins see and change them."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.base import new_id, utc_now
from models.errors import NotFound, Refused
from models.ops import invitation_actions
from models.ops.admin_actions import Order
from models.ops.invitation_actions import BadInvitation, Plan
from models.people import admission, waiting_list
from models.people.admin_roles import Permission
from models.schema.invitations import Invitation
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_invitations", __name__)

PAGE = 30
ARRIVALS = 100


@pages.get("/admin/invitations")
@allowed_to(Permission.READ)
def show() -> Answer:
    """List invitations with how often they were used, and say how many wait for one."""
    return _draw()


@pages.get("/admin/invitations/<uuid:invitation_id>")
@allowed_to(Permission.READ)
def show_one(invitation_id: UUID) -> Answer:
    """Show who came by an invitation, and let it be ended."""
    return _draw_one(invitation_id)


@pages.post("/admin/invitations")
@allowed_to(Permission.ACT)
def make() -> Answer:
    """Make an invitation."""

    def _make(order: Order) -> str:
        made = invitation_actions.make(db(), order, _plan())
        return f"The code is {made.code}." if made else "The invitation is made already."

    return _do("make", _make)


@pages.post("/admin/invitations/waiting")
@allowed_to(Permission.ACT)
def invite_waiting() -> Answer:
    """Invite those who have waited longest."""

    def _invite(order: Order) -> str:
        count = invitation_actions.invite_waiting(
            db(), order, _integer(request.form.get("count", "")), _bonus()
        )
        wakeups.mail_after_commit(db())
        return f"{count} were invited." if count else "They are invited already."

    return _do("waiting", _invite)


@pages.post("/admin/invitations/<uuid:invitation_id>/end")
@allowed_to(Permission.ACT)
def end(invitation_id: UUID) -> Answer:
    """End an invitation."""
    try:
        invitation_actions.end(db(), ordered(), invitation_id)
    except NotFound:
        raise
    except Refused as refusal:
        return _draw_one(invitation_id, sentence_of(refusal)), 422
    flash_done("The invitation is ended.")
    return go_to(url_for("admin_invitations.show"))


def _do(name: str, verb: Callable[[Order], str]) -> Answer:
    try:
        said = verb(ordered())
    except Refused as refusal:
        return _draw(refused=name, refusal=sentence_of(refusal)), 422
    flash_done(said)
    return go_to(url_for("admin_invitations.show"))


def _plan() -> Plan:
    typed_days = request.form.get("days", "").strip()
    return Plan(
        request.form.get("label", ""),
        _integer(request.form.get("uses", "")),
        _bonus(),
        _integer(typed_days) if typed_days else None,
    )


def _integer(typed: str) -> int:
    try:
        return values.integer(typed.strip())
    except BadValue:
        raise BadInvitation(most=invitation_actions.MOST_USES) from None


def _bonus() -> int:
    typed = request.form.get("bonus", "").strip()
    try:
        return values.dollars(typed) if typed else 0
    except BadValue:
        raise BadInvitation(most=invitation_actions.MOST_USES) from None


def _draw(*, refused: str = "", refusal: str = "") -> str:
    after = values.uuid_or_none(request.args.get("after"))
    found = invitation_actions.list_page(db(), limit=PAGE + 1, before=after)
    return render_template(
        "admin/invitations/list.html",
        found=found[:PAGE],
        next_after=found[PAGE - 1].id if len(found) > PAGE else None,
        waiting=waiting_list.count(db()),
        rule=admission.rule(db()),
        now=utc_now(),
        refused=refused,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
    )


def _draw_one(invitation_id: UUID, refusal: str = "") -> str:
    found = db().get(Invitation, invitation_id)
    if found is None:
        raise NotFound
    return render_template(
        "admin/invitations/one.html",
        one=found,
        arrivals=invitation_actions.arrivals(db(), invitation_id, ARRIVALS),
        now=utc_now(),
        refused="end" if refusal else "",
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
    )
