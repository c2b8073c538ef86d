"""Summarizes a conversation that has become long, when OpenClaw asks for it."""

import re

from embedded.demo_model.conversation import Asked
from embedded.demo_model.prompt import ATTACHED, EARLIER, STAMP, Moment
from embedded.demo_model.reply import Reply

SUMMARIZING = "You are a context summarization assistant."
TALK = re.compile(r"<conversation>\n(.*?)\n</conversation>", re.DOTALL)
# "[User]: words", up to where somebody else speaks.
SAID = re.compile(r"^\[User[^\]]*\]: (.*?)(?=^\[\w[^\]]*\]: |\Z)", re.DOTALL | re.MULTILINE)
KEPT = re.compile(r"^- Told: (.+)$", re.MULTILINE)
KEPT_CHARS = 160
# The first that was told, and the latest.
FIRST, LATEST = 5, 15
SUMMARY = """## Decisions
- (none)

## Open TODOs
- (none)

## Constraints/Rules
- (none)

## Pending user asks
- (none)

## Exact identifiers
{told}"""


def is_asked_for(asked: Asked) -> bool:
    """Tell whether a request is for a summary, and no message of a person."""
    return asked.system.lstrip().startswith(SUMMARIZING)


def summary(at: Moment) -> Reply | None:
    """Note what the person said first and last, and what an earlier summary has of it."""
    if not is_asked_for(at.asked):
        return None
    text = at.asked.question.text
    # Summaries of parts are put together as if somebody had said them.
    told = KEPT.findall(text)
    talk = TALK.search(text)
    words = SAID.findall(talk[1] if talk else "")
    told += [_line(one) for one in words if not KEPT.search(one)]
    told = list(dict.fromkeys(told))
    kept = told if len(told) <= FIRST + LATEST else [*told[:FIRST], *told[-LATEST:]]
    return Reply(SUMMARY.format(told="\n".join(f"- Told: {line}" for line in kept if line)))


def _line(words: str) -> str:
    own = ATTACHED.sub("", EARLIER.sub("", words))
    while stamp := STAMP.match(own):
        own = own[stamp.end() :]
    return " ".join(own.split())[:KEPT_CHARS]
