"""What an answer cost, call by call, for whoever asked for it."""

from uuid import UUID

from flask import Blueprint, render_template

from models import conversations, jobs, receipts
from models.ledger import CallStatus, WriteOffReason
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
# Why something was not charged, or given back, in a person's words.
REASONS: dict[WriteOffReason, str] = {
    WriteOffReason.JOB_FAILED: "No answer came of it.",
    WriteOffReason.NOTHING_SHOWN: "It ended before anything was shown.",
    WriteOffReason.BEGUN_AGAIN: "The answer was begun again.",
    WriteOffReason.OUT_OF_CREDIT: "The message waited for credits and began again.",
    WriteOffReason.WORKER_LOST: "Something on our side stopped working.",
    WriteOffReason.CALL_LOST: "At our expense: something on our side stopped working.",
    WriteOffReason.LATE_CALL: "At our expense: this try was given up.",
    WriteOffReason.BEYOND_HOLD: (
        "The provider counted more than was held beforehand. The rest is at our expense."
    ),
    WriteOffReason.CREDITS_GONE: "At our expense.",
    WriteOffReason.CREDITS_BACK: "No more at our expense.",
    WriteOffReason.BY_HAND: "We looked into it and gave it back.",
}
STANDS = "No whole answer came of it, but what we can give back in one day was used up."


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
    """Say why a call was not charged, or not for long, or all the same."""
    for entry in (line.refund, line.entry, line.beyond):
        if entry is not None and entry.reason is not None:
            return REASONS[entry.reason]
    if line.stands:
        return STANDS
    if line.call.status is CallStatus.FAILED:
        return "The model’s provider sent no answer."
    return ""
