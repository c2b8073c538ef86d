"""Changing a reminder of the user whose turn runs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from actions.sentences.refusals import sentence_of
from agent.tools.registry import Arguments, ToolRefused
from gateways import values
from gateways.values import BadValue
from models.errors import Refused
from models.periods import zone_of
from models.reminders import choices, once, recurrence, reminders
from models.reminders.choices import Chosen
from models.reminders.reminders import WORDS_MAX_LENGTH
from models.schema.reminders import Reminder, ReminderKind, Repeats
from tasks.worker.tools.access import Caller
from tasks.worker.tools.reminders import described, find, now_of, refuse_chain, refuse_made_up

OTHER_DAYS = (
    "It comes on several days of the week, and that is none of them. Set a new one with `remind`,"
    " and cancel this one."
)


def change(caller: Caller, given: Arguments) -> str:
    """Do with a reminder what `do` says, and say when it comes next."""
    zone = zone_of(caller.user.timezone)
    do = DONE.get(str(given.get("do")))
    if do is None:
        raise BadValue
    reminder = find(caller, given)
    if given["do"] in LETTING_IT_COME:
        refuse_chain(caller, reminder.kind)
    try:
        do(caller, reminder, given)
    except BadValue as odd:
        said = "`at` must be like 2026-12-01T08:00, without a zone, and `what` at most 500 long."
        raise ToolRefused(f"{said} {now_of(caller, zone)}") from odd
    except Refused as refusal:
        raise ToolRefused(f"{sentence_of(refusal)} {now_of(caller, zone)}") from refusal
    return f"Changed: {described(reminder, zone)}"


def _edit(caller: Caller, reminder: Reminder, given: Arguments) -> None:
    what, at = given.get("what"), given.get("at")
    words = values.line(what, most=WORDS_MAX_LENGTH, least=1) if what else reminder.words
    if what and reminder.kind is ReminderKind.TASK:
        refuse_made_up(caller, words)
    wanted = choices.chosen(recurrence.of(reminder))
    if at:
        wanted = _moved(wanted, values.wall_clock(at))
    reminders.edit(caller.db, caller.user, reminder, words, wanted.recurrence())


def _moved(was: Chosen, start: datetime) -> Chosen:
    """Let it begin at another time; what comes on one day of the week moves to that of the time."""
    recurs = was.recurrence()
    if recurs.repeats is not Repeats.WEEKLY or start.weekday() in recurs.weekdays:
        return replace(was, start=start)
    if len(recurs.weekdays) > 1:
        raise ToolRefused(OTHER_DAYS)
    return replace(was, start=start, weekdays=(start.weekday(),))


def _snooze(caller: Caller, reminder: Reminder, given: Arguments) -> None:
    zone = zone_of(caller.user.timezone)
    until = recurrence.moment(values.wall_clock(given.get("at")), zone)
    reminders.snooze(caller.db, reminder, until)


def _skip(caller: Caller, reminder: Reminder, _given: Arguments) -> None:
    once.skip_once(caller.db, reminder, caller.job)


def _plainly(verb: Callable[..., None]) -> Callable[[Caller, Reminder, Arguments], None]:
    return lambda caller, reminder, _: verb(caller.db, reminder)


LETTING_IT_COME = {"edit", "snooze", "resume"}
DONE: Mapping[str, Callable[[Caller, Reminder, Arguments], None]] = {
    "edit": _edit,
    "snooze": _snooze,
    "pause": _plainly(reminders.pause),
    "resume": _plainly(reminders.resume),
    "skip": _skip,
    "done": _plainly(reminders.finish),
}
