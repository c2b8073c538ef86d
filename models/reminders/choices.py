"""The ways to repeat that people and models choose from, and the recurrence that each means.

What a choice leaves open is read from the first time: "every month" is on its day of the month.
"""

import enum
from dataclasses import dataclass, replace
from datetime import date, datetime

from models.reminders.recurrence import Recurrence
from models.schema.reminders import Repeats

WORKDAYS = (0, 1, 2, 3, 4)
MONTHS_OF_YEAR = 12


class Choice(enum.StrEnum):
    ONCE = "once"
    DAILY = "daily"
    WORKDAYS = "workdays"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    # On the same day of the week, such as the second Tuesday.
    MONTHLY_BY_WEEKDAY = "monthly_by_weekday"
    YEARLY = "yearly"


@dataclass(frozen=True)
class Chosen:
    """A choice with what may be said beside it: "every 2 weeks on Monday, until Christmas"."""

    choice: Choice
    start: datetime
    every: int = 1
    weekdays: tuple[int, ...] = ()
    until: date | None = None

    def recurrence(self) -> Recurrence:
        """Return when it happens; nothing of it has been checked yet."""
        repeats = _REPEATS[self.choice]
        by_weekday = repeats is Repeats.MONTHLY_BY_WEEKDAY
        is_once = repeats is Repeats.ONCE
        return Recurrence(
            start=self.start,
            repeats=repeats,
            every=1 if is_once or self.choice is Choice.WORKDAYS else self.every * self._months,
            weekdays=(self.start.weekday(),) if by_weekday else self._weekdays(repeats),
            month_day=self.start.day if repeats is Repeats.MONTHLY_BY_DAY else None,
            month_week=_week_of_month(self.start.date()) if by_weekday else None,
            until=None if is_once else self.until,
        )

    @property
    def _months(self) -> int:
        return MONTHS_OF_YEAR if self.choice is Choice.YEARLY else 1

    def _weekdays(self, repeats: Repeats) -> tuple[int, ...]:
        if repeats is not Repeats.WEEKLY:
            return ()
        if self.choice is Choice.WORKDAYS:
            return WORKDAYS
        return tuple(sorted(set(self.weekdays))) or (self.start.weekday(),)


_REPEATS = {
    Choice.ONCE: Repeats.ONCE,
    Choice.DAILY: Repeats.DAILY,
    Choice.WORKDAYS: Repeats.WEEKLY,
    Choice.WEEKLY: Repeats.WEEKLY,
    Choice.MONTHLY: Repeats.MONTHLY_BY_DAY,
    Choice.MONTHLY_BY_WEEKDAY: Repeats.MONTHLY_BY_WEEKDAY,
    Choice.YEARLY: Repeats.MONTHLY_BY_DAY,
}


def chosen(rule: Recurrence) -> Chosen:
    """Return the choice that a recurrence is."""
    choice, every = _choice(rule), rule.every
    if choice is Choice.YEARLY:
        every //= MONTHS_OF_YEAR
    return Chosen(choice, rule.start, every, rule.weekdays, rule.until)


def changed(old: Recurrence, wanted: Recurrence) -> Recurrence:
    """Return what is wanted instead of an old recurrence, where both were read by a choice.

    "The last Friday" cannot be chosen, only kept: it stays while day and choice stay as they are.
    """
    before, now = chosen(old), chosen(wanted)
    is_chosen = wanted == now.recurrence()
    is_like = (before.choice, before.every) == (now.choice, now.every)
    is_same_day = before.start.date() == now.start.date()
    if wanted.repeats is Repeats.WEEKLY or not (is_chosen and is_like and is_same_day):
        return wanted
    of_month = {"month_day": old.month_day, "month_week": old.month_week}
    return replace(wanted, weekdays=old.weekdays, **of_month)


def _choice(rule: Recurrence) -> Choice:
    if rule.repeats is Repeats.MONTHLY_BY_DAY:
        return Choice.MONTHLY if rule.every % MONTHS_OF_YEAR else Choice.YEARLY
    if rule.repeats is Repeats.WEEKLY and rule.weekdays == WORKDAYS and rule.every == 1:
        return Choice.WORKDAYS
    return Choice(rule.repeats.value)


def _week_of_month(day: date) -> int:
    """Say which of its weekday a day is in its month; a fifth one is the last."""
    week = (day.day - 1) // 7 + 1
    return week if week <= 4 else -1
