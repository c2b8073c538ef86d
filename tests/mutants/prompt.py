"""Faults by which a model is told what it should not be, or thoughts and caches cost too much."""

from tests.mutants.mutant import Mutant

UPSTREAM = "tests/agent/prompt/test_upstream.py::"
REWRITING = "tests/agent/meter/test_rewriting.py::"

MUTANTS = (
    Mutant(
        "what is new in OpenClaw's instructions is dropped unread",
        "agent/prompt/upstream.py",
        "if hashed not in KNOWN.get(head, frozenset())]",
        "if head in KNOWN and hashed not in KNOWN[head]]",
        (f"{UPSTREAM}test_what_has_changed_is_told",),
    ),
    Mutant(
        "a person's notes end OpenClaw's instructions",
        "agent/prompt/upstream.py",
        "begin, end = system.find(BEGIN), system.rfind(END)",
        "begin, end = system.find(BEGIN), system.find(END)",
        (f"{UPSTREAM}test_words_of_a_person_are_never_taken_for_openclaw_s",),
    ),
    Mutant(
        "a summary is told to be an assistant",
        "agent/meter/rewriting.py",
        "    if any(text.startswith(SUMMARIZING) for text in told):\n        return False\n",
        "",
        (f"{REWRITING}test_a_summary_keeps_its_own_instructions",),
    ),
    Mutant(
        "a person's own part comes before everybody's",
        "agent/meter/wires/anthropic_messages.py",
        "for text in (shared, own)]",
        "for text in (own, shared)]",
        (f"{REWRITING}test_the_beginning_is_the_same_for_everybody",),
    ),
)
