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
CLOCK = re.compile(r"\bat (?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>am|pm)?\b", re.I)
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
SPENT = re.compile(r"\b(?:what|how much) (?:have|did) i (?:spent|spend)|\bmy spending\b", re.I)
EVENING = 20


def product_tools(at: Moment) -> Reply | None:
    """Remind, list, cancel, search and say what was spent, with the tools there are."""
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
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
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
    ("remind", _remind, "Here is what I set; you find it at /reminders too:"),
    ("cancel_reminder", _cancel, "That is done:"),
    ("reminders", _list, "These are your reminders:"),
    ("search_history", _search, "This is what I found:"),
    ("spending", _spent, "Here is what I know of your spending:"),
)
