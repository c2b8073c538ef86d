"""What an answer cost, call by call, for whoever asked for it."""

from uuid import UUID

from flask import Blueprint, render_template

from actions import offers
from actions.sentences import entries
from models import jobs
from models.chat import conversations
from models.ledger import cost_breakdown
from models.ledger.cost_breakdown import Line, Receipt
from models.schema.model_calls import CallStatus
from models.translation import gettext, marked
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("receipts", __name__)

# How a call ended, in a person's words.
ENDS: dict[CallStatus, str] = {
    CallStatus.OPEN: marked("Under way"),
    CallStatus.COMPLETED: marked("Answered"),
    CallStatus.CUT: marked("Broke off"),
    CallStatus.STOPPED: marked("Stopped"),
    CallStatus.FAILED: marked("Failed"),
    CallStatus.LOST: marked("Lost by us"),
}
STANDS = marked("No whole answer came of it, but what we can give back in one day was used up.")


@pages.get("/chat/jobs/<uuid:job_id>/receipt")
@member_required
def show(job_id: UUID) -> Answer:
    """Show the receipt of one of the person's own jobs."""
    job = jobs.find_own(db(), current_user().id, job_id)
    return render_template(
        "money/receipts/page.html",
        receipt=cost_breakdown.receipt(db(), job),
        # It outlives its conversation: what was paid stays to be seen.
        conversation=conversations.find_or_none(db(), job.user_id, job.conversation_id),
        model_name=offers.display_name,
        ends=_ends,
        summary=_summary,
        reason=_reason,
    )


def _ends(status: CallStatus) -> str:
    return gettext(ENDS[status])


def _summary(receipt: Receipt) -> str:
    """Say in a sentence why nothing was paid; an empty one when something was."""
    if receipt.total_micros or any(line.call.status is CallStatus.OPEN for line in receipt.lines):
        return ""
    if not receipt.lines:
        return gettext("No model was asked, so there was nothing to charge.")
    if receipt.refunded_micros:
        return gettext("No answer came of it, so everything was given back.")
    return gettext("No answer came of it, so nothing was charged.")


def _reason(line: Line) -> str:
    """Say why a call was not charged, or not for long, or all the same."""
    for entry in (line.refund, line.entry, line.beyond):
        if entry is not None and entry.reason is not None:
            return entries.write_off(entry.reason)
    if line.stands:
        return gettext(STANDS)
    if line.call.status is CallStatus.FAILED:
        return gettext("The model’s provider sent no answer.")
    return ""
