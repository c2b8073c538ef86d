"""Setting, listing and cancelling reminders for the user whose turn runs."""

from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from actions.sentences import reminders as sentences
from actions.sentences.refusals import sentence_of
from agent.tools.registry import WEEKDAYS, Arguments, ToolRefused
from gateways import values
from gateways.values import BadValue
from models import database
from models.errors import NotFound, Refused
from models.periods import zone_of
from models.reminders import queries, reminders, task_runs
from models.reminders.choices import Choice, Chosen
from models.reminders.recurrence import Recurrence
from models.reminders.reminders import WORDS_MAX_LENGTH
from models.schema.jobs import JobOrigin
from models.schema.reminders import Reminder, ReminderKind
from tasks.worker.tools import turn_web
from tasks.worker.tools.access import Caller

MOST_LISTED = 50
MADE_UP = (
    "Not set: a task may only have an address as it stands in what the person wrote or in what you"
    " read for this answer. Leave it out, or ask them to write the address."
)


def remind(caller: Caller, given: Arguments) -> str:
    """Set a reminder, and say when it comes next; what is refused is told with the time it is."""
    zone = zone_of(caller.user.timezone)
    try:
        words = values.line(given.get("what"), most=WORDS_MAX_LENGTH, least=1)
        kind, only_if = _kind(caller, given)
        if kind is ReminderKind.TASK:
            refuse_made_up(caller, words)
        return _set(caller, words, _recurrence(given), zone, kind=kind, tell_only_if=only_if)
    except BadValue as odd:
        said = "`what` must be 1 to 500 characters, and `at` like 2026-12-01T08:00, without a zone."
        raise ToolRefused(f"{said} {now_of(caller, zone)}") from odd
    except Refused as refusal:
        raise ToolRefused(f"{sentence_of(refusal)} {now_of(caller, zone)}") from refusal


def refuse_made_up(caller: Caller, words: str) -> None:
    """Refuse a task that has an address of the assistant's own making.

    When it is due its words are its user's, so that address would be read: with whatever a page
    had the assistant put into it. In a turn that has not recalled its conversation all are so.
    """
    if not turn_web.of(caller.turn).has_come(words):
        raise ToolRefused(MADE_UP)


def refuse_chain(caller: Caller, kind: ReminderKind) -> None:
    """Refuse a task, or another time of one, that a task asks for.

    It would go on for ever, at its user's expense.
    """
    if kind is ReminderKind.TASK and caller.job.origin is JobOrigin.TASK:
        raise ToolRefused("A task sets no tasks. Tell them what you would do, and let them ask.")


def find(caller: Caller, given: Arguments) -> Reminder:
    """Find and lock the user's reminder of the number that is given."""
    number = values.integer(given.get("number"))
    try:
        return queries.find_by_number(caller.db, caller.user.id, number)
    except NotFound as missing:
        raise ToolRefused(f"There is no reminder #{number}; list them.") from missing


def keep_silent(caller: Caller, _given: Arguments) -> str:
    """Let the task that runs tell nothing; only one that its user wants told on a condition."""
    try:
        task_runs.keep_silent(caller.db, caller.job)
    except NotFound as untold:
        raise ToolRefused("Only a task with a condition may end so: answer in words.") from untold
    return "Noted: they are told nothing. End with the one word: Nothing."


def list_all(caller: Caller, _given: Arguments) -> str:
    """List what will fire and what is paused, by number."""
    zone = zone_of(caller.user.timezone)
    listed = queries.list_open(caller.db, caller.user.id, limit=MOST_LISTED)
    return "\n".join(described(one, zone) for one in listed) or "There are no reminders."


def cancel(caller: Caller, given: Arguments) -> str:
    """Cancel a reminder by its number."""
    reminder = find(caller, given)
    reminders.cancel(caller.db, reminder)
    return f"Cancelled: #{reminder.number} “{reminder.words}”."


def _kind(caller: Caller, given: Arguments) -> tuple[ReminderKind, str]:
    kind = given.get("kind") or ReminderKind.REMINDER
    if kind not in list(ReminderKind):
        raise BadValue
    refuse_chain(caller, ReminderKind(kind))
    return ReminderKind(kind), values.line(given.get("tell_only_if") or "", most=WORDS_MAX_LENGTH)


def _set(
    caller: Caller,
    words: str,
    wanted: Recurrence,
    zone: ZoneInfo,
    *,
    kind: ReminderKind,
    tell_only_if: str,
) -> str:
    db, user = caller.db, caller.user
    same = queries.find_same(db, user.id, words, wanted, kind, tell_only_if=tell_only_if)
    reminder = same or reminders.create(
        db,
        user.id,
        words,
        wanted,
        conversation_id=caller.job.conversation_id,
        kind=kind,
        tell_only_if=tell_only_if,
    )
    return f"{'Already set' if same else 'Set'}: {described(reminder, zone)}"


def _recurrence(given: Arguments) -> Recurrence:
    repeat = given.get("repeat") or Choice.ONCE
    if repeat not in list(Choice):
        raise BadValue
    until = given.get("until")
    return Chosen(
        choice=Choice(repeat),
        start=values.wall_clock(given.get("at")),
        every=values.integer(given.get("every") or 1),
        weekdays=_weekdays(given.get("on")),
        until=values.day(until) if until else None,
    ).recurrence()


def _weekdays(given: object) -> tuple[int, ...]:
    if not given:
        return ()
    days = cast(list[object], given) if isinstance(given, list) else [given]
    if not all(day in WEEKDAYS for day in days):
        raise BadValue
    return tuple(number for number, day in enumerate(WEEKDAYS) if day in days)


def described(reminder: Reminder, zone: ZoneInfo) -> str:
    """Say what it is, and when it comes next on the clocks of a zone."""
    when = "paused" if reminder.due_at is None else f"next {_clock(reminder.due_at, zone)}"
    often = sentences.described(reminder)
    kind = "task " if reminder.kind is ReminderKind.TASK else ""
    only = f", told only if: {reminder.tell_only_if}" if reminder.tell_only_if else ""
    often = f", {often}" if often else ""
    return f"{kind}#{reminder.number} “{reminder.words}”, {when}{often}{only}"


def now_of(caller: Caller, zone: ZoneInfo) -> str:
    """Say what time it is for the user, whom a wrong one was worked out for."""
    return f"It is {_clock(database.clock(caller.db), zone)} for them now."


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return sentences.on_the_clock(at, zone)
