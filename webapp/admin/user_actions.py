"""What admins do to a user's account, from its page."""

from collections.abc import Callable, Sequence
from uuid import UUID

from flask import Blueprint, request

from actions import wakeups
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.database import after_commit
from models.errors import NotFound, Refused
from models.ops import adjustment_approvals, user_actions
from models.ops.admin_actions import Order
from models.ops.user_actions import NothingToAdjust
from models.people.admin_roles import Permission
from models.schema.jobs import Job
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.admin.people import address_of, render
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_user_actions", __name__)

Verb = Callable[[Order], object]


@pages.post("/admin/people/<uuid:user_id>/credits")
@allowed_to(Permission.ACT_MONEY)
def adjust_credits(user_id: UUID) -> Answer:
    """Give credits, or take them."""

    def _adjust(order: Order) -> None:
        _tell(user_actions.adjust_credits(db(), order, user_id, _micros()))
        if adjustment_approvals.is_asked(db(), order.key):
            flash_done(
                "That is more than one administrator may do alone: another owner has to approve."
            )
        else:
            flash_done("The credits were adjusted.")

    return act(user_id, "credits", _adjust, "")


@pages.post("/admin/people/<uuid:user_id>/freeze-end")
@allowed_to(Permission.ACT_MONEY)
def lift_freeze(user_id: UUID) -> Answer:
    """Let a frozen account spend again; by force although the audit finds something."""
    is_forced = request.form.get("forced") == "yes"

    def _lift(order: Order) -> None:
        _tell(user_actions.lift_freeze(db(), order, user_id, is_forced=is_forced))

    return act(user_id, "freeze", _lift, "The account may spend again.")


@pages.post("/admin/people/<uuid:user_id>/sending")
@allowed_to(Permission.ACT)
def suspend_sending(user_id: UUID) -> Answer:
    """Keep the account from sending, or let it send again."""
    is_on = request.form.get("suspended") == "yes"

    def _suspend(order: Order) -> None:
        user_actions.suspend_sending(db(), order, user_id, is_on=is_on)

    said = "Sending is suspended." if is_on else "The account may send again."
    return act(user_id, "sending", _suspend, said)


@pages.post("/admin/people/<uuid:user_id>/sign-in")
@allowed_to(Permission.ACT)
def suspend_sign_in(user_id: UUID) -> Answer:
    """Keep the account from being signed in to, or let that be again."""
    is_on = request.form.get("suspended") == "yes"

    def _suspend(order: Order) -> None:
        user_actions.suspend_sign_in(db(), order, user_id, is_on=is_on)

    said = "Signing in is suspended." if is_on else "The account may be signed in to again."
    return act(user_id, "sign-in", _suspend, said)


@pages.post("/admin/people/<uuid:user_id>/sessions-end")
@allowed_to(Permission.ACT)
def end_sessions(user_id: UUID) -> Answer:
    """Log the account out everywhere."""

    def _end(order: Order) -> None:
        user_actions.end_sessions(db(), order, user_id)

    return act(user_id, "sessions", _end, "Every browser is logged out.")


@pages.post("/admin/people/<uuid:user_id>/verification")
@allowed_to(Permission.ACT)
def resend_verification(user_id: UUID) -> Answer:
    """Mail another link that verifies the address."""

    def _resend(order: Order) -> None:
        user_actions.resend_verification(db(), order, user_id)
        wakeups.mail_after_commit(db())

    return act(user_id, "verification", _resend, "The mail is on its way.")


@pages.post("/admin/people/<uuid:user_id>/notes")
@allowed_to(Permission.ACT)
def add_note(user_id: UUID) -> Answer:
    """Leave a note for other admins."""

    def _add(order: Order) -> None:
        user_actions.add_note(db(), order, user_id)

    return act(user_id, "note", _add, "The note is kept.")


def act(user_id: UUID, name: str, verb: Verb, said: str) -> Answer:
    """Do it and say so; what is refused is said beside its form, in which all stays as it was."""
    try:
        verb(ordered())
    except NotFound:
        raise
    except Refused as refusal:
        return render(user_id, refused=name, refusal=sentence_of(refusal)), 422
    if said:
        flash_done(said)
    return go_to(address_of(user_id))


def _micros() -> int:
    direction = request.form.get("direction")
    if direction not in ("give", "take"):
        raise BadValue
    try:
        micros = values.dollars(request.form.get("amount"))
    except BadValue:
        raise NothingToAdjust from None
    return -micros if direction == "take" else micros


def _tell(resumed: Sequence[Job]) -> None:
    after_commit(db(), lambda: [wakeups.resumed(job) for job in resumed])
