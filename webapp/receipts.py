"""What an answer cost, call by call, for whoever asked for it."""

from uuid import UUID

from flask import Blueprint, render_template

from models import conversations, jobs, receipts
from models.ledger import CallStatus
from models.receipts import Line, Receipt
from webapp import model_choice
from webapp.database import db
from webapp.htmx import Answer
from webapp.sign_in import current_user, member_required

pages = Blueprint("receipts", __name__)

# How a call ended, in a person's words.
ENDS: dict[CallStatus, str] = {
    CallStatus.OPEN: "Under way",
    CallStatus.COMPLETED: "Answered",
    CallStatus.CUT: "Broke off",
    CallStatus.STOPPED: "Stopped",
    CallStatus.FAILED: "Failed",
    CallStatus.LOST: "Lost by us",
}


@pages.get("/chat/jobs/<uuid:job_id>/receipt")
@member_required
def show(job_id: UUID) -> Answer:
    """Show the receipt of one of the person's own jobs."""
    job = jobs.find_own(db(), current_user().id, job_id)
    return render_template(
        "receipts/page.html",
        receipt=receipts.receipt(db(), job),
        # It outlives its conversation: what was paid stays to be seen.
        conversation=conversations.find_or_none(db(), job.user_id, job.conversation_id),
        model_name=model_choice.display_name,
        ends=ENDS,
        summary=_summary,
        reason=_reason,
    )


def _summary(receipt: Receipt) -> str:
    """Say in a sentence why nothing was paid; an empty one when something was."""
    if receipt.total_micros or any(line.call.status is CallStatus.OPEN for line in receipt.lines):
        return ""
    if not receipt.lines:
        return "No model was asked, so there was nothing to charge."
    if receipt.refunded_micros:
        return "No answer came of it, so everything was given back."
    return "No answer came of it, so nothing was charged."


def _reason(line: Line) -> str:
    """Say why a call was not charged, or not for long."""
    if line.refund:
        return line.refund.note
    if line.is_absorbed:
        return "At our expense: this try was given up."
    if line.call.status is CallStatus.FAILED:
        return "The model’s provider sent no answer."
    if line.beyond:
        return "The provider counted more than was held beforehand. The rest is at our expense."
    return ""
