"""The form of a reminder: what was typed, and the recurrence that it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import request

from gateways import values
from gateways.values import BadValue
from models.base import utc_now
from models.reminders import recurrence
from models.reminders.recurrence import BadRecurrence, Recurrence
from models.reminders.reminders import WORDS_MAX_LENGTH, BadWords
from models.schema.reminders import Reminder, Repeats
from models.translation import marked

Value = TypeVar("Value")
WORKDAYS = (0, 1, 2, 3, 4)
MONTHS_OF_YEAR = 12
CHOICES: Mapping[str, str] = {
    "once": marked("Never"),
    "daily": marked("Every day"),
    "workdays": marked("Every weekday, Monday to Friday"),
    "weekly": marked("Every week"),
    "monthly_by_day": marked("Every month, on that day"),
    "monthly_by_weekday": marked("Every month, on that day of the week"),
    "yearly": marked("Every year"),
}


@dataclass(frozen=True)
class ReminderForm:
    """The fields as they stand; `every` leaves some times out, as in every 2nd week."""

    words: str = ""
    day: str = ""
    clock: str = ""
    repeats: str = "once"
    every: str = "1"
    weekdays: tuple[str, ...] = ()
    until: str = ""

    @classmethod
    def empty(cls, zone: ZoneInfo) -> "ReminderForm":
        """Return one for the next full hour."""
        soon = (utc_now() + timedelta(hours=1)).astimezone(zone)
        return cls(day=soon.date().isoformat(), clock=f"{soon:%H}:00")

    @classmethod
    def posted(cls) -> "ReminderForm":
        """Return what was typed, cut to what a form can hold."""
        given = {name: request.form.get(name, "")[:2000] for name in cls._fields()}
        return cls(**given, weekdays=tuple(request.form.getlist("weekdays")[:7]))

    @classmethod
    def of(cls, reminder: Reminder) -> "ReminderForm":
        """Return one that says what the reminder is."""
        rule = recurrence.of(reminder)
        return cls(
            words=reminder.words,
            day=reminder.starts_at.date().isoformat(),
            clock=reminder.starts_at.strftime("%H:%M:%S").removesuffix(":00"),
            repeats=_choice(rule),
            every=str(reminder.every // (MONTHS_OF_YEAR if _is_yearly(rule) else 1)),
            weekdays=tuple(str(one) for one in reminder.weekdays),
            until=reminder.until.isoformat() if reminder.until else "",
        )

    @staticmethod
    def _fields() -> tuple[str, ...]:
        return ("words", "day", "clock", "repeats", "every", "until")

    def said(self) -> str:
        """Return what to remind of; raise BadWords for what cannot be shown."""
        try:
            return values.line(self.words, most=WORDS_MAX_LENGTH, least=1)
        except BadValue as odd:
            raise BadWords(most=WORDS_MAX_LENGTH) from odd

    def recurrence(self) -> Recurrence:
        """Return when it fires; raise BadRecurrence, which names the part that is wrong."""
        start = datetime.combine(
            _read("start", values.day, self.day), _read("start", values.clock, self.clock)
        )
        repeats, every = self._repeats()
        by_month = repeats is Repeats.MONTHLY_BY_WEEKDAY
        return Recurrence(
            start=start,
            repeats=repeats,
            every=every,
            weekdays=(start.weekday(),) if by_month else self._weekdays(repeats, start),
            month_day=start.day if repeats is Repeats.MONTHLY_BY_DAY else None,
            month_week=_week_of_month(start.date()) if by_month else None,
            until=self._until(repeats),
        )

    def _repeats(self) -> tuple[Repeats, int]:
        every = _read("every", values.integer, self.every or "1")
        if self.repeats == "once":
            return Repeats.ONCE, 1
        if self.repeats == "yearly":
            return Repeats.MONTHLY_BY_DAY, every * MONTHS_OF_YEAR
        if self.repeats == "workdays":
            return Repeats.WEEKLY, 1
        if self.repeats not in CHOICES:
            raise BadRecurrence(part="every")
        return Repeats(self.repeats), every

    def _until(self, repeats: Repeats) -> date | None:
        if repeats is Repeats.ONCE or not self.until:
            return None
        return _read("until", values.day, self.until)

    def _weekdays(self, repeats: Repeats, start: datetime) -> tuple[int, ...]:
        if repeats is not Repeats.WEEKLY:
            return ()
        if self.repeats == "workdays":
            return WORKDAYS
        chosen = {_read("weekdays", values.integer, one) for one in self.weekdays}
        return tuple(sorted(chosen)) or (start.weekday(),)


def _read(part: str, gate: Callable[[object], Value], given: str) -> Value:
    try:
        return gate(given.strip())
    except BadValue as unreadable:
        raise BadRecurrence(part=part) from unreadable


def _week_of_month(day: date) -> int:
    """Say which of its weekday a day is in its month; a fifth one is the last."""
    week = (day.day - 1) // 7 + 1
    return week if week <= 4 else -1


def _is_yearly(rule: Recurrence) -> bool:
    return rule.repeats is Repeats.MONTHLY_BY_DAY and rule.every % MONTHS_OF_YEAR == 0


def _choice(rule: Recurrence) -> str:
    if _is_yearly(rule):
        return "yearly"
    if rule.repeats is Repeats.WEEKLY and rule.weekdays == WORKDAYS and rule.every == 1:
        return "workdays"
    return rule.repeats.value
