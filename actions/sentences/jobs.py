"""What the states of messages and the codes of failures are called, as admins read them."""

from collections.abc import Mapping

from models.schema.failure_codes import FailureCode
from models.schema.jobs import JobStatus
from models.translation import gettext, marked

STATES: Mapping[JobStatus, str] = {
    JobStatus.PENDING: marked("waiting"),
    JobStatus.PAUSED: marked("out of credit"),
    JobStatus.RUNNING: marked("being answered"),
    JobStatus.COMPLETED: marked("answered"),
    JobStatus.FAILED: marked("failed"),
    JobStatus.CANCELLED: marked("stopped"),
}


def state(status: JobStatus) -> str:
    """Say how a message stands."""
    return gettext(STATES[status])


def code(failure: FailureCode) -> str:
    """Say a failure's code in words: `provider down`."""
    return failure.replace("_", " ")
