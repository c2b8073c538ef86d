"""Faults by which a model is told what it should not be, or thoughts and caches cost too much."""

from tests.mutants.mutant import Mutant

UPSTREAM = "tests/agent/prompt/test_upstream.py::"
REWRITING = "tests/agent/meter/test_rewriting.py::"
KEEPING = "tests/agent/meter/test_keeping.py::"
THINKING = "tests/agent/meter/test_thinking.py::"
HOLDS = "tests/agent/meter/test_holds.py::"
PRICES = "tests/agent/test_prices.py::"

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
    Mutant(
        "a cell says how long a cache keeps what it sends",
        "agent/meter/wires/anthropic_messages.py",
        '            block.pop("cache_control", None)\n',
        "            del block\n",
        (f"{KEEPING}test_it_ends_behind_everybodys_part_ones_own_and_the_last_message",),
    ),
    Mutant(
        "what is kept for an hour is booked at the price of five minutes",
        "agent/prices.py",
        "        cache_write_1h_tokens=usage.cache_write_hour_tokens,\n",
        "",
        (f"{PRICES}test_our_cost_is_what_the_provider_asks",),
    ),
    Mutant(
        "what is kept for an hour is held for at the price of five minutes",
        "agent/prices.py",
        "written = Usage(0, output_tokens, cached, fresh, fresh if is_for_hour else 0)",
        "written = Usage(0, output_tokens, cached, fresh, 0)",
        (
            f"{PRICES}test_no_call_costs_more_than_its_worst_case",
            f"{HOLDS}test_the_most_that_a_call_can_honestly_use_is_held",
        ),
    ),
    Mutant(
        "a request is kept for an hour though nobody knows what that costs",
        "agent/prices.py",
        "        return hour > usual\n",
        "        return True\n",
        (f"{PRICES}test_only_what_has_a_price_is_kept_for_an_hour",),
    ),
    Mutant(
        "a dear long request is kept for an hour",
        "agent/meter/sizing.py",
        "            asked.most_tokens <= MOST_HOUR_TOKENS\n            and not",
        "            not",
        (f"{KEEPING}test_long_requests_and_summaries_are_not_kept_for_an_hour",),
    ),
    Mutant(
        "more room for thoughts is not held for",
        "agent/meter/sizing.py",
        "            wanted = max(wanted, LONGER_OUTPUT_TOKENS)\n",
        "            pass\n",
        (f"{THINKING}test_more_of_it_has_more_room_which_is_held_for",),
    ),
    Mutant(
        "thoughts without a word are an answer",
        "agent/meter/call.py",
        "if tally.is_final and not tally.has_said and not self._sent.is_summary:",
        "if tally.is_final and not tally.words_bytes and not self._sent.is_summary:",
        (f"{THINKING}test_thoughts_alone_are_no_answer",),
    ),
    Mutant(
        "each call pays for OpenAI's refusal to tell thoughts",
        "agent/meter/thought_summaries.py",
        "        if self._clock() < self._refused_until:\n",
        "        if self._clock() == self._refused_until - REMEMBERED_SECONDS:\n",
        (f"{THINKING}test_a_refusal_of_summaries_is_got_around_and_remembered",),
    ),
)
