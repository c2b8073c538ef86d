"""Uses the product's own tools when asked in plain words, and says what came of it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from embedded.demo_model.conversation import ToolCall
from embedded.demo_model.prompt import Moment
from embedded.demo_model.reply import Reply

UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "five": 5, "ten": 10}
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
REMIND = re.compile(r"\bremind me\b[\s,:]*(?P<rest>.+)", re.I | re.S)
WAIT = re.compile(
    r"\bin (?P<count>\d{1,4}|an?|one|two|three|five|ten) (?P<unit>minute|hour|day)s?\b", re.I
)
HOURS = (
    *("one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
CLOCK = re.compile(
    rf"\bat (?P<hour>\d{{1,2}}|{'|'.join(HOURS)})(?::(?P<minute>\d{{2}}))?"
    r"\s*(?P<half>am|pm)?\b",
    re.I,
)
DAY = re.compile(r"\b(?:today|tomorrow|tonight)\b", re.I)
OFTEN = re.compile(
    r"\b(?:(?P<daily>every day|daily)|(?P<workdays>every weekday)|every week on (?P<week>\w+)|"
    r"every (?P<name>(?:mon|tues|wednes|thurs|fri|satur|sun)day))\b",
    re.I,
)
TO = re.compile(r"^(?:to|that|about|of)\s+", re.I)
LIST = re.compile(r"\b(?:my|which|what|list|show)\b.{0,20}\breminders\b", re.I)
CANCEL = re.compile(
    r"\b(?:cancel|delete|drop)\b.{0,20}\breminder\b\D{0,12}(?P<number>\d{1,6})", re.I
)
SAID = re.compile(
    r"\bwhat (?:did|have) (?:i|we|you) (?:say|said|talk|talked|write|written) (?:\w+ )?about "
    r"(?P<words>.+)",
    re.I,
)
TASK = re.compile(
    r"^(?:please\s+)?every (?:day|weekday|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b.{0,20}?"
    r"\b(?P<what>(?:check|look|tell|write|sum|plan|make|read|find)\b.+)",
    re.I | re.S,
)
ONLY_IF = re.compile(r"[,;]?\s*(?:and )?(?:only )?tell me only if (?P<condition>[^.!?]+)", re.I)
# What the service writes below a task that is told on a condition.
TOLD_IF = re.compile(r"Tell it only if this holds: (?P<condition>.+?)\. If it does not", re.S)
ON_LIST = re.compile(
    r"\b(?:put|add) (?P<items>.+?) (?:on|to) (?:my|the) (?P<list>[\w ]{1,40}?) list\b", re.I
)
OFF_LIST = re.compile(
    r"\b(?:tick|cross|strike) (?P<items>.+?) off (?:of )?(?:my|the) (?P<list>[\w ]{1,40}?) list\b",
    re.I,
)
SEE_LIST = re.compile(
    r"\b(?:what(?:'s| is) on|show(?: me)?|read) (?:my|the) (?P<list>[\w ]{1,40}?) list\b", re.I
)
CLEAR_LIST = re.compile(r"\b(?:clear|empty) (?:my|the) (?P<list>[\w ]{1,40}?) list\b", re.I)
LISTS = ((ON_LIST, "add"), (OFF_LIST, "tick"), (SEE_LIST, "show"), (CLEAR_LIST, "clear"))
HELP = re.compile(
    r"\bhow (?:do|does|can|is|are)\b.{0,30}\b(?P<topic>credit|limit|model|telegram|reminder|list|"
    r"file|privacy|delete)",
    re.I,
)
CHANGE = re.compile(
    r"\b(?P<do>snooze|pause|resume|skip)\b.{0,20}\breminder\b\D{0,12}(?P<number>\d{1,6})"
    r"(?P<rest>.*)",
    re.I | re.S,
)
SPENT = re.compile(r"\b(?:what|how much) (?:have|did) i (?:spent|spend)|\bmy spending\b", re.I)
EVENING = 20


def product_tools(at: Moment) -> Reply | None:
    """Use that of the tools there are which the words ask for, and say what it answered."""
    for name, rule, head in RULES:
        found = rule(at)
        full_name = f"my__{name}"
        if found is None or full_name not in at.asked.tools:
            continue
        if at.asked.done:
            return Reply(_outcome(head, at.asked.done[-1][1]))
        return Reply(calls=(ToolCall(f"call_{name}", full_name, found),))
    return None


def _outcome(head: str, result: str) -> str:
    lines = [line for line in result.splitlines() if line and not line.startswith("<")]
    return "\n".join([head, "", *(f"> {line}" for line in lines)])


def _remind(at: Moment) -> dict[str, Any] | None:
    asked, now = REMIND.search(at.asking.words), at.asking.at
    if asked is None or now is None:
        return None
    rest = asked["rest"]
    due, repeat = _due(rest, now), _repeat(rest)
    if due is None:
        return None
    for pattern in (WAIT, CLOCK, DAY, OFTEN):
        rest = pattern.sub(" ", rest)
    what = TO.sub("", " ".join(rest.split()).strip(" ,.!?"))
    return {"what": what or "What you asked for", "at": f"{due:%Y-%m-%dT%H:%M}", **repeat}


def _due(words: str, now: datetime) -> datetime | None:
    wait = WAIT.search(words)
    if wait is not None:
        count = wait["count"].lower()
        return now + (NUMBERS.get(count) or int(count)) * UNITS[wait["unit"].lower()]
    clock = _clock(words, now)
    day = DAY.search(words)
    if clock is None or (day is None and clock <= now) or (day and day[0].lower() == "tomorrow"):
        clock = (clock or now) + timedelta(days=1)
    return clock if CLOCK.search(words) or day or OFTEN.search(words) else None


def _clock(words: str, now: datetime) -> datetime | None:
    found = CLOCK.search(words)
    if found is None:
        is_tonight = "tonight" in words.lower()
        return now.replace(hour=EVENING, minute=0) if is_tonight else None
    named = found["hour"].lower()
    hour = HOURS.index(named) + 1 if named in HOURS else int(named)
    minute = int(found["minute"] or 0)
    half = (found["half"] or "").lower()
    hour = hour % 12 + 12 * (half == "pm") if half else hour
    return now.replace(hour=hour, minute=minute) if hour < 24 and minute < 60 else None


def _repeat(words: str) -> dict[str, Any]:
    found = OFTEN.search(words)
    if found is None:
        return {}
    if found["daily"]:
        return {"repeat": "daily"}
    if found["workdays"]:
        return {"repeat": "workdays"}
    day = str(found["week"] or found["name"])[:3].lower()
    return {"repeat": "weekly", "on": [day]} if day in DAYS else {"repeat": "weekly"}


def _task(at: Moment) -> dict[str, Any] | None:
    words, now = at.asking.words, at.asking.at
    asked = TASK.search(words)
    if asked is None or now is None or REMIND.search(words):
        return None
    condition, due = ONLY_IF.search(words), _due(words, now)
    what = asked["what"]
    for pattern in (ONLY_IF, CLOCK):
        what = pattern.sub("", what)
    if due is None:
        return None
    task = {"what": what.strip(" ,.!?"), "at": f"{due:%Y-%m-%dT%H:%M}", "kind": "task"}
    told = {"tell_only_if": condition["condition"].strip()} if condition else {}
    return {**task, **told, **_repeat(words)}


def _keep_silent(at: Moment) -> dict[str, Any] | None:
    """A model would look whether it holds; this one knows that "never" does not."""
    told = TOLD_IF.search(at.asking.words)
    return {} if told and "never" in told["condition"].lower() else None


def _use_list(at: Moment) -> dict[str, Any] | None:
    for pattern, do in LISTS:
        found = pattern.search(at.asking.words)
        if found is not None:
            items = found.groupdict().get("items")
            listed = re.split(r",\s*|\s+and\s+", items) if items else None
            return {"do": do, "list": found["list"], **({"items": listed} if listed else {})}
    return None


def _read_help(at: Moment) -> dict[str, Any] | None:
    found = HELP.search(at.asking.words)
    if found is None:
        return None
    topic = found["topic"].lower()
    is_whole = topic in ("telegram", "privacy", "delete")
    return {"topic": topic if is_whole else f"{topic}s"}


def _change(at: Moment) -> dict[str, Any] | None:
    found, now = CHANGE.search(at.asking.words), at.asking.at
    if found is None or now is None:
        return None
    wanted = {"number": int(found["number"]), "do": found["do"].lower()}
    if wanted["do"] != "snooze":
        return wanted
    due = _due(found["rest"], now) or now + timedelta(hours=1)
    return {**wanted, "at": f"{due:%Y-%m-%dT%H:%M}"}


def _list(at: Moment) -> dict[str, Any] | None:
    return {} if LIST.search(at.asking.words) else None


def _cancel(at: Moment) -> dict[str, Any] | None:
    asked = CANCEL.search(at.asking.words)
    return {"number": int(asked["number"])} if asked else None


def _search(at: Moment) -> dict[str, Any] | None:
    asked = SAID.search(at.asking.words)
    return {"query": " ".join(asked["words"].split()).strip(" ?!.")[:300]} if asked else None


def _spent(at: Moment) -> dict[str, Any] | None:
    return {} if SPENT.search(at.asking.words) else None


RULES: tuple[tuple[str, Callable[[Moment], dict[str, Any] | None], str], ...] = (
    ("nothing_to_tell", _keep_silent, "There is nothing to tell:"),
    ("change_reminder", _change, "That is changed:"),
    ("lists", _use_list, "This stands there now:"),
    ("product_help", _read_help, "This is how it works:"),
    ("remind", _task, "I do it then; you find it at /reminders too:"),
    ("remind", _remind, "Here is what I set; you find it at /reminders too:"),
    ("cancel_reminder", _cancel, "That is done:"),
    ("reminders", _list, "These are your reminders:"),
    ("search_history", _search, "This is what I found:"),
    ("spending", _spent, "Here is what I know of your spending:"),
)
