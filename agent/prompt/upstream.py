"""OpenClaw's own instructions, as one version of it writes them: known again, and taken apart.

What we replace we must know, or an upgrade could bring rules that get lost with nobody noticing. So
each section has to be, to the byte, one that somebody has looked at; we keep the hashes of those.
"""

import re
from hashlib import sha256
from itertools import pairwise

# What vendor/openclaw installs.
VERSION = "2026.9.6"
BEGIN, END = "<!-- openclaw:attempt:STABLE -->\n", "<!-- /openclaw:attempt:STABLE -->"
FILES = "# Project Context"
HEAD = re.compile(r"^## (?=.)", re.MULTILINE)
WORKSPACE = re.compile(r"^Working directory: (.+)$", re.MULTILINE)
TOOL_LINE = re.compile(r"^- .*$", re.MULTILINE)
# What is another thing in each cell, conversation or turn.
VARYING = re.compile(r"^(Working directory: |Docs: |Current date: |Time zone: ).*$", re.MULTILINE)
RUNTIME_LINE = re.compile(r"^Runtime: .*$", re.MULTILINE)
MODEL = re.compile(r"(?<=^Current model identity: )\S+(?=\. )", re.MULTILINE)
REASONING = re.compile(r"(?<=^Reasoning=)\w+(?=;)", re.MULTILINE)
# Says which files did not fit, and how to see the rest: it says so of other ones each time.
CUT_NOTICE = "## Bootstrap Context Notice"
# By the head of each section, the hashes of its texts.
KNOWN: dict[str, frozenset[str]] = {
    "You are a personal assistant running inside OpenClaw.": frozenset({"08a0816f30d20d83"}),
    "## Tooling": frozenset({"f0a1852998d72d3e"}),
    "## Tool Call Style": frozenset({"e04f0a6da4092523"}),
    "## Execution Bias": frozenset({"534af0d91b3aec3a"}),
    "## Promised Work": frozenset({"da63973d960a1a5a"}),
    "## Safety": frozenset({"c58cffe474541792"}),
    "## Runtime Context": frozenset({"2e4cef0b776ff079"}),
    "## OpenClaw Control": frozenset({"a7d42ae4f341f7b3"}),
    "## Memory Recall": frozenset({"0501d15821c26179", "31bc48edffacd68f", "80cf3f6d950d6dcf"}),
    "## Workspace": frozenset({"ac25f82b795d8f0a"}),
    "## Documentation": frozenset({"6a68f18df7d930eb"}),
    "## Workspace Files (injected)": frozenset({"387c6b0d17119134"}),
    "<!-- openclaw:attempt:DYNAMIC -->": frozenset({"8f0f3d0892959bd5"}),
    "## Temporal Context": frozenset({"1fad9116eb64da07"}),
    "## Assistant Output Directives": frozenset({"3f03e2b9f68f2b5e"}),
    "## Silent Replies": frozenset({"3b91642b12709119"}),
    "## Control UI Embed": frozenset({"9a9d0635e0fab5e4"}),
    "## Control UI Side Chat": frozenset({"85ae7ad1e865222e"}),
    "## Messaging": frozenset({"eb7139e10ab72370"}),
    "## Collapsible Details": frozenset({"e50646cd75ecd621"}),
    "## Runtime": frozenset({"68b3d91f00a4a530"}),
}
# The lines above the assistant's files, one for each kind of them.
KNOWN_OF_FILES = {
    "abe8eb021e694a25",
    "f27717947c4566b5",
    "6c2796fb7c3ae912",
    "23857311ec899e2c",
}


class Changed(Exception):
    """The instructions are none that we know; it names the sections that are not."""


def own_files(system: str) -> str:
    """Take the assistant's own files out of OpenClaw's instructions, each below its name.

    AGENTS.md, which is ours, is left out. Raises Changed.
    """
    begin, end = system.find(BEGIN), system.rfind(END)
    if begin < 0 or end < begin:
        raise Changed("the marks around it")
    whole = system[begin + len(BEGIN) : end]
    head, mark, shown = whole.partition(f"\n{FILES}\n")
    workspace = WORKSPACE.search(head)
    if not mark or workspace is None:
        raise Changed(FILES)
    named = re.compile(rf"^## {re.escape(workspace[1])}/(?=[\w./-]+$)", re.MULTILINE)
    starts = [found.start() for found in named.finditer(shown)]
    if not starts:
        raise Changed(FILES)
    unknown = _unknown(head) + _unknown(system[:begin] + system[end + len(END) :])
    if not {_hash(line) for line in shown[: starts[0]].splitlines() if line} <= KNOWN_OF_FILES:
        unknown.append(FILES)
    if unknown:
        raise Changed(", ".join(unknown))
    # The first are our instructions.
    own = shown[starts[1] :] if len(starts) > 1 else ""
    return named.sub("## ", own).strip("\n")


def sections(text: str) -> dict[str, str]:
    """Return each section's hash by its head; what differs from turn to turn is left out."""
    starts = [0, *(found.start() for found in HEAD.finditer(text)), len(text)]
    pieces = [text[at:end].strip() for at, end in pairwise(starts)]
    return {piece.partition("\n")[0]: _hash(piece) for piece in pieces if piece}


def _hash(section: str) -> str:
    plain = TOOL_LINE.sub("", section) if section.startswith("## Tooling\n") else section
    for varying in (MODEL, REASONING, RUNTIME_LINE):
        plain = varying.sub("", plain)
    plain = VARYING.sub(r"\1", plain)
    return sha256("\n".join(filter(None, plain.splitlines())).encode()).hexdigest()[:16]


def _unknown(text: str) -> list[str]:
    found = sections(text)
    found.pop(CUT_NOTICE, None)
    return [head for head, hashed in found.items() if hashed not in KNOWN.get(head, frozenset())]
