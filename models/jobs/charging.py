"""Who pays for a job that failed, by how it failed, and the words that say so.

What was shown is paid for, unless we failed. So nobody gains by steering an answer into its end.
"""

from models.ledger import WriteOffReason
from models.money import money
from settings import get_settings

# A person can bring these about, by what they ask or what they let themselves spend. They keep what
# was shown, words or steps, and pay for it.
STEERED = frozenset(
    {
        "no_credit",
        "frozen",
        "message_limit",
        "day_limit",
        "month_limit",
        "absorbed_limit",
        "too_many_calls",
        "too_costly",
        "beyond_hold",
        "time_limit",
        # The same message got stuck twice, or left more files than an assistant may have.
        "stuck",
        "too_many_files",
        "provider_refused",
    }
)
# Our failures, and our suppliers': nothing is kept and nothing paid, as far as the day's cap goes.
OURS = frozenset(
    {
        "provider_down",
        "cell_died",
        "out_of_memory",
        "no_answer",
        "engine_unavailable",
        "busy",
        "disk_full",
        "state_unavailable",
        "storage_down",
        "books_unavailable",
        # Another worker has the job by now, and settles with its person.
        "lease_lost",
        "worker_lost",
        "unexpected",
        # Of a failure: no call could be opened, or the worker shuts down. A person's Stop is none.
        "stopped",
    }
)

NOT_CHARGED = "You were not charged."


def is_paid(code: str, *, was_shown: bool) -> bool:
    """Whether the person pays for what a failed job did. An unknown code is a failure of ours."""
    return was_shown and code in STEERED


def reason_of(code: str) -> WriteOffReason:
    """Return why the charges of a job are given back that failed with this code."""
    if code == "worker_lost":
        return WriteOffReason.WORKER_LOST
    return WriteOffReason.NOTHING_SHOWN if code in STEERED else WriteOffReason.JOB_FAILED


def words(charged_micros: int, *, has_part: bool, stands: bool) -> str:
    """Say what a failed job has cost, in a sentence or two that its person reads.

    `has_part`: words of the answer are kept. `stands`: charges could not be given back.
    """
    if charged_micros <= 0:
        return NOT_CHARGED
    what = "the part above" if has_part else "the steps it took"
    paid = f"You were charged {money(charged_micros)} for {what}."
    if not stands:
        return paid
    support = get_settings().support_address
    return f"{paid} What we can give back in one day is used up; write to {support} about it."
