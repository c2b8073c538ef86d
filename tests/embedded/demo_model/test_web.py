"""Asked to look something up, the demo model searches, reads the best page, and cites it."""

import json
from typing import Any

from tests.embedded.demo_model.test_product_tools import ask
from tests.embedded.demo_model.test_replies import STAMP, said

NAMES = ("web_search", "read_page")
WORDS = f"{STAMP}Look up the ferry to Gull Island, please."
FOUND = """Found on the web.
<web-1>
[1] Ferry timetable
  http://ferries.example/timetable
  The ferry sails.
</web-1>"""
PAGE = """A page of the web.
Number: [1]
Address: http://ferries.example/timetable
Characters 0 to 40 of 40
<page-2>
Ferry timetable

# Ferry timetable

It sails at [07:40](http://ferries.example/x).
</page-2>"""


def _use(demo: Any, *results: str, words: str = WORDS) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [said("user", words)]
    for result in results:
        (call,) = ask(demo, *messages, names=NAMES)["tool_calls"]
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
    return ask(demo, *messages, names=NAMES)


def _called(answer: dict[str, Any]) -> tuple[str, Any]:
    (call,) = answer["tool_calls"]
    return call["function"]["name"], json.loads(call["function"]["arguments"])


def test_it_searches_reads_and_cites(demo: Any) -> None:
    assert _called(_use(demo)) == (
        "my__web_search",
        {"query": "the ferry to Gull Island, please"},
    )
    assert _called(_use(demo, FOUND)) == (
        "my__read_page",
        {"address": "http://ferries.example/timetable"},
    )
    answer = _use(demo, FOUND, PAGE)["content"]
    assert answer.startswith("**Ferry timetable** [1]\n\nIt sails at 07:40.")


def test_research_searches_several_times_and_reports(demo: Any) -> None:
    wish = f"{STAMP}Heat pumps?\n\n<research 1a>\nHow it is done.\n</research 1a>"
    second = FOUND.replace("[1]", "[2]").replace("timetable", "today")
    results = (FOUND, PAGE, second, PAGE.replace("[1]", "[2]"), FOUND)
    called = [_called(_use(demo, *results[:count], words=wish)) for count in range(5)]
    assert [name for name, _ in called] == [
        *("my__web_search", "my__read_page", "my__web_search", "my__read_page", "my__web_search")
    ]
    assert called[0][1] == {"query": "Heat pumps"}
    report = _use(demo, *results, words=wish)["content"]
    assert report.startswith("# Heat pumps\n\n**In short:**")
    assert "[1]" in report
    assert "[2]" in report


def test_it_reads_an_address_that_is_named(demo: Any) -> None:
    words = f"{STAMP}What does http://a.example/b say?"
    assert _called(_use(demo, words=words)) == ("my__read_page", {"address": "http://a.example/b"})


def test_without_the_web_it_promises_nothing(demo: Any) -> None:
    assert not ask(demo, said("user", WORDS), names=()).get("tool_calls")


def test_what_is_refused_is_said(demo: Any) -> None:
    assert _use(demo, "Not searched: over.")["content"].startswith("Not searched: over.")
