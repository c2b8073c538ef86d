"""Who pays for a job that failed, by how it failed.

What was shown is paid for, unless we failed. So nobody gains by steering an answer into its end.
"""

from typing import assert_never

from models.schema.failure_codes import FailureCode
from models.schema.ledger import WriteOffReason


def is_steered(code: FailureCode) -> bool:
    """Whether a user can bring a failure about: then they keep what was shown, and pay for it.

    Of all others nothing is kept and nothing paid, as far as the day's cap goes.
    """
    match code:
        case (
            FailureCode.NO_CREDIT
            | FailureCode.FROZEN
            | FailureCode.MESSAGE_LIMIT
            | FailureCode.DAY_LIMIT
            | FailureCode.MONTH_LIMIT
            | FailureCode.ABSORBED_LIMIT
            | FailureCode.TOO_MANY_CALLS
            | FailureCode.TOO_COSTLY
            | FailureCode.BEYOND_HOLD
            | FailureCode.TIME_LIMIT
            | FailureCode.STUCK
            | FailureCode.TOO_MANY_FILES
            | FailureCode.PROVIDER_REFUSED
            | FailureCode.MODEL_WITHDRAWN
            | FailureCode.MODEL_UNPRICED
            | FailureCode.CONVERSATION_TOO_LARGE
            | FailureCode.CONTENT_NOT_SENT
        ):
            return True
        case (
            FailureCode.PROVIDER_DOWN
            | FailureCode.CELL_DIED
            | FailureCode.OUT_OF_MEMORY
            | FailureCode.NO_ANSWER
            | FailureCode.ENGINE_UNAVAILABLE
            | FailureCode.BUSY
            | FailureCode.STILL_BUSY
            | FailureCode.DISK_FULL
            | FailureCode.STATE_UNAVAILABLE
            | FailureCode.STATE_DAMAGED
            | FailureCode.STATE_TOO_LARGE
            | FailureCode.STATE_NOT_SAVED
            | FailureCode.STORAGE_DOWN
            | FailureCode.BOOKS_UNAVAILABLE
            | FailureCode.LEASE_LOST
            | FailureCode.WORKER_LOST
            | FailureCode.UNEXPECTED
            | FailureCode.STOPPED
            | FailureCode.OTHER
        ):
            return False
        case _:
            assert_never(code)


STEERED = frozenset(filter(is_steered, FailureCode))
OURS = frozenset(FailureCode) - STEERED


def is_paid(code: FailureCode, *, was_shown: bool) -> bool:
    """Whether the user pays for what a failed job did."""
    return was_shown and is_steered(code)


def reason_of(code: FailureCode) -> WriteOffReason:
    """Return why the charges of a job are given back that failed with this code."""
    if code is FailureCode.WORKER_LOST:
        return WriteOffReason.WORKER_LOST
    return WriteOffReason.NOTHING_SHOWN if is_steered(code) else WriteOffReason.JOB_FAILED
