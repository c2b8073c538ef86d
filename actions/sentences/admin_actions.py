"""What is said of an entry of the audit log of admins."""

from collections.abc import Mapping, Sequence

from models.money import money
from models.schema.admins import AdminAction, AdminActionKind
from models.translation import gettext, marked

MONEY = "_micros"
WORDS: Mapping[AdminActionKind, str] = {
    AdminActionKind.CREDITS_ADJUSTED: marked("Credits adjusted"),
    AdminActionKind.SENDING_SUSPENDED: marked("Sending suspended"),
    AdminActionKind.SENDING_RESUMED: marked("Sending allowed again"),
    AdminActionKind.SIGN_IN_SUSPENDED: marked("Signing in suspended"),
    AdminActionKind.SIGN_IN_RESUMED: marked("Signing in allowed again"),
    AdminActionKind.SESSIONS_ENDED: marked("Logged out everywhere"),
    AdminActionKind.FREEZE_LIFTED: marked("Freeze lifted"),
    AdminActionKind.VERIFICATION_RESENT: marked("Verification mailed again"),
    AdminActionKind.NOTE_ADDED: marked("Note"),
    AdminActionKind.JOB_RETRIED: marked("Message tried again"),
    AdminActionKind.JOB_CANCELLED: marked("Message stopped"),
    AdminActionKind.SWITCHES_CHANGED: marked("Switches changed"),
    AdminActionKind.CLAIMING_PAUSED: marked("Answering paused"),
    AdminActionKind.CLAIMING_RESUMED: marked("Answering resumed"),
    AdminActionKind.INVITATION_MADE: marked("Invitation made"),
    AdminActionKind.INVITATION_ENDED: marked("Invitation ended"),
    AdminActionKind.WAITING_INVITED: marked("People who waited were invited"),
    AdminActionKind.RULE_SET: marked("Put on a list"),
    AdminActionKind.RULE_ENDED: marked("Taken off a list"),
    AdminActionKind.JOBS_CANCELLED: marked("Messages stopped in bulk"),
    AdminActionKind.JOBS_RETRIED: marked("Messages tried again in bulk"),
    AdminActionKind.ADJUSTMENT_ASKED: marked("Adjustment asked for"),
    AdminActionKind.ADJUSTMENT_APPROVED: marked("Adjustment approved"),
    AdminActionKind.ADJUSTMENT_REFUSED: marked("Adjustment refused"),
    AdminActionKind.REFUND_ORDERED: marked("Refund ordered"),
    AdminActionKind.LIMITS_RESET: marked("Limits reset"),
    AdminActionKind.CELL_DESTROYED: marked("Hot cell ended"),
    AdminActionKind.SNAPSHOT_RESTORED: marked("Older files restored"),
    AdminActionKind.DELETION_ORDERED: marked("Deletion ordered"),
    AdminActionKind.DELETION_UNDONE: marked("Deletion undone"),
    AdminActionKind.WORKER_DRAINED: marked("Worker drained"),
}


def words(kind: AdminActionKind) -> str:
    """Say what an admin did."""
    return gettext(WORDS[kind])


def changes(action: AdminAction, sees_money: bool) -> Sequence[str]:
    """Say what an action changed, a line for each value: `balance: $1.00 → $6.00`."""
    names = sorted({*action.before, *action.after})
    if not sees_money:
        names = [name for name in names if not name.endswith(MONEY)]
    return [
        f"{_name(name)}: {_value(name, action.before)} → {_value(name, action.after)}"
        for name in names
        if action.before.get(name) != action.after.get(name)
    ]


def _name(name: str) -> str:
    return name.removesuffix(MONEY).replace("_", " ")


def _value(name: str, side: Mapping[str, object]) -> str:
    value = side.get(name)
    if value is None:
        return "–"
    return money(value) if name.endswith(MONEY) and isinstance(value, int) else str(value)
