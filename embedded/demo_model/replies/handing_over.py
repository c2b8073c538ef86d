"""Writes a file when asked for one in plain words, and hands it over with the answer."""

import re

from embedded.demo_model.conversation import ToolCall
from embedded.demo_model.prompt import Moment
from embedded.demo_model.reply import Reply

ASKED = re.compile(
    r"\b(?:write|make|create|prepare|give|send|draw up)\b(?P<before>[^.?!\n]{0,40}?)"
    r"\b(?P<kind>files?|documents?|csv|spreadsheet|table as a file|text file)\b(?P<about>.*)",
    re.I | re.S,
)
ABOUT = re.compile(
    r"^\W*(?:(?:file|document)\W+)?(?:(?:with|about|on|of|for|that (?:has|says|lists)|named|called)"
    r"\b\s*)?",
    re.I,
)
# “Write a poem about the sea into a file.”
SUBJECT = re.compile(r"\b(?:about|on|of)\s+(?P<about>.+?)\s+(?:into|in|to|as)\b", re.I)
TABLES = {"csv", "spreadsheet", "table as a file"}
SEPARATORS = re.compile(r"\s*(?:,|;|\band\b|\n)\s*", re.I)
TOOL = "my__hand_over"
TITLE_CHARS = 80
NAME_CHARS = 40
HANDED_OVER = "Handed over"


def write_file(at: Moment) -> Reply | None:
    """Write a file about what was asked, hand it over, and say so."""
    asked = ASKED.search(at.asking.words)
    if asked is None or not {"write", TOOL} <= set(at.asked.tools):
        return None
    about = _subject(asked["about"]) or _subject_of(asked["before"]) or "your notes"
    is_table = asked["kind"].lower() in TABLES or "csv" in asked["about"].lower()
    path = f"files/{_slug(about)}.{'csv' if is_table else 'md'}"
    done = [call.name for call, _ in at.asked.done]
    if "write" not in done:
        content = _table(about) if is_table else _note(about)
        return Reply(calls=(ToolCall("call_write", "write", {"path": path, "content": content}),))
    if TOOL not in done:
        given = {"path": path, "title": _title(about)}
        return Reply(calls=(ToolCall("call_hand_over", TOOL, given),))
    result = at.asked.done[-1][1]
    if HANDED_OVER not in result:
        return Reply(f"I wrote it, but I could not hand it over. I was told:\n\n> {result}")
    return Reply(f"Here is your file about {about}. It is below, and at /files.")


def _subject(words: str) -> str:
    return " ".join(ABOUT.sub("", words).split()).strip(" .!?")


def _subject_of(words: str) -> str:
    named = SUBJECT.search(words)
    return named["about"] if named else ""


def _slug(about: str) -> str:
    plain = "-".join(re.findall(r"[a-z0-9]+", about.lower()))
    return plain[:NAME_CHARS].strip("-") or "notes"


def _title(about: str) -> str:
    title = about[:1].upper() + about[1:]
    return title[:TITLE_CHARS].rstrip()


def _items(about: str) -> list[str]:
    return [item for item in SEPARATORS.split(about) if item]


def _note(about: str) -> str:
    lines = "\n".join(f"- [ ] {item}" for item in _items(about))
    return f"# {_title(about)}\n\n{lines}\n"


def _table(about: str) -> str:
    rows = "\n".join(f'{number},"{item}"' for number, item in enumerate(_items(about), start=1))
    return f"number,item\n{rows}\n"
