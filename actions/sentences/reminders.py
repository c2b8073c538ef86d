"""What is said of reminders: when they fire, what they say then, and how late they are."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from models.periods import zone_of
from models.reminders import recurrence
from models.reminders.choices import WORKDAYS
from models.reminders.recurrence import MOST_COUNTED, Recurrence
from models.reminders.snoozes import Snooze
from models.schema.reminders import FiringOutcome, Reminder, ReminderFiring, Repeats
from models.translation import gettext, marked, ngettext

# The conversation of reminders that were made by hand.
CONVERSATION = marked("Reminders")
# Whoever is told within this is told in time.
IN_TIME = timedelta(minutes=2)
MINUTE, HOUR, DAY = 60, 3600, 86400
WEEKDAYS = (
    marked("Monday"),
    marked("Tuesday"),
    marked("Wednesday"),
    marked("Thursday"),
    marked("Friday"),
    marked("Saturday"),
    marked("Sunday"),
)
WEEKS = {
    1: marked("first"),
    2: marked("second"),
    3: marked("third"),
    4: marked("fourth"),
    -1: marked("last"),
}
# What is wrong with a recurrence, by its part.
PARTS = {
    "start": marked("That date is too far away."),
    "every": marked("Choose a smaller number for how often it repeats, of at least 1."),
    "weekdays": marked("Choose the days of the week on which it repeats."),
    "month_day": marked("Choose a day of the month from 1 to 31."),
    "month_week": marked("Choose which week of the month: the first to the fourth, or the last."),
    "until": marked("The last day must not be before the first one."),
}


SNOOZES = {
    Snooze.TEN_MINUTES: marked("in 10 minutes"),
    Snooze.HOUR: marked("in an hour"),
    Snooze.MORNING: marked("tomorrow morning"),
}
# Of an event that cannot be a reminder.
UNKNOWN = marked("repeating in ways that reminders do not know, or unreadable")
OUTCOMES = {
    FiringOutcome.TOLD: "",
    FiringOutcome.RUNNING: marked("is being done"),
    FiringOutcome.NOTHING: marked("nothing to tell"),
    FiringOutcome.FAILED: marked("could not be finished"),
    FiringOutcome.STOPPED: marked("was stopped"),
    FiringOutcome.REFUSED: marked("was not begun"),
}


def outcome_of(fired: ReminderFiring) -> str:
    """Say what came of a task; "" for a reminder, and for what was told."""
    words = OUTCOMES[fired.outcome]
    return gettext(words) if words else ""


def on_the_clock(at: datetime, zone: ZoneInfo) -> str:
    """Write a moment so that nobody can mistake it: `Tue 2026-12-01 08:00 Europe/Paris`."""
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"


def how_often(rule: Recurrence) -> str:
    """Say how something repeats, as in "every 2 weeks on Monday"; "" for what happens once."""
    days = ", ".join(gettext(WEEKDAYS[day]) for day in rule.weekdays)
    if rule.repeats is Repeats.ONCE:
        return ""
    if rule.repeats is Repeats.DAILY:
        words = ngettext("every day", "every %(num)d days", rule.every)
    elif rule.repeats is Repeats.WEEKLY and rule.weekdays == WORKDAYS and rule.every == 1:
        words = gettext("every weekday, Monday to Friday")
    elif rule.repeats is Repeats.WEEKLY:
        weeks = ngettext("every week", "every %(num)d weeks", rule.every)
        words = gettext("%(weeks)s on %(days)s", weeks=weeks, days=days)
    else:
        words = _monthly(rule, days)
    if rule.until is not None:
        return gettext("%(often)s until %(day)s", often=words, day=rule.until.isoformat())
    return words


def _monthly(rule: Recurrence, days: str) -> str:
    months = ngettext("every month", "every %(num)d months", rule.every)
    if rule.every == 12:
        months = gettext("every year")
    if rule.month_day is not None:
        return gettext("%(months)s on day %(day)s", months=months, day=rule.month_day)
    which = gettext(WEEKS[rule.month_week or 1])
    return gettext("%(months)s on the %(which)s %(day)s", months=months, which=which, day=days)


def described(reminder: Reminder) -> str:
    """Say of a reminder how it repeats."""
    return how_often(recurrence.of(reminder))


def in_one_line(reminder: Reminder, timezone: str) -> str:
    """Say of a reminder what it says, when it comes next, and how it repeats."""
    due = reminder.due_at
    when = gettext("paused") if due is None else on_the_clock(due, zone_of(timezone))
    often = described(reminder)
    return f"{reminder.words}: {when}, {often}" if often else f"{reminder.words}: {when}"


def lateness(late: timedelta, due_at: datetime, missed: int, timezone: str) -> str:
    """Say how late something is told, and how often it was missed; "" for what is in time."""
    if late < IN_TIME and not missed:
        return ""
    due = on_the_clock(due_at, zone_of(timezone))
    said = gettext("This was due on %(due)s, %(late)s ago.", due=due, late=how_long(late))
    if missed >= MOST_COUNTED:
        return said + " " + gettext("Since then it was due more than %(n)s times.", n=MOST_COUNTED)
    if missed:
        again = ngettext(
            "Since then it was due once more.", "Since then it was due %(num)d more times.", missed
        )
        return f"{said} {again}"
    return said


LEFT_OUT = {
    "reminder_time_over": marked("over already"),
    "too_many_reminders": marked("more than there is room for"),
}


def imported(added: int, known: int, left_out: Mapping[str, int]) -> str:
    """Say what came of a calendar file: what was set, was there before, and was left out."""
    said = [ngettext("%(num)d reminder was set.", "%(num)d reminders were set.", added)]
    if known:
        said.append(ngettext("%(num)d was there.", "%(num)d were there.", known))
    why: Counter[str] = Counter()
    for code, count in left_out.items():
        why[gettext(LEFT_OUT.get(code, UNKNOWN))] += count
    if why:
        listed = ", ".join(f"{count} {words}" for words, count in why.items())
        said.append(gettext("Left out: %(listed)s.", listed=listed))
    return " ".join(said)


def since_due(late: timedelta, missed: int) -> str:
    """Say for the assistant how late a task is begun: `, 3 hours late`; "" for one in time."""
    if late < IN_TIME and not missed:
        return ""
    times = f"; it was due {missed} more times since" if missed else ""
    return f", {how_long(late)} late{times}"


def how_long(time: timedelta) -> str:
    """Say how long something takes, roughly: `12 minutes`, `3 hours`, `2 days`."""
    seconds = max(int(time.total_seconds()), 0)
    if seconds >= 2 * DAY:
        return ngettext("%(num)d day", "%(num)d days", seconds // DAY)
    if seconds >= 2 * HOUR:
        return ngettext("%(num)d hour", "%(num)d hours", seconds // HOUR)
    return ngettext("%(num)d minute", "%(num)d minutes", max(seconds // MINUTE, 1))
