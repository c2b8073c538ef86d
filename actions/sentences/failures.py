"""Why a message was not answered, and what that has cost."""

from collections.abc import Mapping

from actions.sentences.refusals import REFUSALS
from models.money import money
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.translation import gettext, marked
from settings import get_settings

FAILURES: Mapping[FailureCode, str] = {
    FailureCode.NO_CREDIT: REFUSALS["out_of_credit"],
    FailureCode.FROZEN: REFUSALS["spending_frozen"],
    FailureCode.MESSAGE_LIMIT: REFUSALS["message_limit_reached"],
    FailureCode.DAY_LIMIT: REFUSALS["day_limit_reached"],
    FailureCode.MONTH_LIMIT: REFUSALS["month_limit_reached"],
    FailureCode.ABSORBED_LIMIT: REFUSALS["absorbed_limit_reached"],
    FailureCode.TOO_MANY_CALLS: marked("The assistant went round in circles, so it was stopped."),
    FailureCode.TOO_COSTLY: marked(
        "This message reached the most that one message may cost, so it was stopped."
    ),
    FailureCode.BEYOND_HOLD: marked(
        "The model's provider charged more for this than it may cost, so it was stopped."
    ),
    FailureCode.TIME_LIMIT: marked("This took longer than a message may take, so it was ended."),
    FailureCode.STUCK: marked(
        "Your assistant got stuck at this message more than once, so it was stopped."
    ),
    FailureCode.TOO_MANY_FILES: marked(
        "Your assistant made more files than it may keep, so it was stopped."
    ),
    FailureCode.PROVIDER_REFUSED: marked("The model's provider refused this message."),
    FailureCode.MODEL_WITHDRAWN: marked(
        "The model that was chosen is not offered any more. Please choose another one."
    ),
    FailureCode.MODEL_UNPRICED: marked(
        "This model has no price, so it cannot be used. Please choose another one."
    ),
    FailureCode.CONVERSATION_TOO_LARGE: marked(
        "This conversation has become too large for the model. Please start a new one."
    ),
    FailureCode.CONTENT_NOT_SENT: marked(
        "This message has something with it that models are not sent from here."
    ),
    FailureCode.PROVIDER_DOWN: marked("The model's provider did not answer."),
    FailureCode.CELL_DIED: marked("Your assistant was interrupted. Please try again."),
    FailureCode.OUT_OF_MEMORY: marked(
        "This took more memory than an assistant may have. Please try again."
    ),
    FailureCode.NO_ANSWER: marked("Your assistant gave no answer. Please try again."),
    FailureCode.ENGINE_UNAVAILABLE: marked(
        "The assistant engine is still being installed. Please try again in a minute."
    ),
    FailureCode.BUSY: marked("All assistants are busy just now. Please try again in a minute."),
    FailureCode.STILL_BUSY: marked(
        "Your assistant is still busy with something else. Please try again."
    ),
    FailureCode.DISK_FULL: marked(
        "There is no room for your assistant's files just now. Please try again in a minute."
    ),
    FailureCode.STATE_UNAVAILABLE: marked(
        "Your assistant's memory could not be reached just now. Please try again."
    ),
    FailureCode.STATE_DAMAGED: marked(
        "Your assistant's memory is damaged, so nothing was answered. We have been told about it."
    ),
    FailureCode.STATE_TOO_LARGE: marked(
        "Your assistant's files have become too large to save. Ask it to delete some."
    ),
    FailureCode.STATE_NOT_SAVED: marked("Your assistant's memory could not be saved."),
    FailureCode.STORAGE_DOWN: marked("Your files could not be reached just now. Please try again."),
    FailureCode.BOOKS_UNAVAILABLE: marked(
        "Your credits could not be looked up just now. Please try again."
    ),
    FailureCode.LEASE_LOST: marked("This message is being answered elsewhere."),
    FailureCode.WORKER_LOST: marked("Something on our side stopped working."),
    FailureCode.UNEXPECTED: marked("Something on our side went wrong. Please try again."),
    FailureCode.STOPPED: marked("Your message was stopped. Please try again."),
    FailureCode.OTHER: "%(text)s",
}


def of_job(job: Job) -> str:
    """Say why a job failed and what that has cost; empty for one that did not fail."""
    code, details = job.failure_code, job.failure_details
    if code is None:
        return ""
    if code is FailureCode.OTHER:
        # What was said when there were no codes, with what it cost.
        return str(details.get("text", ""))
    why = gettext(FAILURES[code], support=get_settings().support_address)
    return f"{why} {_cost(job)}"


def _cost(job: Job) -> str:
    details = job.failure_details
    charged_micros = int(details.get("charged_micros", 0))
    if charged_micros <= 0:
        return gettext("You were not charged.")
    if details.get("has_part"):
        paid = gettext("You were charged %(paid)s for the part above.", paid=money(charged_micros))
    else:
        paid = gettext(
            "You were charged %(paid)s for the steps it took.", paid=money(charged_micros)
        )
    if not details.get("stands"):
        return paid
    rest = gettext(
        "What we can give back in one day is used up; write to %(support)s about it.",
        support=get_settings().support_address,
    )
    return f"{paid} {rest}"
