"""What stands in the assistant's own files before its first turn, and what we keep current in them.

OpenClaw puts AGENTS.md, SOUL.md, IDENTITY.md, USER.md and MEMORY.md into the system prompt of every
turn. AGENTS.md has our instructions, for when the meter cannot put them into a request itself. In
USER.md one marked part is ours: who the person is. MEMORY.md is drawn from their notes: see
`agent.memory`. All else belongs to the assistant and is never touched again, but for what USER.md
has no room for: OpenClaw shows no more of it than some 4,000 characters, so it moves to MEMORY.md.
"""

from collections.abc import Mapping, Sequence

from agent import memory
from agent.memory import Shown
from agent.prompt.instructions import Product, instructions
from agent.quoting import one_line, quoted
from agent.tools.registry import Tool
from agent.turn import Note, Profile

BEGIN = "<!-- kept by the service: begin -->"
END = "<!-- kept by the service: end -->"
KEPT_FILES = ("AGENTS.md", "SOUL.md", "IDENTITY.md", "USER.md", "MEMORY.md")
# Every character here is paid for with each message, and OpenClaw cuts what is longer.
USER_CHARS = 3_500
NEEDS_CHARS = 1_000

SOUL = "# Who you are\n\nWarm, calm, honest and brief. You say when you are not sure.\n"


def due(
    standing: Mapping[str, bytes],
    *,
    profile: Profile,
    product: Product,
    tools: Sequence[Tool] = (),
    notes: Sequence[Note] = (),
) -> tuple[dict[str, bytes], Shown]:
    """Return the files to be written, given what stands there now, and what MEMORY.md will tell."""
    user, beyond = _fitted(_with_kept_part(_text(standing, "USER.md"), _kept_part(profile)))
    shown = memory.render(notes, f"{_text(standing, 'MEMORY.md')}\n{beyond}")
    wanted = {"AGENTS.md": instructions(product, tools), "USER.md": user, "MEMORY.md": shown.text}
    seeds = {
        "SOUL.md": SOUL,
        "IDENTITY.md": f"# Identity\n\n- Name: {one_line(product.name)}\n",
    }
    wanted |= {name: text for name, text in seeds.items() if name not in standing}
    written = {name: text.encode() for name, text in wanted.items()}
    return {name: data for name, data in written.items() if standing.get(name) != data}, shown


def _text(standing: Mapping[str, bytes], name: str) -> str:
    return standing.get(name, b"").decode(errors="replace")


def _kept_part(profile: Profile) -> str:
    lines = [BEGIN, f"- Name: {one_line(profile.name)}"]
    lines.append(f"- Time zone: {one_line(profile.timezone)}")
    if profile.needs.strip():
        lines += ["- What they want help with:", quoted(profile.needs, NEEDS_CHARS)]
    return "\n".join((*lines, END))


def _with_kept_part(text: str, kept: str) -> str:
    """Replace our part of USER.md, or put it on top where there is none."""
    lines = text.split("\n")
    if BEGIN in lines and END in lines[(first := lines.index(BEGIN)) :]:
        last = lines.index(END, first)
        return "\n".join((*lines[:first], kept, *lines[last + 1 :]))
    own = text.removeprefix("# About the person\n").strip("\n") or "## Your own notes"
    return f"# About the person\n\n{kept}\n\n{own}\n"


def _fitted(text: str) -> tuple[str, str]:
    """Cut what the assistant noted in USER.md and has no room there; return both, whole lines."""
    if len(text) <= USER_CHARS:
        return text, ""
    lines = text.split("\n")
    first = lines.index(END, lines.index(BEGIN)) + 1
    size = 0
    for at, line in enumerate(lines):
        size += len(line) + 1
        if at >= first and size > USER_CHARS:
            return "\n".join((*lines[:at], "")), "\n".join(lines[at:]).strip("\n")
    return text, ""
