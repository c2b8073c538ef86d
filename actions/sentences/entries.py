"""What is said of an entry in a user's books, and of what was written off."""

from collections.abc import Mapping

from models.schema.ledger import EntryNote, Transaction, WriteOffReason
from models.translation import gettext, marked

NOTES: Mapping[EntryNote, str] = {
    EntryNote.PAYMENT_DISPUTED: marked("The bank of whoever paid has taken the money back."),
    EntryNote.DISPUTE_WON: marked("The bank has given the money back after all."),
    EntryNote.PAYMENT_REFUNDED: marked("Money of a payment was given back."),
    EntryNote.REFUND_FAILED: marked(
        "The money that was to be given back did not arrive, so the credits are yours again."
    ),
    EntryNote.GRANT_EXPIRED: marked("Granted credits lapse after a while; bought ones never do."),
    EntryNote.CALL_CUT: marked("The model's provider broke its answer off."),
    EntryNote.CALL_LOST: marked("The worker stopped before the call ended."),
    EntryNote.BY_ADMIN: marked("We looked into your account and put this right."),
    EntryNote.OTHER: "%(text)s",
}
# Why something was not charged, or given back, as its user reads it.
WRITE_OFFS: Mapping[WriteOffReason, str] = {
    WriteOffReason.JOB_FAILED: marked("No answer came of it."),
    WriteOffReason.NOTHING_SHOWN: marked("It ended before anything was shown."),
    WriteOffReason.BEGUN_AGAIN: marked("The answer was begun again."),
    WriteOffReason.OUT_OF_CREDIT: marked("The message waited for credits and began again."),
    WriteOffReason.WORKER_LOST: marked("Something on our side stopped working."),
    WriteOffReason.CALL_LOST: marked("At our expense: something on our side stopped working."),
    WriteOffReason.LATE_CALL: marked("At our expense: this try was given up."),
    WriteOffReason.BEYOND_HOLD: marked(
        "The provider counted more than was held beforehand. The rest is at our expense."
    ),
    WriteOffReason.CREDITS_GONE: marked("At our expense."),
    WriteOffReason.CREDITS_BACK: marked("No more at our expense."),
    WriteOffReason.NOTHING_HEARD: marked("At our expense: no words were heard."),
    WriteOffReason.BY_HAND: marked("We looked into it and gave it back."),
}
# The same for admins: what was at our expense, or would have been but for the cap of the day.
CARRIED: Mapping[WriteOffReason, str] = {
    WriteOffReason.JOB_FAILED: marked("our failures"),
    WriteOffReason.NOTHING_SHOWN: marked("ended by a limit with nothing shown"),
    WriteOffReason.BEGUN_AGAIN: marked("begun again"),
    WriteOffReason.OUT_OF_CREDIT: marked("out of credit before the first word"),
    WriteOffReason.WORKER_LOST: marked("workers lost"),
    WriteOffReason.CALL_LOST: marked("calls lost with their workers, at most"),
    WriteOffReason.LATE_CALL: marked("calls of tries that were given up"),
    WriteOffReason.BEYOND_HOLD: marked("beyond what was held"),
    WriteOffReason.CREDITS_GONE: marked("refunds and disputes of credits used up"),
    WriteOffReason.CREDITS_BACK: marked("refunds and disputes undone"),
    WriteOffReason.NOTHING_HEARD: marked("recordings without words"),
    WriteOffReason.BY_HAND: marked("given back by hand"),
}


def note(entry: Transaction) -> str:
    """Say what else is to be said of an entry; empty if nothing is."""
    if entry.note is None:
        return write_off(entry.reason) if entry.reason is not None else ""
    if entry.note is EntryNote.OTHER:
        return str(entry.note_details.get("text", ""))
    return gettext(NOTES[entry.note])


def write_off(reason: WriteOffReason) -> str:
    """Say, to its user, why something was not charged or was given back."""
    return gettext(WRITE_OFFS[reason])


def carried(reason: WriteOffReason) -> str:
    """Say, to admins, why something was at our expense."""
    return gettext(CARRIED[reason])
