"""The form of a reminder: what was typed, and the recurrence that it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import request

from gateways import values
from gateways.values import BadValue
from models.base import utc_now
from models.reminders import choices, recurrence
from models.reminders.choices import Choice
from models.reminders.recurrence import BadRecurrence, Recurrence
from models.reminders.reminders import WORDS_MAX_LENGTH, BadWords
from models.schema.reminders import Reminder, ReminderKind
from models.translation import marked

Value = TypeVar("Value")
# A form comes back with no more of what was typed.
TYPED_CHARS = 2_000
CHOICES: Mapping[str, str] = {
    Choice.ONCE: marked("Never"),
    Choice.DAILY: marked("Every day"),
    Choice.WORKDAYS: marked("Every weekday, Monday to Friday"),
    Choice.WEEKLY: marked("Every week"),
    Choice.MONTHLY: marked("Every month, on that day"),
    Choice.MONTHLY_BY_WEEKDAY: marked("Every month, on that day of the week"),
    Choice.YEARLY: marked("Every year"),
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
    is_task: bool = False
    tell_only_if: str = ""

    @classmethod
    def empty(cls, zone: ZoneInfo) -> "ReminderForm":
        """Return one for the next full hour."""
        soon = (utc_now() + timedelta(hours=1)).astimezone(zone)
        return cls(day=soon.date().isoformat(), clock=f"{soon:%H}:00")

    @classmethod
    def posted(cls) -> "ReminderForm":
        """Return what was typed, cut to what a form can hold."""
        form = request.form
        return cls(
            words=form.get("words", "")[:TYPED_CHARS],
            day=form.get("day", "")[:TYPED_CHARS],
            clock=form.get("clock", "")[:TYPED_CHARS],
            repeats=form.get("repeats", "")[:TYPED_CHARS],
            every=form.get("every", "")[:TYPED_CHARS],
            weekdays=tuple(form.getlist("weekdays")[:7]),
            until=form.get("until", "")[:TYPED_CHARS],
            is_task=form.get("kind") == ReminderKind.TASK,
            tell_only_if=form.get("tell_only_if", "")[:TYPED_CHARS],
        )

    @classmethod
    def of(cls, reminder: Reminder) -> "ReminderForm":
        """Return one that says what the reminder is."""
        rule = choices.chosen(recurrence.of(reminder))
        return cls(
            words=reminder.words,
            day=reminder.starts_at.date().isoformat(),
            clock=reminder.starts_at.strftime("%H:%M:%S").removesuffix(":00"),
            repeats=rule.choice,
            every=str(rule.every),
            weekdays=tuple(str(one) for one in rule.weekdays),
            until=rule.until.isoformat() if rule.until else "",
            is_task=reminder.kind is ReminderKind.TASK,
            tell_only_if=reminder.tell_only_if,
        )

    def said(self) -> str:
        """Return what to remind of; raise BadWords for what cannot be shown."""
        try:
            return values.line(self.words, most=WORDS_MAX_LENGTH, least=1)
        except BadValue as odd:
            raise BadWords(most=WORDS_MAX_LENGTH) from odd

    @property
    def kind(self) -> ReminderKind:
        return ReminderKind.TASK if self.is_task else ReminderKind.REMINDER

    def condition(self) -> str:
        """Return on what a task is told; raise BadWords for what cannot be shown."""
        try:
            return values.line(self.tell_only_if, most=WORDS_MAX_LENGTH) if self.is_task else ""
        except BadValue as odd:
            raise BadWords(most=WORDS_MAX_LENGTH) from odd

    def recurrence(self) -> Recurrence:
        """Return when it fires; raise BadRecurrence, which names the part that is wrong."""
        start = datetime.combine(
            _read("start", values.day, self.day), _read("start", values.clock, self.clock)
        )
        if self.repeats not in CHOICES:
            raise BadRecurrence(part="every")
        weekdays = (_read("weekdays", values.integer, one) for one in self.weekdays)
        return choices.Chosen(
            choice=Choice(self.repeats),
            start=start,
            every=_read("every", values.integer, self.every or "1"),
            weekdays=tuple(weekdays),
            until=_read("until", values.day, self.until) if self.until else None,
        ).recurrence()


def _read(part: str, gate: Callable[[object], Value], given: str) -> Value:
    try:
        return gate(given.strip())
    except BadValue as unreadable:
        raise BadRecurrence(part=part) from unreadable
