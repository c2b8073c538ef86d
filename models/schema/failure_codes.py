"""Why jobs fail: a code for programs to go by. Its sentence stands in `actions.sentences`."""

import enum


class FailureCode(enum.StrEnum):
    """Why a job failed. A user brings about the first ones, by what they ask or let it cost."""

    NO_CREDIT = "no_credit"
    FROZEN = "frozen"
    MESSAGE_LIMIT = "message_limit"
    DAY_LIMIT = "day_limit"
    MONTH_LIMIT = "month_limit"
    ABSORBED_LIMIT = "absorbed_limit"
    TOO_MANY_CALLS = "too_many_calls"
    TOO_COSTLY = "too_costly"
    BEYOND_HOLD = "beyond_hold"
    TIME_LIMIT = "time_limit"
    # The same message got stuck twice, or left more files than an assistant may have.
    STUCK = "stuck"
    TOO_MANY_FILES = "too_many_files"
    PROVIDER_REFUSED = "provider_refused"
    MODEL_WITHDRAWN = "model_withdrawn"
    MODEL_UNPRICED = "model_unpriced"
    CONVERSATION_TOO_LARGE = "conversation_too_large"
    CONTENT_NOT_SENT = "content_not_sent"

    # Our failures, and our suppliers'.
    PROVIDER_DOWN = "provider_down"
    CELL_DIED = "cell_died"
    OUT_OF_MEMORY = "out_of_memory"
    NO_ANSWER = "no_answer"
    ENGINE_UNAVAILABLE = "engine_unavailable"
    BUSY = "busy"
    STILL_BUSY = "still_busy"
    DISK_FULL = "disk_full"
    STATE_UNAVAILABLE = "state_unavailable"
    STATE_DAMAGED = "state_damaged"
    STATE_TOO_LARGE = "state_too_large"
    STATE_NOT_SAVED = "state_not_saved"
    STORAGE_DOWN = "storage_down"
    BOOKS_UNAVAILABLE = "books_unavailable"
    # Another worker has the job by now, and settles with its user.
    LEASE_LOST = "lease_lost"
    WORKER_LOST = "worker_lost"
    UNEXPECTED = "unexpected"
    # No call could be opened, or the worker shuts down. A user's Stop is no failure.
    STOPPED = "stopped"

    # From before there were codes; its details have the text.
    OTHER = "other"
