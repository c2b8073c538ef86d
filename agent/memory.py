"""MEMORY.md: a person's notes as the assistant sees them, and what it has written there itself.

The notes are rows of a database; the file is drawn from them anew before each turn. What the
assistant adds, changes or takes out in the file is found after the turn, line by line, by the
numbers of the notes that it was shown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.turn import Note
from gateways.values import UNKEEPABLE

# OpenClaw cuts the middle out of what is longer than 20,000 characters.
MOST_CHARS = 18_000
# Lines that are no notes yet, which are all taken over at the end of the turn.
CARRIED_CHARS = 100_000
NOTE_CHARS = 500
# What is taken over of one turn, beside those.
MOST_TAKEN = 200
# Whoever lost more lines than these has lost the file, and meant none of them.
MOST_REMOVED = 3
HEAD = """# Memory

<!-- Notes on them, the newest first. The service writes those with a number anew. -->
"""
MORE = "(There are older notes: search for them.)"
NUMBERED = re.compile(r"#(\d{1,9})\b(?: \(\d{4}-\d\d-\d\d\))?[:\s]*(.*)")
BULLET = re.compile(r"^(?:[-*+]|\d{1,3}[.)])\s+")


@dataclass(frozen=True)
class Shown:
    """What MEMORY.md told in a turn: notes by number, and lines that were no notes yet."""

    text: str
    notes: Mapping[int, str]
    carried: tuple[str, ...]


@dataclass(frozen=True)
class Edited:
    """A note that the assistant has changed from what it was shown."""

    number: int
    before: str
    words: str


@dataclass(frozen=True)
class Noted:
    """What an assistant did to MEMORY.md in a turn; `carried` had stood there before."""

    added: tuple[str, ...]
    edited: tuple[Edited, ...]
    removed: tuple[Edited, ...]
    carried: tuple[str, ...]


def render(notes: Iterable[Note], standing: str) -> Shown:
    """Write the file out: lines of `standing` that are no notes yet, then notes, as many as fit."""
    known = list(notes)
    carried = _bounded(_without(standing, {note.words for note in known}), CARRIED_CHARS)
    lines = [HEAD, *(f"- {words}" for words in carried)]
    room = MOST_CHARS - sum(len(line) + 1 for line in lines) - len(MORE) - 1
    shown: dict[int, str] = {}
    for note in known:
        line = f"- #{note.number} ({note.noted_on.isoformat()}) {note.words}"
        room -= len(line) + 1
        if room < 0:
            lines.append(MORE)
            break
        lines.append(line)
        shown[note.number] = note.words
    return Shown("\n".join(lines).rstrip("\n") + "\n", shown, carried)


def compare(shown: Shown, found: str) -> Noted | None:
    """Find what became of what was shown; None when there is nothing to take over."""
    numbered, plain = _read(found)
    edited: list[Edited] = []
    added: list[str] = []
    for number, words in numbered:
        before = shown.notes.get(number)
        if before is None:
            added.append(words)
        elif words != before:
            edited.append(Edited(number, before, words))
    carried = tuple(words for words in plain if words in shown.carried)
    added += [words for words in plain if words not in carried]
    left = {number for number, _ in numbered}
    lost = [
        Edited(number, words, "") for number, words in shown.notes.items() if number not in left
    ]
    removed = lost if len(lost) <= MOST_REMOVED else []
    added = list(dict.fromkeys(added))[:MOST_TAKEN]
    if found == shown.text and not carried:
        return None
    return Noted(tuple(added), tuple(edited[:MOST_TAKEN]), tuple(removed), carried)


def facts(text: str, *, most_lines: int) -> list[str]:
    """Return what a MEMORY.md from elsewhere says, fact by fact, as notes have it.

    No more lines than those are looked at.
    """
    looked_at = "\n".join(text.splitlines()[:most_lines])
    numbered, plain = _read(looked_at)
    return list(dict.fromkeys([words for _, words in numbered] + plain))


def _read(text: str) -> tuple[list[tuple[int, str]], list[str]]:
    numbered: list[tuple[int, str]] = []
    plain: list[str] = []
    for line in text.splitlines():
        if not (words := _words(line)):
            continue
        found = NUMBERED.fullmatch(words)
        if found is None:
            plain += _parts(words)
        elif found[2].strip():
            numbered.append((int(found[1]), found[2].strip()[:NOTE_CHARS]))
    return numbered, plain


def _without(text: str, known: set[str]) -> list[str]:
    """Return the lines that are no notes; one that became a note is no line any more."""
    _, plain = _read(text)
    return [words for words in dict.fromkeys(plain) if words not in known]


def _words(line: str) -> str:
    """Return what a line says, without what makes it an item; nothing for a heading.

    An assistant may write into its file what no note can keep.
    """
    clean = " ".join(UNKEEPABLE.sub("", line).split())
    if clean == MORE or clean.startswith(("# ", "## ", "### ", "<!--", "---")):
        return ""
    words = BULLET.sub("", clean)
    return words if re.search(r"\w", words) else ""


def _parts(words: str) -> list[str]:
    """Cut what is too long for one note."""
    return [words[at : at + NOTE_CHARS].strip() for at in range(0, len(words), NOTE_CHARS)]


def _bounded(lines: Sequence[str], most_chars: int) -> tuple[str, ...]:
    kept: list[str] = []
    for line in lines:
        most_chars -= len(line) + 3
        if most_chars < 0:
            break
        kept.append(line)
    return tuple(kept)
