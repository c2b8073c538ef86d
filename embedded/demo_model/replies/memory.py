"""Remembers what it is told with the tools there are, finds it again, and takes it out."""

import re

from embedded.demo_model.conversation import Asked, ToolCall
from embedded.demo_model.prompt import Moment, Person, files, sent
from embedded.demo_model.replies.persons import to_note, to_you
from embedded.demo_model.reply import Reply

MEMORY = "MEMORY.md"
NOTE, TAKE_OUT, SEARCH = "my__remember", "my__forget", "my__search_history"
NUMBERED = re.compile(r"^- #(\d+) \([^)]*\) (.+)$", re.MULTILINE)
ASKED_TO_FORGET = re.compile(
    r"^(?:please )?forget (?:that |about |what i said about )?(?P<fact>.+)", re.I
)
HEADING = "# Memory"
ASKED_TO = re.compile(
    r"^(?:please )?(?:remember|don't forget|note|keep in mind)(?: that|:)?\s+(?P<fact>.+)",
    re.I | re.S,
)
TELLS = re.compile(
    r"^(?P<fact>(?:my [\w' -]{1,60}? (?:is|are|was|will be) |i am |i'm |i (?:live|work|like|love|"
    r"prefer|hate|have|play|speak|study|drink|eat|want) |call me ).+)",
    re.I | re.S,
)
GREETS = re.compile(
    r"^(?:hi|hello|hey|hallo|good (?:morning|day|evening|afternoon))(?: \w+)?[,.!:]+\s+", re.I
)
ASKS_TO_KEEP = re.compile(
    r"[\s,.!;:-]+(?:(?:please|and|can you|could you)\s+)*"
    r"(?:remember|note|keep in mind|don't forget)(?: (?:that|this|it))?[\s,.!]*(?:please)?[.!]*$",
    re.I,
)
# A further sentence that wants something is no part of the fact.
WANTS_MORE = re.compile(
    r"(?<=[.!])\s+(?:(?:and|now|so|then),? )?(?:please|can you|could you|would you|write|show|give|"
    r"make|help|tell|explain|what|how|where|when|who|which|why)\b.*",
    re.I | re.S,
)
EVERYTHING = re.compile(
    r"what (?:do|did) (?:you|i) (?:know|remember|tell|told)|who am i\b|what have i told", re.I
)
ABOUT_ME = re.compile(r"\b(?:my|me|i|mine|we|our)\b", re.I)
ASKS = re.compile(
    r"^(?:so |and |hey |ok |okay |please )*"
    r"(?:what|who|where|when|which|how|do|did|am|is|are|was|tell|can)\b",
    re.I,
)
EMPTY_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about am an and any are at be been by called can could did do does for from had has have
        how i in is it know me mine my name named of on or our please remember so tell that the
        their them they to was we what when where which who whom whose why will with would you your
        """,
    )
)
# By what a search has found belongs to a conversation.
MARKED = re.compile(r" \(#\w{8}\)$")
FAILED = re.compile(r"error|not found|no such|no match|could not|failed|must be unique", re.I)


def remember(at: Moment) -> Reply | None:
    """Write down what the person says about themselves, with the tools there are."""
    fact = _fact(at.asking.words)
    if fact is None:
        return None
    note = to_note(fact)
    told = f"**{to_you(note)}**"
    if not at.asked.done and note.lower() in (known.lower() for known in at.whom.notes):
        return Reply(f"I know that already: {told}.")
    if _is_written(at.asked):
        return Reply(f"I wrote it down: {told}. You can ask me about it in any conversation.")
    if NOTE in at.asked.tools and at.asked.done:
        return Reply(f"I could not note that: {_plain(at.asked.done[-1][1])}")
    call = _next_note(at.asked, note) or _next_write(
        at.asked, note, files(at.asked.system).get(MEMORY)
    )
    if call is None:
        return Reply(f"I understood: {told}. But I could not write it down.")
    return Reply(calls=(call,))


def forget(at: Moment) -> Reply | None:
    """Take out the note that is nearest to what the person wants forgotten."""
    asked = ASKED_TO_FORGET.match(at.asking.words)
    if asked is None or TAKE_OUT not in at.asked.tools:
        return None
    if at.asked.done:
        return Reply(_plain(at.asked.done[-1][1]))
    wanted = _key_words(asked["fact"])
    known = {words: int(number) for number, words in NUMBERED.findall(at.whom.memory or "")}
    found = _best(wanted, list(known))
    if found is None:
        return Reply("I have no note of that. You see all of them at /memory.")
    return Reply(calls=(ToolCall("call_forget", TAKE_OUT, {"number": known[found]}),))


def recall(at: Moment) -> Reply | None:
    """Answer a question about the person from all that is known of them."""
    words = at.asking.words
    if EVERYTHING.search(words):
        return Reply(_all_of(at.asked, at.whom))
    if not (ASKS.match(words) and ABOUT_ME.search(words)):
        return None
    if re.search(r"\bmy name\b", words, re.I) and at.whom.name:
        return Reply(f"Your name is {at.whom.name}.")
    wanted = _key_words(words)
    results = [result for call, result in at.asked.done if call.name == SEARCH]
    found = _best(wanted, [*_lines_of(results), *_known(at.asked, at.whom)])
    if found:
        return Reply(f"{_capital(to_you(found))}.")
    if SEARCH in at.asked.tools and not at.asked.done and wanted:
        return Reply(calls=(ToolCall("call_search", SEARCH, {"query": words[:300]}),))
    return Reply("I don't know that yet. Tell me, and I will remember it.")


def _is_written(asked: Asked) -> bool:
    if not asked.done:
        return False
    call, result = asked.done[-1]
    if call.name == NOTE:
        return "Noted: #" in result
    return call.name in ("edit", "write") and not FAILED.search(result)


def _next_note(asked: Asked, note: str) -> ToolCall | None:
    return ToolCall("call_note", NOTE, {"fact": note[:500]}) if NOTE in asked.tools else None


def _plain(result: str) -> str:
    return " ".join(result.split())


def _next_write(asked: Asked, note: str, memory: str | None) -> ToolCall | None:
    """Edit MEMORY.md; when that has failed, read it; then write the whole of it."""
    tried = [call.name for call, _ in asked.done]
    last_line = (memory or "").rstrip().rpartition("\n")[2]
    if not tried and "edit" in asked.tools and memory and memory.count(last_line) == 1:
        change = {"oldText": last_line, "newText": f"{last_line}\n- {note}"}
        return ToolCall("call_edit", "edit", {"path": MEMORY, "edits": [change]})
    if tried == ["edit"] and "read" in asked.tools:
        return ToolCall("call_read", "read", {"path": MEMORY})
    if "write" not in asked.tools or "write" in tried:
        return None
    if tried[-1:] == ["read"]:
        result = asked.done[-1][1]
        memory = None if FAILED.search(result) and HEADING not in result else result
    whole = f"{memory or HEADING}".rstrip("\n") + f"\n- {note}\n"
    return ToolCall("call_write", "write", {"path": MEMORY, "content": whole})


def _all_of(asked: Asked, whom: Person) -> str:
    facts = [f"Your name is {whom.name}"] if whom.name else []
    if whom.needs:
        facts.append(f"You want help with: {whom.needs}")
    facts += [_capital(to_you(note)) for note in _known(asked, whom)]
    if not facts:
        return "Nothing yet. Tell me something about you, and I will remember it."
    listed = "\n".join(f"- {fact}" for fact in dict.fromkeys(facts))
    return f"This is what I know about you:\n\n{listed}"


def _known(asked: Asked, whom: Person) -> list[str]:
    """All notes, then what was said in other conversations and in this one, the newest last."""
    here = [sent(said).words for said in asked.earlier if said.role == "user"]
    facts = [_fact(text) for text in [*whom.said_elsewhere, *here]]
    notes = [to_note(fact) for fact in facts if fact is not None]
    return list(dict.fromkeys([*whom.notes, *notes]))


def _fact(text: str) -> str | None:
    """Find what somebody tells of themselves, between a greeting and a request to keep it."""
    told = WANTS_MORE.sub("", GREETS.sub("", text))
    if asked := ASKED_TO.match(told):
        return asked["fact"]
    found = None if told.endswith("?") else TELLS.match(ASKS_TO_KEEP.sub("", told))
    return found["fact"] if found else None


def _lines_of(results: list[str]) -> list[str]:
    """Find what a search has found: a line each, with when it was said before it, a mark after."""
    lines = [line for result in results for line in result.splitlines() if line.startswith("- ")]
    return [MARKED.sub("", line.partition(": ")[2]) for line in lines]


def _best(wanted: frozenset[str], notes: list[str]) -> str | None:
    # Of two that fit alike the newer one counts: people change their minds.
    scored = [(len(wanted & _key_words(note)), note) for note in reversed(notes)]
    best = max(scored, key=lambda one: one[0], default=(0, ""))
    return best[1] if best[0] else None


def _key_words(text: str) -> frozenset[str]:
    found = (
        word.removesuffix("'s").removesuffix("s") for word in re.findall(r"[\w']+", text.lower())
    )
    return frozenset(word for word in found if word not in EMPTY_WORDS and _tells(word))


def _tells(word: str) -> bool:
    return len(word) > 1 or word.isdigit()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
