"""What OpenClaw puts around a person's words, taken apart again."""

import re
from dataclasses import dataclass
from datetime import datetime

from embedded.demo_model.conversation import Asked, Said

# "## /cell/workspace/USER.md" stands above each of the assistant's files.
FILE_HEAD = re.compile(r"^## \S*?(\w+\.md)$", re.MULTILINE)
END_OF_FILES = "<!-- /openclaw"
STAMP = re.compile(r"^\s*\[(\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d)(?::\d\d)? ([^\]\n]+))\]\s*")
RUNTIME = re.compile(r"\n\s*Runtime: agent=.*\Z", re.DOTALL)
ATTACHED = re.compile(r'<file (\w+) name="([^"]*)" path="[^"]*">\n(.*?)\n</file \1>', re.DOTALL)
# What a new conversation is told of others.
EARLIER = re.compile(r"<earlier (\w+)>\n(.*?)\n</earlier \1>", re.DOTALL)
# Reminders that fired since the message before.
REMINDED = re.compile(r"<reminded (\w+)>\n(.*?)\n</reminded \1>", re.DOTALL)
# How research is done, where that is wanted.
RESEARCH = re.compile(r"<research (\w+)>\n(.*?)\n</research \1>", re.DOTALL)
# OpenClaw puts a message whose answer was stopped before the next, which begins with a stamp too.
STOPPED = "[Queued user message from a previous active turn;"
# How a message begins that changes one which is answered already.
CHANGED = re.compile(r"^\s*I have changed my message; it says now:\s*")
STAMPED = re.compile(r"^\s*\[\w{3} \d{4}-\d\d-\d\d \d\d:\d\d", re.MULTILINE)
# How a note begins that the service has written into MEMORY.md.
NUMBER = re.compile(r"^#(\d+) \(\d{4}-\d\d-\d\d\) ")
NOT_TEXT = ("(an image,", "(no text could be read")


@dataclass(frozen=True)
class Sent:
    """A message of the person: their words, their local time, and the texts of their files."""

    words: str
    at: datetime | None
    timezone: str | None
    files: tuple[tuple[str, str], ...]
    wants_research: bool = False


@dataclass(frozen=True)
class Person:
    """Whom the assistant works for, by its own files."""

    name: str | None
    needs: str
    # What MEMORY.md and USER.md say, and what the conversation was told of others, a line each.
    notes: tuple[str, ...]
    said_elsewhere: tuple[str, ...]
    memory: str | None


@dataclass(frozen=True)
class Moment:
    """All that a rule for answering may look at."""

    asked: Asked
    asking: Sent
    whom: Person


def moment(asked: Asked) -> Moment:
    """Take a request apart."""
    return Moment(asked, sent(asked.question), _person(asked))


def sent(said: Said) -> Sent:
    """Take a message apart."""
    text, at, timezone = _latest(said.text), None, None
    # The service's stamp has the person's own time, and stands behind OpenClaw's if both do.
    while stamp := STAMP.match(text):
        at, timezone = datetime.fromisoformat(stamp[2]), stamp[3]
        text = text[stamp.end() :]
    text = RUNTIME.sub("", text)
    files = [(found[2], found[3]) for found in ATTACHED.finditer(text)]
    texts = tuple((name, body) for name, body in files if not body.startswith(NOT_TEXT))
    wants_research = RESEARCH.search(text) is not None
    for block in (REMINDED, EARLIER, RESEARCH, ATTACHED):
        text = block.sub("", text)
    return Sent(CHANGED.sub("", text).strip(), at, timezone, texts, wants_research=wants_research)


def _latest(text: str) -> str:
    """Return what is to be answered, without messages before it whose answers were stopped."""
    begins = [found.start() for found in STAMPED.finditer(text)] if STOPPED in text else []
    return text[begins[-1] :] if begins else text


def files(system: str) -> dict[str, str]:
    """Return the assistant's files as the prompt shows them, by name."""
    heads = list(FILE_HEAD.finditer(system))
    ends = [*(head.start() for head in heads[1:]), len(system)]
    return {
        head[1]: system[head.end() : end].partition(END_OF_FILES)[0].strip("\n")
        for head, end in zip(heads, ends, strict=False)
    }


def _person(asked: Asked) -> Person:
    """Read who the person is from the assistant's files."""
    found = files(asked.system)
    user, memory = found.get("USER.md", ""), found.get("MEMORY.md")
    name = re.search(r"^- Name: (.+)$", user, re.MULTILINE)
    needs = re.search(r"^- What they want help with:\n((?:> .*\n?)+)", user, re.MULTILINE)
    own = user.partition("kept by the service: end -->")[2] or user
    return Person(
        name=name[1].strip() if name else None,
        needs=_unquoted(needs[1]) if needs else "",
        notes=_notes(memory or "") + _notes(own),
        said_elsewhere=tuple(
            told for said in asked.said if said.role == "user" for told in _elsewhere(said.text)
        ),
        memory=memory,
    )


def _notes(text: str) -> tuple[str, ...]:
    lines = (line.strip() for line in text.splitlines())
    kept = (
        NUMBER.sub("", line.removeprefix("- ").strip())
        for line in lines
        if not line.startswith(("#", "<!", "("))
    )
    return tuple(
        line for line in kept if line and not line.startswith(("Name:", "Time zone:", ">"))
    )


def _elsewhere(message: str) -> tuple[str, ...]:
    told = EARLIER.search(message)
    quotes = re.findall(r"^They said:\n((?:> .*\n?)+)", told[2] if told else "", re.MULTILINE)
    return tuple(_unquoted(quote) for quote in quotes)


def _unquoted(quote: str) -> str:
    return " ".join(line.removeprefix(">").strip() for line in quote.splitlines()).strip()
