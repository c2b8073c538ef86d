"""Saying what the user whose turn runs has spent, has left and may spend."""

from agent.tools.registry import Arguments
from models.base import utc_now
from models.ledger import limits
from models.money import money
from models.periods import day_of, month_of
from tasks.worker.tools.access import Caller


def report(caller: Caller, _given: Arguments) -> str:
    """Say it all; the message that is being answered is not charged in full yet."""
    db, user, now = caller.db, caller.user, utc_now()
    today = limits.spent_since(db, user.id, day_of(user.timezone, now).begins)
    month = limits.spent_since(db, user.id, month_of(user.timezone, now).begins)
    left, given = money(user.credits_balance_micros), money(user.credits_promotional_micros)
    lines = [
        f"Left: {left}, of which {given} were given.",
        f"Spent today: {money(today)}; this month: {money(month)}.",
        f"Each message may cost {money(limits.message_limit(user))}.",
        f"Each day {_amount(user.day_limit_micros)}.",
        f"Each month {_amount(user.month_limit_micros)}.",
    ]
    if user.is_frozen:
        lines.append("Spending is closed on the account for now; they are told why at /billing.")
    return "\n".join(lines)


def _amount(micros: int | None) -> str:
    return "has no limit" if micros is None else f"may cost {money(micros)}"
