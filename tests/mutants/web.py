"""Faults by which the web is charged wrongly, leads inside, or carries out what is private."""

from tests.mutants.mutant import Mutant

TOOLS = "tests/tasks/worker/tools/test_web.py::"
TURN = "tests/tasks/worker/tools/test_turn_web.py::"
HOSTILE = "tests/tasks/worker/tools/test_hostile_pages.py::"
PAGES = "tests/gateways/test_web_pages.py::"
READING = "tests/untrusted/test_web_pages.py::"
SHOWN = "tests/webapp/chat/test_answer_sources.py::"

MUTANTS = (
    Mutant(
        "the words of a search that failed stay with its call",
        "tasks/worker/tools/web_search.py",
        "str(error)[:200] if isinstance(error, SearchFailed) else type(error).__name__",
        "str(error)[:200]",
        (f"{TOOLS}test_no_row_has_the_words_of_a_search_whatever_becomes_of_it",),
    ),
    Mutant(
        "a search is asked for though a limit is reached",
        "models/ledger/searches.py",
        "    if not user.is_frozen and bound.left_micros < held_micros:\n"
        "        raise bound.refusal\n",
        "",
        (f"{TOOLS}test_every_limit_holds_for_a_search",),
    ),
    Mutant(
        "a search is bounded by all but the message's own limit",
        "models/ledger/searches.py",
        "bound = min(limits.bounds(db, user, job), key=lambda one: one.left_micros)",
        "bound = limits.tightest(limits.bounds(db, user, job))",
        (f"{TOOLS}test_every_limit_holds_for_a_search",),
    ),
    Mutant(
        "what was held for a search stays held when the engine fails",
        "tasks/worker/tools/web_search.py",
        "            searching.release(db, held, why)\n",
        "            pass\n",
        (f"{TOOLS}test_a_search_that_is_not_answered_costs_nothing",),
    ),
    Mutant(
        "a search that nobody answered is charged",
        "tasks/worker/tools/web_search.py",
        "            searching.release(db, held, why)\n",
        "            searching.charge(db, held)\n",
        (f"{TOOLS}test_a_search_that_is_not_answered_costs_nothing",),
    ),
    Mutant(
        "a search is free",
        "tasks/worker/tools/web_search.py",
        "        searching.charge(db, held)\n",
        "        searching.release(db, held, '')\n",
        (f"{TOOLS}test_a_search_is_one_charge_that_was_held_before",),
    ),
    Mutant(
        "any address is read",
        "tasks/worker/tools/reading.py",
        "    if not web.may_read(address):\n        raise ToolRefused(NOT_KNOWN)\n",
        "",
        (
            f"{TOOLS}test_what_a_page_links_to_may_be_read_and_nothing_else",
            f"{HOSTILE}test_nothing_that_it_knows_leaves",
        ),
    ),
    Mutant(
        "what a page had searched for is searched for",
        "tasks/worker/tools/web_search.py",
        "    if not web.may_search(query):\n        raise ToolRefused(OTHERS_WORDS)\n",
        "",
        (
            f"{TOOLS}test_once_strangers_words_are_there_a_search_has_none_but_known_ones",
            f"{HOSTILE}test_nothing_that_it_knows_leaves",
        ),
    ),
    Mutant(
        "a file that came along is the user's own word",
        "tasks/worker/tools/turn_web.py",
        "TurnWeb(has_others_words=bool(turn.attachments))",
        "TurnWeb(has_others_words=False)",
        (
            f"{TOOLS}test_a_file_that_came_along_is_a_strangers",
            f"{HOSTILE}test_nothing_leaves_for_a_mail_or_a_file",
        ),
    ),
    Mutant(
        "a task carries an address that the assistant made up",
        "tasks/worker/tools/reminders.py",
        "    if not turn_web.of(caller.turn).has_come(words):\n",
        "    if False:\n",
        (f"{TOOLS}test_a_task_carries_no_address_that_the_assistant_made_up",),
    ),
    Mutant(
        "what an earlier answer read is forgotten",
        "tasks/worker/tools/conversation_web.py",
        "        web.remember(_earlier(had))\n",
        "",
        (f"{TOOLS}test_what_an_earlier_answer_read_still_asks_for_things",),
    ),
    Mutant(
        "a turn takes in all that was ever written",
        "tasks/worker/tools/turn_web.py",
        "_within(texts, MOST_HEARD)",
        "texts",
        (f"{TURN}test_of_what_the_user_wrote_the_latest_is_known",),
    ),
    Mutant(
        "all turns have seen what one has",
        "tasks/worker/tools/turn_web.py",
        "        key = turn.job_id, turn.attempt\n",
        "        key = UUID(int=0), 0\n",
        (f"{TOOLS}test_another_turn_has_seen_nothing",),
    ),
    Mutant(
        "research begins at a price that nobody agreed to",
        "actions/quotes.py",
        "    if agreed_micros < quoted:\n",
        "    if agreed_micros < 0:\n",
        ("tests/webapp/chat/test_research.py::test_its_price_is_agreed_to_first_and_bounds_it",),
    ),
    Mutant(
        "research may cost more than was agreed to",
        "actions/quotes.py",
        "    return min(agreed_micros, most)\n",
        "    return most\n",
        ("tests/webapp/chat/test_research.py::test_its_price_is_agreed_to_first_and_bounds_it",),
    ),
    Mutant(
        "a name may lead inside",
        "gateways/web_pages.py",
        '        kept = [one for one in found if is_public(one["host"])]\n',
        "        kept = list(found)\n",
        (f"{PAGES}test_of_many_addresses_only_the_public_one_is_tried",),
    ),
    Mutant(
        "a socket is made for any address",
        "gateways/web_pages.py",
        "        if (host, port) != self._example and not is_public(host):\n"
        "            raise _NotPublic(host)\n",
        "",
        (f"{PAGES}test_what_no_resolver_is_asked_about_has_no_socket_either",),
    ),
    Mutant(
        "what is packed into an address of IPv6 is not looked at",
        "gateways/web_addresses.py",
        "    if inner is not None:\n        return is_public(str(inner))\n",
        "",
        (f"{PAGES}test_no_name_leads_inside", f"{PAGES}test_public_addresses_are_public"),
    ),
    Mutant(
        "a page is read without end",
        "gateways/web_pages.py",
        "            if len(body) > most_bytes or time.monotonic() > ends:\n"
        "                break\n",
        "",
        (f"{PAGES}test_too_much_is_cut_however_it_is_packed",),
    ),
    Mutant(
        "hidden words are read",
        "untrusted/inside/pages.py",
        "    hidden.strip(tree)\n",
        "",
        (f"{READING}test_nothing_hidden_is_read",),
    ),
    Mutant(
        "what another attempt found is a source",
        "models/chat/sources.py",
        "(Job.id == AnswerSource.job_id) & (Job.attempt == AnswerSource.attempt)",
        "Job.id == AnswerSource.job_id",
        (f"{SHOWN}test_what_another_attempt_found_is_no_source",),
    ),
    Mutant(
        "the help promises the web where nobody searches",
        "actions/sentences/help_articles.py",
        "    if not is_set_up(topic, get_settings()):\n",
        "    if topic not in ARTICLES:\n",
        ("tests/webapp/public/test_help_centre.py::test_what_is_not_set_up_is_not_promised",),
    ),
    Mutant(
        "what a deleted file said may be searched for",
        "models/chat/uploads.py",
        "values(has_lost_files=True)",
        "values(has_lost_files=False)",
        (f"{TOOLS}test_a_file_stays_a_strangers_in_the_messages_that_follow",),
    ),
    Mutant(
        "what the file of a deleted message said may be searched for",
        "models/chat/message_deletion.py",
        "    conversation.has_lost_files |= bool(keys)\n",
        "",
        (f"{TOOLS}test_a_file_stays_a_strangers_though_its_message_is_deleted",),
    ),
)
